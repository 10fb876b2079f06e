"""tf.data pipelines in graph mode: the same elements in TensorFlow's own session and on a Headrace server."""
import pathlib
import tempfile
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import pipelines

data = tf.data.Dataset


class Pipelines(pipelines.PipelineTest):
    def test_range_shuffle_repeat_batch(self):
        self.compare(lambda: data.range(17).shuffle(5, seed=3).repeat(3).batch(4))

    def test_shuffle_the_same_order_in_each_epoch(self):
        self.compare(lambda: data.range(10).shuffle(10, seed=3, reshuffle_each_iteration=False).repeat(2).batch(4, drop_remainder=True))

    def test_tensor_slices_and_map_without_captures(self):
        slices = {"x": np.arange(24, dtype=np.float32).reshape(12, 2), "name": np.array([f"n{i}" for i in range(12)])}
        self.compare(lambda: data.from_tensor_slices(slices).shuffle(12, seed=9).repeat(2).batch(5).map(
            lambda row: (row["x"] * 2 + 1, tf.strings.join([row["name"], "!"]))).prefetch(2))

    def test_map_with_a_captured_tensor(self):
        self.compare(lambda: (lambda scale: data.range(9).map(lambda i: tf.cast(i, tf.float32) * scale).batch(2).prefetch(1))(
            tf.constant([0.5, 3])), kinds=[True])

    def test_parallel_map_keeps_the_order(self):
        self.compare(lambda: data.range(100).map(lambda i: i * i, num_parallel_calls=4).batch(7).prefetch(tf.data.AUTOTUNE))

    def test_filter_take_skip_zip_concatenate(self):
        self.compare(lambda: data.zip((data.range(20).skip(3).take(10).filter(lambda i: i % 3 > 0),
                                       data.range(5).concatenate(data.range(50, 60)))).shard(2, 1))

    def test_flat_map_and_interleave(self):
        self.compare(lambda: data.range(4).flat_map(lambda i: data.range(i + 1).map(lambda j: i * 10 + j)))
        self.compare(lambda: data.range(5).interleave(lambda i: data.from_tensors(i).repeat(4), cycle_length=2, block_length=3))

    def test_a_captured_variable(self):
        for target in "", self.cluster.target:
            with tf.Graph().as_default(), tf.Session(target) as session:
                offset = tf.get_variable("offset", initializer=tf.constant(10, tf.int64), use_resource=True)
                iterator = tf.data.make_initializable_iterator(data.range(4).map(lambda i: i + offset))
                following = iterator.get_next()
                session.run(offset.initializer)
                session.run(iterator.initializer)
                self.assertEqual([session.run(following) for _ in range(4)], [10, 11, 12, 13])

    def test_iterators_of_other_sessions_with_the_same_name(self):
        found = []
        for initializable in False, True:
            for _ in range(2):
                with tf.Graph().as_default(), tf.Session(self.cluster.target) as session:
                    numbers = data.range(3)
                    iterator = tf.data.make_initializable_iterator(numbers) if initializable else tf.data.make_one_shot_iterator(numbers)
                    following = iterator.get_next()
                    if initializable:
                        with self.assertRaises(tf.errors.FailedPreconditionError):
                            session.run(following)
                        session.run(iterator.initializer)
                    found.append(session.run(following))
        self.assertEqual(found, [0, 0, 0, 0])

    def test_text_lines_and_csv(self):
        with tempfile.TemporaryDirectory() as directory:
            files = [pathlib.Path(directory) / f"{i}.csv" for i in range(2)]
            for i, file in enumerate(files):
                file.write_text("a,b\r\n" + "".join(f"{i * 10 + j},{j / 4}\n" for j in range(7)) + "99,0.5")
            self.compare(lambda: data.from_tensor_slices([str(f) for f in files]).flat_map(
                lambda name: tf.data.TextLineDataset(name).skip(1)).batch(4).map(lambda lines: tf.io.decode_csv(lines, [[0], [0.0]])))
            self.compare(lambda: tf.data.TextLineDataset([str(f) for f in files]))

    def test_records_and_parse_example(self):
        features = {"id": tf.FixedLenFeature([], tf.int64), "tags": tf.FixedLenSequenceFeature([], tf.string, allow_missing=True)}
        with tempfile.TemporaryDirectory() as directory:
            names = [f"{directory}/{i}.tfrecord" for i in range(3)]
            for i, name in enumerate(names):
                with tf.io.TFRecordWriter(name) as writer:
                    for j in range(5):
                        example = tf.train.Example()
                        example.features.feature["id"].int64_list.value.append(i * 10 + j)
                        example.features.feature["tags"].bytes_list.value.extend([b"t"] * (j % 3))
                        writer.write(example.SerializeToString())
            self.compare(lambda: tf.data.TFRecordDataset(names).shuffle(6, seed=1).repeat(2).batch(4).map(
                lambda batch: tf.io.parse_example(batch, features)).prefetch(1))
            self.compare(lambda: tf.data.TFRecordDataset(names).map(lambda one: tf.io.parse_single_example(one, features)["id"]))


if __name__ == "__main__":
    unittest.main()
