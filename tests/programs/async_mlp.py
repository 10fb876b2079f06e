"""Asynchronous training of a small network: Supervisor, flags' usual loop, variables on the parameter server."""

import harness
import numpy as np

STEPS = 300


def data():
    rng = np.random.RandomState(7)
    x = rng.randn(2000, 16).astype(np.float32)
    return x, (np.abs(x[:, 0]) + x[:, 1] * x[:, 2] > 0.6).astype(np.int64)


def main(tf, task):
    server = task.server(tf)
    features, labels = data()
    with task.device(tf):
        global_step = tf.Variable(0, name="global_step", trainable=False)
        x = tf.placeholder(tf.float32, [None, 16])
        y = tf.placeholder(tf.int64, [None])
        hidden_w = tf.Variable(tf.truncated_normal([16, 32], stddev=0.25, seed=1), name="hid_w")
        hidden_b = tf.Variable(tf.zeros([32]), name="hid_b")
        soft_w = tf.Variable(tf.truncated_normal([32, 2], stddev=0.18, seed=2), name="sm_w")
        soft_b = tf.Variable(tf.zeros([2]), name="sm_b")
        hidden = tf.nn.relu(tf.nn.xw_plus_b(x, hidden_w, hidden_b))
        logits = tf.nn.xw_plus_b(hidden, soft_w, soft_b)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y), "float"))
        train = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=global_step)
        init = tf.global_variables_initializer()
    supervisor = tf.train.Supervisor(is_chief=task.is_chief, logdir=task.directory + "/train", init_op=init,
                                     recovery_wait_secs=1, global_step=global_step)
    config = tf.ConfigProto(allow_soft_placement=True, log_device_placement=False,
                            device_filters=["/job:ps", "/job:worker/task:%d" % task.index])
    session = supervisor.prepare_or_wait_for_session(server.target, config=config)
    rng = np.random.RandomState(task.index)
    local_steps, step = 0, 0
    while step < STEPS:
        rows = rng.randint(0, len(features), 64)
        _, step = session.run([train, global_step], feed_dict={x: features[rows], y: labels[rows]})
        local_steps += 1
    result = {"steps": local_steps, "global_step": int(session.run(global_step)),
              "accuracy": float(session.run(accuracy, {x: features, y: labels}))}
    supervisor.stop()
    return result


def compare(ours, theirs):
    for results in (ours, theirs):
        assert sum(r["steps"] for r in results) >= STEPS
        assert all(r["accuracy"] > 0.9 for r in results), results
    assert abs(np.mean([r["accuracy"] for r in ours]) - np.mean([r["accuracy"] for r in theirs])) < 0.05


if __name__ == "__main__":
    harness.start(main)
