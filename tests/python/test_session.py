"""Sessions: what may be fetched and fed, what is refused and how, and errors of steps."""

import collections
import os
import signal
import threading
import unittest

import headrace as tf
import numpy as np


class SessionTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def test_fetches_keep_their_structure(self):
        a, b = tf.constant(1), tf.constant([2.0, 3.0])
        pair = collections.namedtuple("pair", "x y")
        with tf.Session() as session:
            result = session.run({"one": a, "more": [b, (a, pair(a, b))], "op": tf.no_op()})
        self.assertEqual(result["one"], 1)
        self.assertEqual(result["more"][1][1].y.tolist(), [2.0, 3.0])
        self.assertIsNone(result["op"])

    def test_what_is_fed_and_fetched_comes_back(self):
        x = tf.placeholder(tf.float32, [None])
        sparse = tf.sparse_placeholder(tf.float32)
        with tf.Session() as session:
            total, same = session.run([tf.reduce_sum(x), x], {x: [1, 2]})
            self.assertEqual((total, same.tolist(), same.dtype), (3.0, [1, 2], np.float32))
            value = session.run(sparse, {sparse: tf.SparseTensorValue([[0, 1]], [2.0], [2, 2])})
            self.assertEqual((value.values.tolist(), value.dense_shape.tolist()), ([2], [2, 2]))

    def test_a_fed_variable_is_that_value_wherever_it_is_read(self):
        w = tf.Variable([1.0])
        total = tf.reduce_sum(w * 2.0)
        with tf.Session() as session:
            session.run(w.initializer)
            self.assertEqual((session.run(total, {w: [5.0]}), session.run(total)), (10.0, 2.0))

    def test_numbers_are_fed_as_the_tensor_is_typed(self):
        x = tf.placeholder(tf.int32, [])
        with tf.Session() as session:
            self.assertEqual((session.run(x + 0, {x: 3.7}), session.run(x + 0, {x: np.float32(2)})), (3, 2))
            with self.assertRaisesRegex(TypeError, "feed_dict must be a dictionary"):
                session.run(x + 0, [x])

    def test_names_may_be_fetched_and_fed(self):
        x = tf.placeholder(tf.float32, [], name="x")
        tf.multiply(x, 2.0, name="y")
        with tf.Session() as session:
            self.assertEqual(session.run("y:0", {"x:0": 4}), 8.0)

    def test_any_tensor_may_be_fed(self):
        middle = tf.constant(1.0) + 1.0
        with tf.Session() as session:
            self.assertEqual(session.run(middle * 10.0, {middle: 5.0}), 50.0)

    def test_arrays_of_every_type_go_in_and_come_out_unchanged(self):
        arrays = [np.arange(6).reshape(2, 3).astype(t) for t in
                  ("f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "?", "c8", "c16")]
        arrays += [np.array([b"a", b"\x00\xff", "\u00e9".encode()], dtype=object), np.zeros((0, 4), np.float32)]
        with tf.Session() as session:
            for array in arrays:
                p = tf.placeholder(array.dtype if array.dtype != object else tf.string)
                result = session.run(tf.identity(p), {p: array})
                self.assertEqual(result.dtype, array.dtype)
                np.testing.assert_array_equal(result, array)

    def test_fetched_scalars_are_of_numpys_class_for_the_dtype(self):
        for dtype in (tf.int32, tf.int64, tf.uint64, tf.float32, tf.bool):
            value = tf.Session().run(tf.zeros([], dtype))
            self.assertIs(type(value), dtype.as_numpy_dtype)

    def test_a_fetched_array_is_the_callers_own(self):
        v = tf.Variable(tf.zeros([100000]))
        with tf.Session() as session:
            session.run(v.initializer)
            session.run(v)[:] = 7
            self.assertEqual(session.run(v).sum(), 0)

    def test_an_array_that_was_fed_may_be_written_to_after_the_step(self):
        array = np.ones([100000], np.float32)
        x = tf.placeholder(tf.float32, [100000])
        v = tf.Variable(tf.zeros([100000]))
        queue = tf.FIFOQueue(2, tf.float32, shapes=[[100000]])
        assign, put, same = v.assign(x), queue.enqueue(tf.identity(x)), tf.reshape(x, [1000, 100])
        with tf.Session() as session:
            session.run([assign.op, put], {x: array})
            fetched = session.run(same, {x: array})
            array[:] = 2
            self.assertEqual(session.run(v).sum(), 100000)
            self.assertEqual(session.run(queue.dequeue()).sum(), 100000)
            self.assertEqual(fetched.sum(), 100000)

    def test_a_feed_of_the_wrong_shape_names_the_tensor_and_both_shapes(self):
        x = tf.placeholder(tf.float32, [None, 3], name="features")
        with tf.Session() as session, self.assertRaisesRegex(ValueError, r"\(2, 2\).*features:0.*\(\?, 3\)"):
            session.run(x, {x: np.zeros([2, 2])})

    def test_a_fetch_from_another_graph_is_a_value_error(self):
        with tf.Graph().as_default():
            foreign = tf.constant(1, name="foreign")
        with tf.Session() as session, self.assertRaisesRegex(ValueError, "foreign"):
            session.run(foreign)

    def test_what_is_no_fetch_is_a_type_error(self):
        with tf.Session() as session:
            with self.assertRaises(TypeError):
                session.run(3.5)
            with self.assertRaises(TypeError):
                session.run(None)
            with self.assertRaisesRegex(ValueError, "nothing"):
                session.run("nothing:0")

    def test_a_closed_session_is_a_runtime_error(self):
        c = tf.constant(1)
        session = tf.Session()
        session.close()
        with self.assertRaisesRegex(RuntimeError, "closed Session"):
            session.run(c)

    def test_an_uninitialized_variable_is_a_failed_precondition_that_names_it(self):
        v = tf.Variable(1.0, name="weights")
        with tf.Session() as session, self.assertRaisesRegex(tf.errors.FailedPreconditionError, "weights"):
            session.run(v)

    def test_an_unfed_placeholder_is_an_invalid_argument_that_names_it(self):
        x = tf.placeholder(tf.float32, [2], name="features")
        with tf.Session() as session, self.assertRaisesRegex(tf.errors.InvalidArgumentError, "features"):
            session.run(x + 1.0)

    def test_an_error_knows_its_operation_and_the_line_that_made_it(self):
        x = tf.placeholder(tf.int32)
        bad = tf.gather([1, 2], x, name="lookup")
        with tf.Session() as session, self.assertRaises(tf.errors.InvalidArgumentError) as raised:
            session.run(bad, {x: 5})
        self.assertEqual(raised.exception.op.name, "lookup")
        self.assertIn("test_session.py", str(raised.exception))
        self.assertEqual(raised.exception.error_code, 3)

    def test_a_graph_may_grow_under_a_living_session(self):
        with tf.Session() as session:
            self.assertEqual(session.run(tf.constant(1)), 1)
            self.assertEqual(session.run(tf.constant(2) + 3), 5)

    def test_eval_and_run_use_the_default_session(self):
        v = tf.Variable(3)
        with self.assertRaisesRegex(ValueError, "No default session"):
            tf.constant(1).eval()
        with tf.Session():
            v.initializer.run()
            self.assertEqual(v.eval(), 3)
            self.assertEqual(v.assign_add(4).eval(), 7)

    def test_an_interactive_session_is_the_default_until_it_is_closed(self):
        session = tf.InteractiveSession()
        self.assertEqual(tf.constant(5).eval(), 5)
        session.close()
        self.assertIsNone(tf.get_default_session())

    def test_a_wait_ends_at_the_options_timeout(self):
        queue = tf.FIFOQueue(1, tf.int32)
        with tf.Session() as session, self.assertRaises(tf.errors.DeadlineExceededError):
            session.run(queue.dequeue(), options=tf.RunOptions(timeout_in_ms=50))

    def test_ctrl_c_stops_a_step_that_waits(self):
        # Started in the background, this process ignores the signal.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        queue = tf.FIFOQueue(1, tf.int32)
        element = queue.dequeue()
        with tf.Session() as session:
            waiting = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
            waiting.start()
            with self.assertRaises(KeyboardInterrupt):
                session.run(element)
            waiting.join()
            session.run(queue.enqueue(4))
            self.assertEqual(session.run(element), 4)

    def test_threads_run_steps_of_one_session_at_the_same_time(self):
        queue = tf.FIFOQueue(10, tf.int32, shapes=[[]])
        put, take = queue.enqueue(1), queue.dequeue_many(20)
        with tf.Session() as session:
            results = []
            reader = threading.Thread(target=lambda: results.append(session.run(take)))
            reader.start()
            for _ in range(20):
                session.run(put)
            reader.join()
        self.assertEqual(results[0].sum(), 20)

    def test_what_is_fetched_of_a_large_fed_array_is_a_copy(self):
        x = tf.placeholder(tf.float32, [None, 512])
        rows, whole = x[1:3], tf.reshape(x, [512, -1])
        array = np.ones([1000, 512], np.float32)
        with tf.Session() as session:
            for fetched in session.run([rows, whole], {x: array}):
                array[:] = 2
                self.assertEqual(fetched.max(), 1)
                array[:] = 1
                fetched[:] = 3
                self.assertEqual(array.max(), 1)

    def test_state_on_a_server_outlives_its_sessions(self):
        server = tf.train.Server.create_local_server()
        v = tf.Variable(1.0, name="kept")
        with tf.Session(server.target) as session:
            session.run(v.initializer)
            session.run(v.assign(5.0))
        with tf.Session(server.target) as session:
            self.assertEqual(session.run(v), 5.0)
        tf.Session.reset(server.target)
        with tf.Session(server.target) as session, self.assertRaises(tf.errors.FailedPreconditionError):
            session.run(v)
        server.stop()


if __name__ == "__main__":
    unittest.main()
