"""Conds, loops and functions of TensorFlow's control flow v2 that use variables on two parameter servers: the numbers of TensorFlow's own
cluster.

Their calls are lowered: a function runs natively in one task only (docs/decisions/0002-lowering-functions.md).
"""
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers

tf.disable_eager_execution()
WORKER = "/job:worker/task:0"
X = np.random.default_rng(5).uniform(-1, 1, (4, 3)).astype(np.float32)


def variable(name, value):
    with tf.device(f"/job:ps/task:{int(name != 'v')}"):
        return tf.get_variable(name, initializer=tf.constant(np.asarray(value, np.float32)), use_resource=True)


def changing_cond(flag):
    v, w = variable("v", 3.0), variable("w", 1.0)
    done = tf.cond(flag, lambda: tf.identity(v.assign_add(4.0)) * 2.0, lambda: tf.identity(w.assign_sub(1.5)))
    with tf.control_dependencies([done]):
        return [done, v.read_value(), w.read_value()]


def cond_without_results(flag):
    v, w = variable("v", 3.0), variable("w", 1.0)

    def change(what, by):
        def branch():
            with tf.control_dependencies([what.assign_add(by)]):
                return tf.constant(0)
        return branch
    with tf.control_dependencies([tf.cond(flag, change(v, 2.0), change(w, 5.0)).op]):
        return [v.read_value(), w.read_value()]


def trained_cond(flag):
    w = variable("w", np.full((3, 3), 0.25))
    x = tf.constant(X)
    y = tf.cond(flag, lambda: tf.tanh(tf.matmul(x, w)), lambda: tf.matmul(x, tf.exp(w)))
    loss = tf.reduce_sum(y * y)
    train = tf.train.GradientDescentOptimizer(0.05).minimize(loss)
    with tf.control_dependencies([train]):
        return [loss, w.read_value()]


def nested_conds(flag):
    v = variable("v", 1.0)
    y = tf.cond(flag, lambda: tf.cond(v > 2.0, lambda: tf.identity(v.assign_sub(3.0)), lambda: tf.identity(v.assign_add(1.0))),
                lambda: v * 10.0)
    with tf.control_dependencies([y]):
        return [y, v.read_value()]


def changing_loop(flag):
    v = variable("v", 1.0)

    def body(i, total):
        with tf.control_dependencies([v.assign_add(tf.cast(i, tf.float32))]):
            return i + 1, total + v.read_value()
    i, total = tf.while_loop(lambda i, _: tf.logical_and(i < 5, flag), body, [0, 0.0])
    with tf.control_dependencies([total]):
        return [i, total, v.read_value()]


def loop_that_a_variable_ends(flag):
    v, w = variable("v", 1.0), variable("w", 0.0)

    def body(i):
        with tf.control_dependencies([v.assign_add(v * 0.5), w.assign_add(1.0)]):
            return tf.identity(i) + 1

    def goes_on(i):
        with tf.control_dependencies([i + 0]):  # TensorFlow may read ahead of the iteration before, otherwise; Headrace does not
            return tf.logical_and(v.read_value() < 20.0, flag)
    i = tf.while_loop(goes_on, body, [0])
    with tf.control_dependencies([i]):
        return [i, v.read_value(), w.read_value()]


def trained_loop(flag):
    w, b = variable("w", np.full((3, 3), 0.25)), variable("b", np.zeros(3))
    x = tf.constant(X)
    _, y = tf.while_loop(lambda i, _: i < tf.where(flag, 4, 2), lambda i, y: (i + 1, tf.tanh(tf.matmul(y, w) + b) + x), [0, x])
    loss = tf.reduce_sum(y * y)
    train = tf.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
    with tf.control_dependencies([train]):
        return [loss, w.read_value(), b.read_value()]


def cond_in_a_loop(flag):
    w = variable("w", np.full((3, 3), 0.25))
    x = tf.constant(X)

    def body(i, y):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: tf.tanh(tf.matmul(y, w)), lambda: y + tf.reduce_sum(w))
    _, y = tf.while_loop(lambda i, _: tf.logical_and(i < 4, flag), body, [0, x])
    return [y] + tf.gradients(tf.reduce_sum(y), [w])


def switch_case(flag):
    v = variable("v", 1.0)
    index = tf.where(flag, 1, 7)
    y = tf.switch_case(index, [lambda: tf.constant(0.0), lambda: tf.identity(v.assign_add(1.0)), lambda: v * 3.0])
    with tf.control_dependencies([y]):
        return [y, v.read_value()]


def functions(flag):
    v = variable("v", 2.0)

    @tf.function
    def change(x):
        if x > 0.0:
            v.assign_add(x)
        return v * x
    y = change(tf.where(flag, 3.0, -1.0))
    with tf.control_dependencies([y]):
        return [y, v.read_value()]


MODELS = (changing_cond, cond_without_results, trained_cond, nested_conds, changing_loop, loop_that_a_variable_ends, trained_loop,
          cond_in_a_loop, switch_case, functions)


def results(target, model, device):
    with tf.Graph().as_default(), tf.Session(target, config=tf.ConfigProto(operation_timeout_in_ms=60000)) as session:
        with tf.device(device):
            flag = tf.placeholder(tf.bool, [])
            fetches = model(flag)
        session.run(tf.global_variables_initializer())
        return [session.run(fetches, {flag: taken}) for taken in (True, False, True, True)]


class Functions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=2, workers=1).__enter__()
        cls.addClassCleanup(cls.cluster.stop)
        ports = servers.free_ports(3)
        spec = {"ps": [f"127.0.0.1:{port}" for port in ports[:2]], "worker": [f"127.0.0.1:{ports[2]}"]}
        cls.theirs = [tf.train.Server(spec, job_name=job, task_index=i) for job, tasks in spec.items() for i in range(len(tasks))]

    def setUp(self):
        tf.enable_control_flow_v2()  # which other checks of the same run turn off

    def test_a_map_function_cannot_reach_a_variable_elsewhere(self):
        with tf.Graph().as_default(), tf.Session(self.cluster.target) as session:
            v = variable("v", 2.0)
            with tf.device(WORKER):
                data = tf.data.Dataset.from_tensor_slices([1.0, 2.0]).map(lambda x: x * v)
                iterator = tf.data.make_initializable_iterator(data)
                following = iterator.get_next()
            session.run(v.initializer)
            with self.assertRaisesRegex(tf.errors.OpError, "ps.*worker"):
                session.run(iterator.initializer)
                session.run(following)


def compare(model):
    def check(self):
        for device in (WORKER, ""):
            expected = results(self.theirs[2].target, model, device)
            for step, (theirs, ours) in enumerate(zip(expected, results(self.cluster.target, model, device))):
                self.assertEqual(len(ours), len(theirs))
                for i, (a, b) in enumerate(zip(ours, theirs)):
                    np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6, err_msg=f"device '{device}', step {step}, fetch {i}")
    return check


for made in MODELS:
    setattr(Functions, "test_" + made.__name__, compare(made))
