"""Synchronous training under MonitoredTrainingSession: the weights are those of plain gradient descent on all rows."""

import time

import harness
import numpy as np

STEPS = 25
RATE = 0.2


def data():
    rng = np.random.RandomState(3)
    x = rng.randn(60, 4).astype(np.float32)
    group = rng.randint(0, 3, 60)
    y = x @ np.array([1, -2, 0.5, 3], np.float32) + 0.7 + np.array([0.2, -0.3, 0.9], np.float32)[group]
    return x, group.astype(np.int64), y.astype(np.float32)


def descent():
    """What numpy reaches after STEPS steps: weights, bias, offsets of the groups."""
    x, group, y = (a.astype(np.float64) if a.dtype == np.float32 else a for a in data())
    weights, bias, offsets = np.zeros(4), 0.0, np.zeros(3)
    for _ in range(STEPS):
        error = 2 * (x @ weights + bias + offsets[group] - y) / len(y)
        weights, bias, offsets = (weights - RATE * x.T @ error, bias - RATE * error.sum(),
                                  offsets - RATE * np.bincount(group, error, 3))
    return weights, bias, offsets


def main(tf, task):
    server = task.server(tf)
    x_rows, group_rows, y_rows = data()
    with task.device(tf):
        global_step = tf.train.get_or_create_global_step()
        x = tf.placeholder(tf.float32, [None, 4])
        group = tf.placeholder(tf.int64, [None])
        y = tf.placeholder(tf.float32, [None])
        weights = tf.get_variable("weights", [4, 1], initializer=tf.zeros_initializer())
        bias = tf.get_variable("bias", [], initializer=tf.zeros_initializer())
        offsets = tf.get_variable("offsets", [3], initializer=tf.zeros_initializer())
        predicted = tf.squeeze(tf.matmul(x, weights), [1]) + bias + tf.nn.embedding_lookup(offsets, group)
        loss = tf.reduce_mean(tf.square(predicted - y))
        optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(RATE), replicas_to_aggregate=2,
                                                   total_num_replicas=2)
        train = optimizer.minimize(loss, global_step=global_step)
    hooks = [optimizer.make_session_run_hook(task.is_chief), tf.train.StopAtStepHook(last_step=STEPS)]
    with tf.train.MonitoredTrainingSession(master=server.target, is_chief=task.is_chief, hooks=hooks,
                                           stop_grace_period_secs=3) as session:
        while not session.should_stop():
            _, last_loss = session.run([train, loss], {x: x_rows, group: group_rows, y: y_rows})
        stopped = time.monotonic()
    ended_after = time.monotonic() - stopped
    with tf.Session(server.target) as session:  # the state outlives the training session
        values = session.run({"weights": weights, "bias": bias, "offsets": offsets, "step": global_step})
    if not task.wait_for_all("read"):
        raise RuntimeError("the other worker did not get so far")
    return {"weights": values["weights"].ravel().tolist(), "bias": float(values["bias"]),
            "offsets": values["offsets"].tolist(), "step": int(values["step"]), "loss": float(last_loss),
            "ended_after": ended_after}


def compare(ours, theirs):
    weights, bias, offsets = descent()
    for result in ours + theirs:
        assert result["step"] == STEPS, result
        np.testing.assert_allclose(result["weights"], weights, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(result["bias"], bias, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(result["offsets"], offsets, rtol=1e-4, atol=1e-5)
    assert all(result["ended_after"] < 2 for result in ours), ours


if __name__ == "__main__":
    harness.start(main)
