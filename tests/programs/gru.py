"""A GRU written with while_loop and TensorArray, trained through the loop; the recurrence's weights lie on the parameter server."""

import harness
import numpy as np

CLUSTER = {"ps": 1, "worker": 1}
STEPS, TIME, BATCH, INPUTS, UNITS = 15, 9, 8, 5, 12


def batch_of(step):
    rng = np.random.RandomState(step)
    x = rng.randn(BATCH, TIME, INPUTS).astype(np.float32)
    lengths = rng.randint(3, TIME + 1, BATCH).astype(np.int32)
    target = np.stack([row[:n, 0].sum() > 0 for row, n in zip(x, lengths)]).astype(np.int32)
    return x, lengths, target


def initial(shape, seed):
    return np.random.RandomState(seed).randn(*shape).astype(np.float32) * 0.3


class GRU:
    """h' = u * h + (1 - u) * tanh([x, r * h] W)."""

    def __init__(self, tf):
        self.tf = tf
        self.gates_w = tf.get_variable("gates_w", initializer=initial([INPUTS + UNITS, 2 * UNITS], 1))
        self.gates_b = tf.get_variable("gates_b", [2 * UNITS], initializer=tf.ones_initializer())
        self.new_w = tf.get_variable("new_w", initializer=initial([INPUTS + UNITS, UNITS], 2))
        self.new_b = tf.get_variable("new_b", [UNITS], initializer=tf.zeros_initializer())

    def step(self, x, state):
        tf = self.tf
        gates = tf.sigmoid(tf.nn.bias_add(tf.matmul(tf.concat([x, state], 1), self.gates_w), self.gates_b))
        reset, update = tf.split(gates, num_or_size_splits=2, axis=1)
        new = tf.tanh(tf.matmul(tf.concat([x, reset * state], 1), self.new_w) + self.new_b)
        return update * state + (1 - update) * new


def unrolled(tf, x, lengths):
    """All states [time, batch, units], and the state after each row's last input."""
    cell = GRU(tf)
    inputs = tf.TensorArray(tf.float32, size=TIME, name="inputs").unstack(tf.transpose(x, [1, 0, 2]))
    outputs = tf.TensorArray(tf.float32, size=TIME, name="outputs")
    zeros = tf.zeros([tf.shape(x)[0], UNITS])

    def body(time, state, outputs):
        made = cell.step(inputs.read(time), state)
        made.set_shape([None, UNITS])
        alive = tf.tile(tf.expand_dims(time < lengths, 1), [1, UNITS])
        state = tf.where(alive, made, state)
        return time + 1, state, outputs.write(time, made)

    _, last, outputs = tf.while_loop(lambda time, *_: tf.less(time, tf.reduce_max(lengths)), body,
                                     (tf.constant(0), zeros, outputs), parallel_iterations=4,
                                     shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, UNITS]), tf.TensorShape(None)))
    return outputs, last


def main(tf, task):
    server = task.server(tf)
    with task.device(tf):
        global_step = tf.train.get_or_create_global_step()
        x = tf.placeholder(tf.float32, [None, TIME, INPUTS])
        lengths = tf.placeholder(tf.int32, [None])
        target = tf.placeholder(tf.int32, [None])
        with tf.variable_scope("gru"):
            outputs, last = unrolled(tf, x, lengths)
        projection = tf.get_variable("projection", initializer=initial([UNITS, 2], 3))
        logits = tf.matmul(last, projection)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits))
        loss += 0.01 * tf.reduce_mean(tf.square(outputs.read(0)))
        variables = tf.trainable_variables()
        gradients = tf.gradients(loss, variables)
        clipped, norm = tf.clip_by_global_norm(gradients, 5.0)
        train = tf.train.AdamOptimizer(0.02).apply_gradients(zip(clipped, variables), global_step=global_step)
        # The other forms of loops: a running sum by scan, a Fibonacci number by while_loop, squares by map_fn.
        running = tf.scan(lambda total, row: total + row, tf.transpose(x[:, :, 0]), initializer=tf.zeros([BATCH]))
        fibonacci = tf.while_loop(lambda i, a, b: i < 10, lambda i, a, b: (i + 1, b, a + b), [0, 0, 1])[1]
        squares = tf.map_fn(lambda v: v * v, tf.range(5))
        power = tf.constant(1.5)
        seventh = tf.while_loop(lambda i, p: i < 7, lambda i, p: [i + 1, p * power], [tf.constant(0), tf.constant(1.0)])[1]
        slope = tf.gradients(seventh, power)[0]
    result = {"losses": [], "norms": []}
    with tf.train.MonitoredTrainingSession(server.target, is_chief=True) as session:
        for step in range(STEPS):
            rows, sizes, truth = batch_of(step)
            feed = {x: rows, lengths: sizes, target: truth}
            _, value, length = session.run([train, loss, norm], feed)
            result["losses"].append(float(value))
            result["norms"].append(float(length))
        sums, number, some, up = session.run([running, fibonacci, squares, slope], feed)
        result.update(running=sums.ravel().tolist(), fibonacci=int(number), squares=some.tolist(), slope=float(up))
        result["variables"] = {v.op.name: np.asarray(value).ravel().tolist() for v, value in zip(variables, session.run(variables))}
    return result


def compare(ours, theirs):
    ours, theirs = ours[0], theirs[0]
    assert ours["fibonacci"] == 55 and ours["squares"] == [0, 1, 4, 9, 16]
    for name in ("losses", "norms", "running", "slope"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-5, err_msg=name)
    for name, value in theirs["variables"].items():
        np.testing.assert_allclose(ours["variables"][name], value, rtol=1e-3, atol=1e-4, err_msg=name)


if __name__ == "__main__":
    harness.start(main)
