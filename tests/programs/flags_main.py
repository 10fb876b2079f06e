"""The classic distributed script: flags, app.run, Supervisor.managed_session; asynchronous, synchronous, and on servers that
others run."""

import contextlib
import sys
import time

import harness
import numpy as np

PHASES = ["async", "sync", "existing"]
TRAIN_STEPS = 120
PIXELS, CLASSES, HIDDEN, BATCH = 36, 3, 16, 50

if __name__ == "__main__":  # and not where run.py reads `compare`
    tf = harness.load(harness.module_name(sys.argv))
    flags = tf.app.flags
    flags.DEFINE_string("tf", "headrace", "The module")
    flags.DEFINE_string("directory", None, "Shared by all tasks")
    flags.DEFINE_string("phase", "async", "async, sync or existing")
    flags.DEFINE_integer("task_index", None, "Worker task index, should be >= 0")
    flags.DEFINE_integer("replicas_to_aggregate", None, "Number of replicas to aggregate; all workers if None")
    flags.DEFINE_integer("train_steps", TRAIN_STEPS, "Number of (global) training steps to perform")
    flags.DEFINE_float("learning_rate", 0.02, "Learning rate")
    flags.DEFINE_boolean("allow_soft_placement", True, "As in ConfigProto")
    flags.DEFINE_string("ps_hosts", "", "Comma-separated list of hostname:port pairs")
    flags.DEFINE_string("worker_hosts", "", "Comma-separated list of hostname:port pairs")
    flags.DEFINE_string("job_name", None, "job name: worker or ps")
    FLAGS = flags.FLAGS


def data():
    rng = np.random.RandomState(11)
    prototypes = rng.rand(CLASSES, PIXELS)
    labels = rng.randint(0, CLASSES, 900)
    images = np.clip(prototypes[labels] + rng.randn(900, PIXELS) * 0.3, 0, 1)
    return images.astype(np.float32), np.eye(CLASSES, dtype=np.float32)[labels]


def build(num_workers):
    """The model; a synchronous one's optimizer too. Names are those that the result looks up."""
    global_step = tf.Variable(0, name="global_step", trainable=False)
    hid_w = tf.Variable(tf.truncated_normal([PIXELS, HIDDEN], stddev=1.0 / 6, seed=1), name="hid_w")
    hid_b = tf.Variable(tf.zeros([HIDDEN]), name="hid_b")
    sm_w = tf.Variable(tf.truncated_normal([HIDDEN, CLASSES], stddev=0.25, seed=2), name="sm_w")
    sm_b = tf.Variable(tf.zeros([CLASSES]), name="sm_b")
    x = tf.placeholder(tf.float32, [None, PIXELS], name="x")
    y_ = tf.placeholder(tf.float32, [None, CLASSES], name="y_")
    hid = tf.nn.relu(tf.nn.xw_plus_b(x, hid_w, hid_b))
    y = tf.nn.softmax(tf.nn.xw_plus_b(hid, sm_w, sm_b))
    cross_entropy = -tf.reduce_sum(y_ * tf.log(tf.clip_by_value(y, 1e-10, 1.0)), name="cross_entropy")
    tf.reduce_mean(tf.cast(tf.equal(tf.argmax(y, 1), tf.argmax(y_, axis=1)), tf.float32), name="accuracy")
    opt = tf.train.AdamOptimizer(FLAGS.learning_rate)
    if FLAGS.phase == "sync":
        opt = tf.train.SyncReplicasOptimizer(opt, replicas_to_aggregate=FLAGS.replicas_to_aggregate or num_workers,
                                             total_num_replicas=num_workers, name="mnist_sync_replicas")
    return opt, opt.minimize(cross_entropy, global_step=global_step), global_step, (x, y_, cross_entropy)


def supervisor_of(opt, global_step, is_chief):
    options = dict(is_chief=is_chief, logdir=FLAGS.directory + "/" + FLAGS.phase, recovery_wait_secs=1,
                   global_step=global_step, init_op=tf.global_variables_initializer())
    if FLAGS.phase == "sync":
        options.update(local_init_op=opt.chief_init_op if is_chief else opt.local_step_init_op,
                       ready_for_local_init_op=opt.ready_for_local_init_op, stop_grace_secs=3)
    return tf.train.Supervisor(**options)


def session_of(supervisor, target, config):
    """A context with the session. That of synchronous training is left to the end of the process, as the classic script does:
    TensorFlow cannot end its queue runner."""
    if FLAGS.phase == "sync":
        return contextlib.nullcontext(supervisor.prepare_or_wait_for_session(target, config=config))
    return supervisor.managed_session(target, config=config)


def main(unused_argv):
    if FLAGS.job_name is None or FLAGS.job_name == "":
        raise ValueError("Must specify an explicit `job_name`")
    ps_spec, worker_spec = FLAGS.ps_hosts.split(","), FLAGS.worker_hosts.split(",")
    num_workers, index = len(worker_spec), FLAGS.task_index
    cluster = tf.train.ClusterSpec({"ps": ps_spec, "worker": worker_spec})
    task = harness.Task(FLAGS)
    server = tf.train.Server(cluster, job_name=FLAGS.job_name, task_index=index)
    if FLAGS.job_name == "ps":
        server.join()
    # In the phase "existing" the session's master is the server that the other worker's process runs.
    target = server.target if FLAGS.phase != "existing" else "grpc://" + worker_spec[1 - index]
    if FLAGS.phase == "existing":
        task.wait_for_all("serving")
    is_chief = index == 0
    with tf.device(tf.train.replica_device_setter(worker_device="/job:worker/task:%d" % index, ps_device="/job:ps/cpu:0",
                                                  cluster=cluster)):
        opt, train_step, global_step, (x, y_, cross_entropy) = build(num_workers)
        if FLAGS.phase == "sync":
            init_tokens_op, chief_queue_runner = opt.get_init_tokens_op(), opt.get_chief_queue_runner()
        sv = supervisor_of(opt, global_step, is_chief)
        sess_config = tf.ConfigProto(allow_soft_placement=FLAGS.allow_soft_placement, log_device_placement=False,
                                     device_filters=["/job:ps", "/job:worker"])
    tf.logging.info("Worker %d: session is being initialized...", index)
    images, labels = data()
    with session_of(sv, target, sess_config) as sess:
        if FLAGS.phase == "sync" and is_chief:
            sess.run(init_tokens_op)
            sv.start_queue_runners(sess, [chief_queue_runner])
        rng, local_step, step = np.random.RandomState(index), 0, 0
        while not sv.should_stop() and step < FLAGS.train_steps:
            rows = rng.randint(0, len(images), BATCH)
            _, (step, named), again = sess.run([train_step, (global_step, {"loss": cross_entropy}), "global_step:0"],
                                               feed_dict={x: images[rows], y_: labels[rows]})
            local_step += 1
            if local_step % 20 == 0:
                tf.logging.info("%f: Worker %d: training step %d done (global step: %d)", time.time(), index, local_step, step)
        assert named["loss"] > 0 and again >= 0
        accuracy = sess.run("accuracy:0", {"x:0": images, y_: labels})
        harness.report({"local": local_step, "global": int(step), "accuracy": float(accuracy), "chief": is_chief})
        task.wait_for_all("done")  # in the phase "existing" each process serves the other


def compare(ours, theirs):
    for results in (ours, theirs):
        assert all(r["accuracy"] > 0.95 for r in results), results
        assert sum(r["local"] for r in results) >= TRAIN_STEPS <= results[0]["global"], results


if __name__ == "__main__":
    tf.logging.set_verbosity(tf.logging.INFO)
    tf.app.run()
