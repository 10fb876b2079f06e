"""Wide and deep by feature columns: sparse features parsed in the input pipeline, a vocabulary table, embeddings in two
parts, two asynchronous workers, Adagrad and Ftrl, AUC."""

import glob

import harness
import numpy as np

STEPS = 400
JOBS = ["cook", "clerk", "pilot", "nurse", "smith", "clown"]


def prepare(directory):
    import headrace as tf
    rng = np.random.RandomState(3)

    def feature(**kind):
        return tf.train.Feature(**kind)

    for shard in range(4):
        with tf.python_io.TFRecordWriter(f"{directory}/train-{shard}.tfrecord") as writer:
            for _ in range(400):
                age, job = rng.rand(), rng.choice(JOBS)
                tags = rng.randint(0, 30, rng.randint(0, 4))
                score = age + (job in ("pilot", "nurse")) + 0.7 * np.sum(tags % 3 == 0) + 0.1 * rng.randn()
                writer.write(tf.train.Example(features=tf.train.Features(feature={
                    "age": feature(float_list=tf.train.FloatList(value=[age])),
                    "job": feature(bytes_list=tf.train.BytesList(value=[job.encode()])),
                    "tags": feature(bytes_list=tf.train.BytesList(value=[b"tag%d" % t for t in tags])),
                    "label": feature(float_list=tf.train.FloatList(value=[float(score > 1.2)]))})).SerializeToString())


def columns(tf):
    """(wide ones, deep ones)"""
    fc = tf.feature_column
    age = fc.numeric_column("age")
    ages = fc.bucketized_column(age, [0.2, 0.4, 0.6, 0.8])
    job = fc.categorical_column_with_vocabulary_list("job", JOBS[:5], num_oov_buckets=1)
    tags = fc.categorical_column_with_hash_bucket("tags", 100)
    wide = [ages, job, tags, fc.crossed_column(["job", ages], 50)]
    return wide, [age, fc.embedding_column(tags, 8, combiner="sum"), fc.indicator_column(job)]


def batches(tf, task, spec):
    files = sorted(glob.glob(task.directory + "/train-*.tfrecord"))
    dataset = tf.data.TFRecordDataset(files).shard(len(task.worker_hosts), task.index)
    dataset = dataset.shuffle(500, seed=1 + task.index).repeat().batch(50)
    dataset = dataset.map(lambda records: tf.parse_example(records, spec), num_parallel_calls=2).prefetch(2)
    return tf.data.make_one_shot_iterator(dataset).get_next()


def main(tf, task):
    server = task.server(tf)
    wide_columns, deep_columns = columns(tf)
    spec = dict(tf.feature_column.make_parse_example_spec(wide_columns + deep_columns),
                label=tf.FixedLenFeature([1], tf.float32))
    with task.device(tf):
        global_step = tf.train.get_or_create_global_step()
        with tf.device("/job:worker/task:%d" % task.index):
            features = batches(tf, task, spec)
        labels = features.pop("label")
        with tf.variable_scope("deep", partitioner=tf.fixed_size_partitioner(2)):
            net = tf.feature_column.input_layer(features, deep_columns)
        with tf.variable_scope("deep_net"):
            hidden_w = tf.get_variable("hidden_w", [15, 16])
            out_w = tf.get_variable("out_w", [16, 1])
            deep = tf.matmul(tf.nn.relu(tf.matmul(net, hidden_w)), out_w)
        with tf.variable_scope("wide"):
            wide = tf.feature_column.linear_model(features, wide_columns)
        logits = deep + wide
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))
        deep_step = tf.train.AdagradOptimizer(0.1).minimize(loss, var_list=tf.trainable_variables("deep"))
        wide_step = tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.001).minimize(
            loss, var_list=tf.trainable_variables("wide"), global_step=global_step)
        train = tf.group(deep_step, wide_step)
        with tf.device("/job:worker/task:%d" % task.index):
            auc, update_auc = tf.metrics.auc(labels, tf.sigmoid(logits), num_thresholds=100)
    if not task.is_chief:
        task.wait_for("initialized")  # TensorFlow's worker would look again after 30 s only
    losses, area, step = [], 0.0, 0
    with tf.train.MonitoredTrainingSession(server.target, is_chief=task.is_chief, hooks=[tf.train.StopAtStepHook(STEPS)],
                                           checkpoint_dir=task.directory + "/model", save_checkpoint_secs=None,
                                           save_checkpoint_steps=100, save_summaries_steps=None, log_step_count_steps=None,
                                           stop_grace_period_secs=2) as session:
        task.mark("initialized")
        task.wait_for_all("ready")  # so that both train from the beginning
        while not session.should_stop():
            value, area, step, _ = session.run([loss, update_auc, global_step, train])
            losses.append(float(value))
    task.wait_for_all("done")
    reader = tf.train.NewCheckpointReader(tf.train.latest_checkpoint(task.directory + "/model")) if task.is_chief else None
    names = {} if reader is None else reader.get_variable_to_shape_map()
    return {"steps": len(losses), "first_loss": losses[0], "last_loss": float(np.mean(losses[-20:])), "auc": float(area),
            "variables": sorted(v.op.name for v in tf.trainable_variables()),
            "saved": {name: list(shape) for name, shape in sorted(names.items())}}


def compare(ours, theirs):
    for a, b in zip(ours, theirs):
        assert a["variables"] == b["variables"], (a["variables"], b["variables"])
        assert a["saved"] == b["saved"], (a["saved"], b["saved"])
    for results in (ours, theirs):
        assert sum(r["steps"] for r in results) >= STEPS
        assert all(r["auc"] > 0.85 for r in results), results
        assert np.mean([r["last_loss"] for r in results]) < 0.4, results
    assert abs(np.mean([r["auc"] for r in ours]) - np.mean([r["auc"] for r in theirs])) < 0.03, (ours, theirs)


if __name__ == "__main__":
    harness.start(main)
