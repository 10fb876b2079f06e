"""TFRecord shards, gzip too, interleaved, shuffled, parsed, padded: in each epoch every record comes exactly once."""

import collections

import harness
import numpy as np

CLUSTER = {"worker": 1}
SHARDS, RECORDS, EPOCHS = 4, 57, 3


def write_files(tf, directory):
    """Record n has n % 5 words and its number; shard s has every SHARDS-th record."""
    gzip = tf.python_io.TFRecordOptions(tf.python_io.TFRecordCompressionType.GZIP)
    for kind, options in (("plain", None), ("gzip", gzip)):
        for shard in range(SHARDS):
            with tf.python_io.TFRecordWriter(f"{directory}/{kind}-{shard:05d}.tfrecord", options) as writer:
                for number in range(shard, RECORDS, SHARDS):
                    words = [b"w%d" % (number * 10 + i) for i in range(number % 5)]
                    writer.write(tf.train.Example(features=tf.train.Features(feature={
                        "number": tf.train.Feature(int64_list=tf.train.Int64List(value=[number])),
                        "sizes": tf.train.Feature(float_list=tf.train.FloatList(value=[number / 2] * (number % 3))),
                        "words": tf.train.Feature(bytes_list=tf.train.BytesList(value=words))})).SerializeToString())


def parse(tf, serialized):
    parsed = tf.parse_single_example(serialized, {
        "number": tf.FixedLenFeature([], tf.int64), "sizes": tf.VarLenFeature(tf.float32),
        "words": tf.VarLenFeature(tf.string)})
    return {"number": parsed["number"], "sizes": tf.sparse_tensor_to_dense(parsed["sizes"]),
            "words": tf.sparse_tensor_to_dense(parsed["words"], default_value="")}


def padded(tf, directory, kind, compression):
    files = tf.data.Dataset.list_files(f"{directory}/{kind}-*.tfrecord", shuffle=True, seed=1)
    records = files.interleave(lambda name: tf.data.TFRecordDataset(name, compression_type=compression), cycle_length=3,
                               block_length=2)
    parsed = records.shuffle(20, seed=4).map(lambda r: parse(tf, r), num_parallel_calls=2)
    return parsed.padded_batch(8, padded_shapes={"number": [], "sizes": [4], "words": [None]},
                               padding_values={"number": np.int64(0), "sizes": np.float32(-1), "words": ""})


def sparse(tf, directory):
    """Whole batches parsed at once; VarLenFeatures stay sparse through the pipeline."""
    files = tf.data.Dataset.list_files(f"{directory}/plain-*.tfrecord", shuffle=False)
    records = files.apply(tf.data.experimental.parallel_interleave(tf.data.TFRecordDataset, cycle_length=2))
    batched = records.apply(tf.data.experimental.shuffle_and_repeat(16, EPOCHS, seed=2)).batch(10)
    return batched.map(lambda rows: tf.parse_example(rows, {
        "number": tf.FixedLenFeature([], tf.int64), "words": tf.VarLenFeature(tf.string)})).prefetch(2)


def drain(tf, session, element):
    while True:
        try:
            yield session.run(element)
        except tf.errors.OutOfRangeError:
            return


def main(tf, task):
    server = task.server(tf)
    write_files(tf, task.directory)
    result = {}
    with tf.Session(server.target) as session:
        for kind, compression in (("plain", None), ("gzip", "GZIP")):
            iterator = padded(tf, task.directory, kind, compression).make_initializable_iterator()
            element = iterator.get_next()
            epochs = []
            for _ in range(EPOCHS):
                session.run(iterator.initializer)
                seen = collections.Counter()
                for batch in drain(tf, session, element):
                    for number, sizes, words in zip(batch["number"], batch["sizes"], batch["words"]):
                        assert (sizes == [number / 2] * (number % 3) + [-1.0] * (4 - number % 3)).all(), (number, sizes)
                        assert [w for w in words if w] == [b"w%d" % (number * 10 + i) for i in range(number % 5)], words
                        seen[int(number)] += 1
                epochs.append(sorted(seen.items()))
            assert all(epoch == epochs[0] for epoch in epochs), epochs
            result[kind] = epochs[0]
        numbers, words = collections.Counter(), collections.Counter()
        for batch in drain(tf, session, sparse(tf, task.directory).make_one_shot_iterator().get_next()):
            numbers.update(int(n) for n in batch["number"])
            words.update(w.decode() for w in batch["words"].values)
            assert batch["words"].dense_shape[0] == len(batch["number"])
        result["sparse"] = sorted(numbers.items())
        result["words"] = sorted(words.items())
    return result


def compare(ours, theirs):
    assert ours == theirs
    everything = [[number, 1] for number in range(RECORDS)]
    assert ours[0]["plain"] == ours[0]["gzip"] == everything, ours
    assert ours[0]["sparse"] == [[number, EPOCHS] for number in range(RECORDS)]


if __name__ == "__main__":
    harness.start(main)
