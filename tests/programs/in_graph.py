"""In-graph replication: one client places a tower on each worker, averages their gradients, and queues carry data between tasks."""

import harness
import numpy as np

STEPS, BATCH, WORKERS = 20, 12, 2


def data():
    rng = np.random.RandomState(2)
    x = rng.randn(240, 6).astype(np.float32)
    return x, (x @ rng.randn(6, 1) + 0.3).astype(np.float32)


def towers(tf, queue, weights, bias):
    """(the towers' losses, their gradients by variable)."""
    losses, gradients = [], []
    for index in range(WORKERS):
        with tf.device("/job:worker/task:%d" % index), tf.name_scope("tower_%d" % index) as scope:
            x, y = queue.dequeue_many(BATCH // WORKERS, name="rows")
            loss = tf.reduce_mean(tf.square(tf.matmul(x, weights) + bias - y), name="loss")
            assert loss.op.name == scope + "loss", loss.op.name
            losses.append(loss)
            gradients.append(tf.gradients(loss, [weights, bias]))
    return losses, list(zip(*gradients))


def build(tf):
    with tf.device("/job:ps/task:0"):
        weights = tf.Variable(np.zeros([6, 1], np.float32), name="weights")
        bias = tf.get_variable("bias", [1], initializer=tf.zeros_initializer())
        queue = tf.FIFOQueue(1000, [tf.float32, tf.float32], shapes=[[6], [1]], shared_name="rows", name="rows")
    losses, gradients = towers(tf, queue, weights, bias)
    with tf.device("/job:ps/task:0/cpu:0"):
        averaged = [tf.reduce_mean(tf.stack(list(parts)), 0) for parts in gradients]
        train = tf.train.GradientDescentOptimizer(0.1).apply_gradients(zip(averaged, [weights, bias]))
        total = tf.add_n(losses) / WORKERS
    return queue, weights, bias, train, total


def lead(tf, task, server):
    """The client: feeds the queue and trains; the other worker's server only serves."""
    features, labels = data()
    queue, weights, bias, train, total = build(tf)
    x, y = tf.placeholder(tf.float32, [None, 6]), tf.placeholder(tf.float32, [None, 1])
    fill, close = queue.enqueue_many([x, y]), queue.close()
    with tf.device("/job:ps/task:0"):
        done = tf.FIFOQueue(10, tf.string, shapes=[[]], shared_name="done", name="done")
    tell = done.enqueue("done")
    placed = {}
    with tf.Session(server.target, config=tf.ConfigProto(allow_soft_placement=False)) as session:
        session.run(tf.global_variables_initializer())
        session.run(fill, {x: features, y: labels})
        session.run(close)
        task.wait_for("connected", index=1)
        losses = []
        while True:
            try:
                losses.append(float(session.run([train, total])[1]))
            except tf.errors.OutOfRangeError:
                break
        for name in ("tower_0/loss", "tower_1/loss", "weights"):
            placed[name] = session.graph.get_operation_by_name(name).device
        values = session.run([weights, bias])
        left = int(session.run(queue.size()))
        session.run(tell)
    return {"losses": losses, "weights": values[0].ravel().tolist(), "bias": values[1].tolist(), "left": left, "placed": placed}


def main(tf, task):
    server = task.server(tf)
    if task.is_chief:
        return lead(tf, task, server)
    with tf.device("/job:ps/task:0"):
        done = tf.FIFOQueue(10, tf.string, shapes=[[]], shared_name="done", name="done")
    with tf.Session(server.target) as session:
        session.run(done.size())  # connects to the ps: TensorFlow passes a connection that was refused before on to the leader's step
        task.mark("connected")
        return {"heard": session.run(done.dequeue()).decode()}


def compare(ours, theirs):
    assert ours[1] == theirs[1] == {"heard": "done"}
    ours, theirs = ours[0], theirs[0]
    assert ours["left"] == theirs["left"] and ours["placed"] == theirs["placed"], (ours, theirs)
    assert len(ours["losses"]) == len(theirs["losses"]) == STEPS
    # The towers take rows from one queue in either order; the averages, and so the losses, are the same for all that.
    np.testing.assert_allclose(ours["losses"], theirs["losses"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours["weights"], theirs["weights"], rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    harness.start(main)
