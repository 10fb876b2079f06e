"""Wide and deep: examples from TFRecord files, hashed and embedded features on two parameter servers, sparse Adagrad and Ftrl, AUC."""

import glob

import harness
import numpy as np

CLUSTER = {"ps": 2, "worker": 1}
STEPS = 20
BUCKETS = 50


def example_of(tf, rng):
    def feature(**kind):
        return tf.train.Feature(**kind)

    age, hours = rng.rand(), rng.rand(2)
    job = rng.choice(["cook", "clerk", "pilot", "nurse", "smith", "clown"])
    tags = [b"tag%d" % t for t in rng.randint(0, 30, rng.randint(0, 4))]
    label = int(age + (job in ("pilot", "nurse")) + 0.5 * len(tags) > 1.5)
    return tf.train.Example(features=tf.train.Features(feature={
        "age": feature(float_list=tf.train.FloatList(value=[age])),
        "hours": feature(float_list=tf.train.FloatList(value=hours)),
        "job": feature(bytes_list=tf.train.BytesList(value=[job.encode()])),
        "tags": feature(bytes_list=tf.train.BytesList(value=tags)),
        "label": feature(int64_list=tf.train.Int64List(value=[label]))}))


def write_files(tf, directory):
    rng = np.random.RandomState(3)
    for shard in range(2):
        with tf.python_io.TFRecordWriter(f"{directory}/train-{shard}.tfrecord") as writer:
            for _ in range(200):
                writer.write(example_of(tf, rng).SerializeToString())


def batches(tf, directory):
    dataset = tf.data.TFRecordDataset(sorted(glob.glob(f"{directory}/train-*.tfrecord"))).repeat().batch(32)
    serialized = dataset.make_one_shot_iterator().get_next()
    return tf.parse_example(serialized, {
        "age": tf.FixedLenFeature([], tf.float32), "hours": tf.FixedLenFeature([2], tf.float32),
        "job": tf.FixedLenFeature([1], tf.string, default_value=""), "tags": tf.VarLenFeature(tf.string),
        "label": tf.FixedLenFeature([], tf.int64)})


def initial(shape, seed):
    return np.random.RandomState(seed).randn(*shape).astype(np.float32) * 0.1


def model(tf, features):
    jobs = tf.string_to_hash_bucket_fast(features["job"], BUCKETS)
    tags = features["tags"]
    tag_ids = tf.SparseTensor(tags.indices, tf.string_to_hash_bucket_fast(tags.values, BUCKETS), tags.dense_shape)
    filled, empty = tf.sparse_fill_empty_rows(tag_ids, 0)
    with tf.variable_scope("deep"):
        tables = [tf.get_variable("job_%d" % part, initializer=initial([BUCKETS // 2, 8], part)) for part in range(2)]
        embedded = tf.nn.embedding_lookup(tables, tf.reshape(jobs, [-1]), partition_strategy="mod")
        tag_table = tf.get_variable("tags", initializer=initial([BUCKETS, 4], 2))
        tag_mean = tf.nn.embedding_lookup_sparse(tag_table, filled, None, combiner="mean")
        joined = tf.concat([embedded, tag_mean, tf.expand_dims(features["age"], 1), features["hours"]], 1)
        hidden_w = tf.get_variable("hidden_w", initializer=initial([15, 16], 3))
        hidden_b = tf.get_variable("hidden_b", [16], initializer=tf.zeros_initializer())
        hidden = tf.nn.relu(tf.nn.xw_plus_b(joined, hidden_w, hidden_b))
        out_w = tf.get_variable("out_w", initializer=initial([16, 1], 4))
        deep = tf.matmul(hidden, out_w)
    with tf.variable_scope("wide"):
        weights = tf.get_variable("jobs", [BUCKETS, 1], initializer=tf.zeros_initializer())
        tag_weights = tf.get_variable("tags", [BUCKETS, 1], initializer=tf.zeros_initializer())
        bias = tf.get_variable("bias", [1], initializer=tf.zeros_initializer())
        present = 1.0 - tf.cast(tf.expand_dims(empty, 1), tf.float32)
        wide = tf.nn.embedding_lookup(weights, tf.squeeze(jobs, [1])) + bias
        wide += present * tf.nn.embedding_lookup_sparse(tag_weights, filled, None, combiner="sum")
    return tf.squeeze(deep + wide, [1])


def main(tf, task):
    server = task.server(tf)
    write_files(tf, task.directory)
    with task.device(tf):
        with tf.device("/job:worker/task:%d" % task.index):
            features = batches(tf, task.directory)
        global_step = tf.train.get_or_create_global_step()
        logits = model(tf, features)
        labels = tf.cast(features["label"], tf.float32)
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))
        deep = tf.trainable_variables("deep")
        wide = tf.trainable_variables("wide")
        assert len(deep) == 6 and len(wide) == 3, (deep, wide)
        deep_step = tf.train.AdagradOptimizer(0.1, initial_accumulator_value=0.1).minimize(loss, var_list=deep)
        wide_step = tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.001, l2_regularization_strength=0.01).minimize(
            loss, var_list=wide)
        with tf.control_dependencies([deep_step, wide_step]):
            train = tf.assign_add(global_step, 1).op
        auc, update_auc = tf.metrics.auc(features["label"], tf.sigmoid(logits), num_thresholds=50)
    hooks = [tf.train.StopAtStepHook(last_step=STEPS)]
    losses, values = [], {}
    with tf.train.MonitoredTrainingSession(server.target, is_chief=task.is_chief, hooks=hooks,
                                           checkpoint_dir=task.directory + "/model", save_checkpoint_secs=None,
                                           save_checkpoint_steps=10, save_summaries_steps=None,
                                           log_step_count_steps=None) as session:
        while not session.should_stop():
            _, value, area, everything = session.run([train, loss, update_auc, {v.op.name: v for v in deep + wide}])
            losses.append(float(value))
            values["auc"] = float(area)
    checkpoint = tf.train.latest_checkpoint(task.directory + "/model")
    reader = tf.train.NewCheckpointReader(checkpoint)
    values["step"] = int(reader.get_tensor("global_step"))
    values["losses"] = losses
    for name in sorted(reader.get_variable_to_shape_map()):
        values[name] = np.asarray(reader.get_tensor(name)).ravel().astype(float).tolist()
    return values


def compare(ours, theirs):
    ours, theirs = ours[0], theirs[0]
    assert sorted(ours) == sorted(theirs), sorted(set(ours) ^ set(theirs))
    assert ours["step"] == STEPS
    for name, value in ours.items():
        np.testing.assert_allclose(value, theirs[name], rtol=1e-4, atol=1e-5, err_msg=name)


if __name__ == "__main__":
    harness.start(main)
