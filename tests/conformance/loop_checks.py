"""TensorFlow 1 conditions and loops (Switch, Merge, Enter, NextIteration, Exit and stacks) that TensorFlow's client builds, on Headrace.

A graph is run on one task and, its parts pinned to both, on two; the numbers must be those of TensorFlow's own session.
"""
import threading
import time
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers

tf.disable_eager_execution()
PS, WORKER = "/job:ps/task:0", "/job:worker/task:0"


class ControlFlow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=1, workers=1).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        tf.disable_control_flow_v2()
        self.addCleanup(tf.enable_control_flow_v2)

    def session(self, **options):
        return tf.Session(self.cluster.target, config=tf.ConfigProto(**options))

    def compare(self, build, *feeds):
        """`build` makes placeholders and results under given devices; each of `feeds` is run everywhere."""
        with tf.Graph().as_default():
            inputs, results = build("", "")
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                expected = [session.run(results, dict(zip(inputs, feed))) for feed in feeds]
        for devices in ((WORKER, WORKER), (PS, WORKER), (WORKER, PS)):
            with tf.Graph().as_default():
                inputs, results = build(*devices)
                with self.session(operation_timeout_in_ms=30000) as session:
                    session.run(tf.global_variables_initializer())
                    for feed, wanted in zip(feeds, expected):
                        for got, want in zip(session.run(results, dict(zip(inputs, feed))), wanted):
                            np.testing.assert_allclose(got, want, rtol=1e-4, err_msg=f"{devices} {feed}")

    def test_a_condition(self):
        def build(here, there):
            x = tf.placeholder(tf.float32, [None])
            with tf.device(here):
                doubled = x * 2
            with tf.device(there):
                y = tf.cond(tf.reduce_sum(x) > 0, lambda: doubled + 1, lambda: x - 5)
            return [x], [y, tf.gradients(y, x)[0]]

        self.compare(build, [[1, 2]], [[-1, -2]])

    def test_an_assignment_in_a_branch(self):
        def build(here, there):
            x = tf.placeholder(tf.float32, [])
            with tf.device(here):
                v = tf.get_variable("v", initializer=1.0, use_resource=False)
                r = tf.get_variable("r", initializer=1.0, use_resource=True)
            with tf.device(there):
                value = x * 2
            with tf.device(here), tf.control_dependencies([tf.cond(x > 0, lambda: tf.assign(v, value).op, lambda: tf.no_op())]):
                with tf.control_dependencies([tf.cond(x > 1, lambda: r.assign_add(value), lambda: r.read_value())]):
                    return [x], [v.read_value(), r.read_value()]

        self.compare(build, [-1], [0.5], [2], [-1])

    def test_a_shape_in_a_branch_that_is_not_taken(self):
        def build(here, there):
            x = tf.placeholder(tf.float32, [3])
            with tf.device(there):
                y = tf.cond(x[0] > 0, lambda: tf.raw_ops.Shape(input=x + 1), lambda: tf.constant([9]))
            return [x], [y]

        self.compare(build, [[1, 2, 3]], [[-1, 2, 3]])

    def test_a_loop(self):
        def build(here, there):
            n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float32, [2])
            with tf.device(here):
                scale = x * 0.5

            def body(i, total):
                with tf.device(there):
                    step = total * 1.1 + scale
                with tf.device(here):
                    return i + 1, step + tf.cast(i, tf.float32)

            i, total = tf.while_loop(lambda i, total: i < n, body, [0, x])
            return [n, x], [i, total]

        self.compare(build, [0, [1, 2]], [1, [1, 2]], [25, [1, 2]])

    def test_gradients_of_a_loop(self):
        def build(here, there):
            n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float32, [3])
            with tf.device(here):
                w = tf.get_variable("w", initializer=[0.5, 1.5, -0.5])

            def body(i, state):
                with tf.device(there):
                    return i + 1, tf.tanh(state * w) + x

            _, end = tf.while_loop(lambda i, state: i < n, body, [0, x])
            loss = tf.reduce_sum(end * end)
            return [n, x], [loss] + tf.gradients(loss, [w, x])

        self.compare(build, [0, [1, 2, 3]], [1, [1, 2, 3]], [7, [0.1, 0.2, 0.3]])

    def test_loops_in_loops_and_their_gradients(self):
        def build(here, there):
            n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float32, [])

            def outer(i, value):
                def inner(j, value):
                    with tf.device(there):
                        return j + 1, value * 1.01 + tf.sin(x)

                with tf.device(here):
                    return i + 1, tf.while_loop(lambda j, value: j < i, inner, [0, value])[1] + 1.0

            _, y = tf.while_loop(lambda i, value: i < n, outer, [0, x])
            return [n, x], [y, tf.gradients(y, x)[0]]

        self.compare(build, [0, 0.5], [1, 0.5], [6, 0.5])

    def test_a_condition_in_a_loop_and_a_loop_in_a_condition(self):
        def build(here, there):
            n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float32, [])

            def body(i, value):
                with tf.device(there):
                    return i + 1, tf.cond(value > 3, lambda: value - 2, lambda: value + x)

            def loop():
                with tf.device(here):
                    return tf.while_loop(lambda i, value: i < n, body, [0, x])[1]

            y = tf.cond(n > 2, loop, lambda: x * 100)
            return [n, x], [y, tf.gradients(y, x)[0]]

        self.compare(build, [0, 1.5], [3, 1.5], [12, 1.5])

    def test_loops_without_parallel_iterations(self):
        def build(here, there):
            n = tf.placeholder(tf.int32, [])

            def body(i, value):
                with tf.device(there):
                    return i + 1, value + i

            return [n], list(tf.while_loop(lambda i, value: i < n, body, [0, 0], parallel_iterations=1))

        self.compare(build, [100])

    def test_an_error_in_an_iteration_ends_the_step(self):
        for device in (WORKER, PS):
            with tf.Graph().as_default():
                def body(i, value):
                    with tf.device(device):
                        with tf.control_dependencies([tf.Assert(tf.not_equal(i, 3), ["third", i])]):
                            return i + 1, value + i

                bad = tf.while_loop(lambda i, value: i < 10, body, [0, 0])
                good = tf.while_loop(lambda i, value: i < 3, body, [0, 0])
                with self.session() as session:
                    for _ in range(3):
                        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "third.*3"):
                            session.run(bad)
                        self.assertEqual(session.run(good), (3, 3))

    def endless(self, device):
        def body(i):
            with tf.device(device):
                return tf.math.floormod(i + 1, 1000)

        return tf.while_loop(lambda i: i >= 0, body, [0])

    def test_an_endless_loop_ends_by_its_timeout(self):
        for device in (WORKER, PS):
            with tf.Graph().as_default():
                loop = self.endless(device)
                with self.session() as session:
                    with self.assertRaises(tf.errors.DeadlineExceededError):
                        session.run(loop, options=tf.RunOptions(timeout_in_ms=300))
                    self.assertEqual(session.run(tf.constant(4)), 4)

    def test_an_endless_loop_ends_with_its_session(self):
        for device in (WORKER, PS):
            with tf.Graph().as_default():
                loop = self.endless(device)
                session = self.session()
                errors = []

                def run():
                    try:
                        session.run(loop)
                    except (tf.errors.OpError, RuntimeError) as error:
                        errors.append(error)

                thread = threading.Thread(target=run)
                thread.start()
                time.sleep(0.3)  # the loop turns; should it not have begun, the session is closed before it
                session.close()
                thread.join(20)
                self.assertFalse(thread.is_alive())
                self.assertEqual(len(errors), 1)

    def test_a_long_loop_on_two_tasks(self):
        with tf.Graph().as_default():
            def body(i, value):
                with tf.device(PS):
                    return i + 1, value + 1

            with tf.device(WORKER):
                loop = tf.while_loop(lambda i, value: i < 2000, body, [0, 0])
            with self.session() as session:
                self.assertEqual(session.run(loop), (2000, 2000))


if __name__ == "__main__":
    unittest.main()
