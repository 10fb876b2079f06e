"""Conds, loops and functions as TensorFlow's control flow v2 builds them, with gradients: the same numbers from a Headrace server."""
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers

tf.disable_eager_execution()
tf.enable_control_flow_v2()
RANDOM = np.random.default_rng(11)
X = RANDOM.standard_normal((4, 3)).astype(np.float32)
W = RANDOM.uniform(-0.5, 0.5, (3, 3)).astype(np.float32)
STEPS = RANDOM.standard_normal((5, 4, 3)).astype(np.float32)


def with_gradients(y, xs):
    return [y] + [g for g in tf.gradients(y, xs) if g is not None]


def conds():
    x, w = tf.constant(X), tf.constant(W)
    fetches = []
    for flag in (True, False):
        pred = tf.placeholder_with_default(flag, [])
        y = tf.cond(pred, lambda: tf.tanh(tf.matmul(x, w)), lambda: tf.square(x) * 3.0)
        fetches += with_gradients(tf.reduce_sum(y * y), [x])
    return fetches


def nested_conds():
    x = tf.constant(X)
    fetches = []
    for limit in (-100.0, 0.0, 100.0):
        y = tf.cond(tf.reduce_sum(x) > limit,
                    lambda: tf.cond(tf.reduce_max(x) > limit, lambda: tf.exp(x), lambda: tf.sin(x)), lambda: x * x * x)
        fetches += with_gradients(tf.reduce_sum(y), [x])
    return fetches


def switch_case():
    x = tf.constant(X)
    fetches = []
    for index in (0, 1, 7):
        y = tf.switch_case(tf.constant(index), [lambda: tf.tanh(x), lambda: x * x, lambda: tf.exp(-x)])
        fetches += with_gradients(tf.reduce_sum(y * y), [x])
    return fetches


def loop():
    x, w = tf.constant(X), tf.constant(W)
    _, y = tf.while_loop(lambda i, _: i < 6, lambda i, y: (i + 1, tf.tanh(tf.matmul(y, w)) + x), [0, x])
    return with_gradients(tf.reduce_sum(y * y), [x, w])


def loop_of_unknown_length():
    x = tf.constant(X)
    y, count = tf.while_loop(lambda y, _: tf.reduce_sum(y) < 1000.0, lambda y, n: (y * 1.7 + tf.abs(x), n + 1), [tf.abs(x), 0])
    return with_gradients(tf.reduce_sum(y), [x]) + [count]


def loop_that_never_runs():
    x = tf.constant(X)
    y = tf.while_loop(lambda y: tf.constant(False), lambda y: [y * 2.0], [x])
    return with_gradients(tf.reduce_sum(y * y), [x])


def nested_loops():
    x, w = tf.constant(X), tf.constant(W)

    def inner(i, y):
        return tf.while_loop(lambda j, _: j < i, lambda j, y: (j + 1, tf.sin(tf.matmul(y, w))), [0, y])[1]
    _, y = tf.while_loop(lambda i, _: i < 4, lambda i, y: (i + 1, inner(i, y) + x), [0, x])
    return with_gradients(tf.reduce_sum(y * y), [x, w])


def cond_in_loop():
    x = tf.constant(X)

    def body(i, y):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: tf.tanh(y) + x, lambda: y * x)
    _, y = tf.while_loop(lambda i, _: i < 5, body, [0, x])
    return with_gradients(tf.reduce_sum(y), [x])


def second_derivative():
    x = tf.constant(X)
    _, y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * tf.sin(x)), [0, x])
    first = tf.gradients(tf.reduce_sum(y * y), [x])[0]
    return [first] + tf.gradients(tf.reduce_sum(first * first), [x])


def scan():
    w, steps = tf.constant(W), tf.constant(STEPS)
    ys = tf.scan(lambda state, step: tf.tanh(tf.matmul(state, w) + step), steps, initializer=tf.zeros([4, 3]))
    return with_gradients(tf.reduce_sum(ys * ys), [w, steps])


def map_fn():
    steps = tf.constant(STEPS)
    ys = tf.map_fn(lambda step: tf.reduce_sum(tf.exp(step), 0), steps)
    return with_gradients(tf.reduce_sum(ys * ys), [steps])


def foldl():
    steps = tf.constant(STEPS)
    y = tf.foldl(lambda a, b: a * 0.5 + tf.sin(b), steps)
    return with_gradients(tf.reduce_sum(y * y), [steps])


def tensor_array():
    x = tf.constant(X)
    array = tf.TensorArray(tf.float32, size=3, clear_after_read=False).unstack(tf.stack([x, x * 2.0, tf.exp(x)]))
    y = array.read(1) * array.read(2) + array.gather([0, 2])[1]
    pieces = tf.TensorArray(tf.float32, size=2, infer_shape=False).split(x, [1, 3])
    return with_gradients(tf.reduce_sum(y) + tf.reduce_sum(tf.square(pieces.concat())), [x])


def array_that_grows():
    x = tf.constant(X)
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    _, array = tf.while_loop(lambda i, _: i < 4, lambda i, a: (i + 1, a.write(i, tf.cast(i, tf.float32) * x)), [0, array])
    return with_gradients(tf.reduce_sum(tf.square(array.stack())), [x]) + [array.size()]


def functions():
    x, w = tf.constant(X), tf.constant(W)

    @tf.function
    def layer(a, b):
        return tf.tanh(tf.matmul(a, b))
    return with_gradients(tf.reduce_sum(layer(layer(x, w), w)), [x, w])


def functions_with_loops():
    x, w = tf.constant(X), tf.constant(W)

    @tf.function
    def deep(a):
        for _ in tf.range(3):
            a = tf.tanh(tf.matmul(a, w)) if tf.reduce_sum(a) > 0.0 else a * 0.5
        return a
    return with_gradients(tf.reduce_sum(deep(x)), [x, w])


def recurrent_network():
    weights = tf.get_variable("weights", initializer=tf.constant(np.vstack([W, W])), use_resource=True)
    _, state = tf.while_loop(
        lambda i, _: i < 5, lambda i, s: (i + 1, tf.tanh(tf.matmul(tf.concat([s, tf.gather(STEPS, i)], 1), weights))),
        [0, tf.zeros([4, 3])])
    loss = tf.reduce_mean(tf.square(state - X))
    train = tf.train.GradientDescentOptimizer(0.2).minimize(loss)
    with tf.control_dependencies([train]):
        return [loss, tf.identity(weights.read_value())]


def assign_in_cond():
    v = tf.get_variable("v", initializer=tf.constant(3.0), use_resource=True)
    done = tf.cond(tf.placeholder_with_default(True, []), lambda: tf.identity(v.assign_add(4.0)),
                   lambda: tf.identity(v.assign_sub(1.0)))
    with tf.control_dependencies([done]):
        return [done, v.read_value()]


def list_ops():
    from tensorflow.python.ops import list_ops as ops
    x = tf.constant(X)
    parts = ops.tensor_list_from_tensor(tf.stack([x, x * 3.0]), element_shape=[4, 3])
    parts = ops.tensor_list_push_back(parts, tf.exp(x))
    parts, last = ops.tensor_list_pop_back(parts, tf.float32)
    parts = ops.tensor_list_set_item(parts, 0, tf.square(x))
    gathered = ops.tensor_list_gather(parts, [1, 0, 1], tf.float32)
    spread = ops.tensor_list_scatter(tf.stack([x, last]), [2, 0], element_shape=[4, 3])
    pieces = ops.tensor_list_split(x, element_shape=[-1, 3], lengths=[3, 1])
    joined = ops.tensor_list_concat(pieces, tf.float32)
    y = (tf.reduce_sum(tf.square(gathered)) + tf.reduce_sum(tf.square(ops.tensor_list_stack(spread, tf.float32))) +
         tf.reduce_sum(tf.square(joined)) + tf.reduce_sum(ops.tensor_list_get_item(parts, 1, tf.float32)))
    return with_gradients(y, [x]) + [ops.tensor_list_length(parts), ops.tensor_list_element_shape(parts, tf.int32)]


MODELS = (conds, nested_conds, switch_case, loop, loop_of_unknown_length, loop_that_never_runs, nested_loops, cond_in_loop,
          second_derivative, scan, map_fn, foldl, tensor_array, array_that_grows, functions, functions_with_loops, recurrent_network,
          assign_in_cond, list_ops)


def results(target, model):
    with tf.Graph().as_default(), tf.Session(target) as session:
        fetches = model()
        session.run(tf.global_variables_initializer())
        return [session.run(fetches) for _ in range(2)]


class ControlFlow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=0).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def test_an_endless_loop_ends_with_its_deadline(self):
        with tf.Graph().as_default(), tf.Session(self.cluster.target) as session:
            endless = tf.while_loop(lambda i: i < 1, lambda i: [i * 1], [tf.constant(0)])
            with self.assertRaises((tf.errors.DeadlineExceededError, tf.errors.CancelledError)):
                session.run(endless, options=tf.RunOptions(timeout_in_ms=500))

    def test_an_error_names_the_node_in_the_function(self):
        with tf.Graph().as_default(), tf.Session(self.cluster.target) as session:
            x = tf.placeholder(tf.float32, [None])
            y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.add(y, [1.0, 2.0], name="wrong")), [0, x],
                              shape_invariants=[tf.TensorShape([]), tf.TensorShape(None)])
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "wrong"):
                session.run(y, {x: [1.0, 2.0, 3.0]})


def compare(model):
    def check(self):
        tf.enable_control_flow_v2()  # which other checks of the same run turn off
        for expected, actual in zip(results("", model), results(self.cluster.target, model)):
            self.assertEqual(len(actual), len(expected))
            for i, (theirs, ours) in enumerate(zip(expected, actual)):
                np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6, err_msg=f"fetch {i}")
    return check


for made in MODELS:
    setattr(ControlFlow, "test_" + made.__name__, compare(made))
