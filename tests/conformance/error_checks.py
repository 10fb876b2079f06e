"""What a TensorFlow client sees of errors and of the rest of the session's interface, on a Headrace server."""
import unittest

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.framework import graph_pb2

import servers

tf.disable_eager_execution()


class Sessions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=1, workers=1).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        graph = tf.Graph().as_default()
        graph.__enter__()
        self.addCleanup(graph.__exit__, None, None, None)

    def session(self):
        return tf.Session(self.cluster.target)

    def test_the_end_of_data_is_out_of_range(self):
        following = tf.data.make_one_shot_iterator(tf.data.Dataset.range(1)).get_next()
        with self.session() as session:
            self.assertEqual(session.run(following), 0)
            for _ in range(2):
                with self.assertRaisesRegex(tf.errors.OutOfRangeError, "End of sequence"):
                    session.run(following)

    def test_shapes_that_do_not_fit_name_the_node(self):
        a, b = tf.placeholder(tf.float32, [None, None]), tf.placeholder(tf.float32, [None, None])
        product = tf.matmul(a, b, name="the_product")
        with self.session() as session:
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, r"2,3.*4,5[\s\S]*the_product") as caught:
                session.run(product, {a: np.ones((2, 3)), b: np.ones((4, 5))})
            self.assertEqual(caught.exception.op.name, "the_product")
            self.assertEqual(session.run(product, {a: np.ones((1, 3)), b: np.ones((3, 1))}), 3)  # the session goes on

    def test_an_uninitialised_variable_is_a_failed_precondition(self):
        variable = tf.get_variable("never_set", shape=[2], use_resource=True)
        with self.session() as session:
            with self.assertRaisesRegex(tf.errors.FailedPreconditionError, "never_set"):
                session.run(variable)
            self.assertEqual(session.run(tf.report_uninitialized_variables([variable])).tolist(), [b"never_set"])

    def test_a_placeholder_that_is_not_fed(self):
        missing = tf.placeholder(tf.float32, [2], name="missing")
        with self.session() as session, self.assertRaisesRegex(tf.errors.InvalidArgumentError, "missing"):
            session.run(missing + 1)

    def test_a_failing_assertion_carries_its_data(self):
        with self.session() as session, self.assertRaisesRegex(tf.errors.InvalidArgumentError, "too small.*41"):
            session.run(tf.Assert(tf.constant(False), ["too small", tf.constant(41)]))

    def test_an_op_that_headrace_lacks(self):
        fft = tf.signal.fft(tf.constant([1 + 0j, 2], tf.complex64))
        with self.session() as session, self.assertRaisesRegex((tf.errors.NotFoundError, tf.errors.InvalidArgumentError), "FFT"):
            session.run(fft)

    def test_a_device_that_is_not_there(self):
        with tf.device("/job:worker/task:7"):
            lost = tf.constant(1.0, name="lost") + 1
        with self.session() as session, self.assertRaisesRegex(tf.errors.InvalidArgumentError, "task:7"):
            session.run(lost)

    def test_a_large_graph_grows_between_steps(self):
        with self.session() as session:
            total = tf.constant(0.0)
            for i in range(5):
                total = total + float(i)
                self.assertEqual(session.run(total), sum(range(i + 1)))

    def test_partial_run(self):
        a, b = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
        first, second = a + 1, (a + 1) * b
        with self.session() as session:
            handle = session.partial_run_setup([first, second], [a, b])
            self.assertEqual(session.partial_run(handle, first, {a: 2}), 3)
            self.assertEqual(session.partial_run(handle, second, {b: 5}), 15)
            with self.assertRaises(tf.errors.OpError):
                session.partial_run(handle, second, {b: 5})

    def test_make_callable(self):
        x = tf.placeholder(tf.float32, [None])
        doubled = x * 2
        with self.session() as session:
            call = session.make_callable([doubled], feed_list=[x])
            for i in range(3):
                np.testing.assert_array_equal(call(np.float32([i]))[0], [2 * i])

    def test_list_devices(self):
        with self.session() as session:
            devices = {device.name: device.device_type for device in session.list_devices()}
        self.assertEqual(devices["/job:worker/replica:0/task:0/device:CPU:0"], "CPU")
        self.assertEqual(devices["/job:ps/replica:0/task:0/device:CPU:0"], "CPU")

    def test_a_closed_session(self):
        session = self.session()
        one = tf.constant(1)
        self.assertEqual(session.run(one), 1)
        session.close()
        with self.assertRaisesRegex(RuntimeError, "closed"):
            session.run(one)

    def test_variables_live_on_while_sessions_come_and_go_until_reset(self):
        variable = tf.get_variable("kept", initializer=tf.constant(5), use_resource=True)
        with self.session() as session:
            session.run(variable.initializer)
        with self.session() as session:
            self.assertEqual(session.run(variable), 5)
        tf.Session.reset(self.cluster.target)
        with self.session() as session, self.assertRaises(tf.errors.FailedPreconditionError):
            session.run(variable)

    def test_reset_ends_sessions_of_others(self):
        one = tf.constant(1)
        session = self.session()
        self.assertEqual(session.run(one), 1)
        tf.Session.reset(self.cluster.target)
        with self.assertRaises(tf.errors.AbortedError):
            session.run(one)
        with self.session() as fresh:
            self.assertEqual(fresh.run(one), 1)

    def test_a_timeout_is_deadline_exceeded(self):
        with servers.Cluster(ps=0, limit=30) as cluster, tf.Session(cluster.target) as session:
            iterator = tf.data.make_initializable_iterator(tf.data.Dataset.range(10**12).filter(lambda i: i < 0))
            session.run(iterator.initializer)
            following = iterator.get_next()
            with self.assertRaises(tf.errors.DeadlineExceededError):
                session.run(following, options=tf.RunOptions(timeout_in_ms=300))

    def test_a_malformed_graph(self):
        session = self.session()
        self.addCleanup(session.close)
        graph = graph_pb2.GraphDef()
        graph.node.add(name="x", op="Const").attr["dtype"].type = 1
        with self.assertRaises((tf.errors.InvalidArgumentError, ValueError)):
            tf.import_graph_def(graph)
            session.run("import/x:0")


if __name__ == "__main__":
    unittest.main()
