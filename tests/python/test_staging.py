"""Staging areas: tf.contrib.staging.StagingArea."""

import threading
import unittest

import headrace as tf

StagingArea = tf.contrib.staging.StagingArea
TIMEOUT = tf.RunOptions(timeout_in_ms=50)


class StagingTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()
        self.session = tf.Session()
        self.addCleanup(self.session.close)

    def test_elements_leave_in_the_order_in_which_they_came(self):
        area = StagingArea([tf.int32, tf.float32], [[], [2]])
        for i in range(2):
            self.session.run(area.put([i, [1.0, 2.0 * i]]))
        number, pair = area.get()
        self.assertEqual((number.shape.as_list(), pair.shape.as_list()), ([], [2]))
        self.assertEqual(self.session.run(area.size()), 2)
        self.assertEqual(self.session.run(area.peek(1))[1].tolist(), [1.0, 2.0])
        self.assertEqual([self.session.run(number) for _ in range(2)], [0, 1])
        self.assertEqual(self.session.run(area.size()), 0)

    def test_a_step_waits_for_an_element(self):
        area = StagingArea([tf.int32])
        got, get, put = [], area.get()[0], area.put(7)
        self.session.run(area.size())  # the session knows the graph before two threads use it
        thread = threading.Thread(target=lambda: got.append(self.session.run(get)))
        thread.start()
        self.session.run(put)
        thread.join()
        self.assertEqual(got, [7])

    def test_a_step_that_waits_can_time_out(self):
        area = StagingArea([tf.int32], capacity=1)
        put, get, peek = area.put(1), area.get(), area.peek(0)
        for waiting in (get, peek):
            with self.assertRaises(tf.errors.DeadlineExceededError):
                self.session.run(waiting, options=TIMEOUT)
        self.session.run(put)
        with self.assertRaises(tf.errors.DeadlineExceededError):
            self.session.run(put, options=TIMEOUT)
        self.session.run(area.clear())
        self.session.run(put)
        self.assertEqual(self.session.run(get), [1])

    def test_elements_may_have_names(self):
        area = StagingArea([tf.int32, tf.string], names=["x", "y"])
        self.session.run(area.put({"y": "text", "x": 1}))
        self.assertEqual(self.session.run(area.get()), {"x": 1, "y": b"text"})
        with self.assertRaisesRegex(ValueError, "Keys in dictionary to put do not match names"):
            area.put({"x": 1, "z": "text"})
        with self.assertRaisesRegex(ValueError, "must enqueue a dictionary"):
            area.put([1, "text"])

    def test_memory_is_limited(self):
        area = StagingArea([tf.float32], memory_limit=8)
        with self.assertRaisesRegex(tf.errors.ResourceExhaustedError, "combined size of '12' bytes"):
            self.session.run(area.put([[1.0, 2.0, 3.0]]))

    def test_equal_shared_names_are_one_area(self):
        first, second = (StagingArea([tf.int32], shared_name="shared") for _ in range(2))
        self.session.run(first.put(3))
        self.assertEqual(self.session.run(second.get()), [3])

    def test_what_does_not_fit_is_refused(self):
        area = StagingArea([tf.int32], [[]])
        for wrong, text in ((["a"], "Datatypes do not match|Expected int32|Cannot convert"), ([[1, 2]], "incompatible"),
                            ([1, 2], "Unexpected number of inputs")):
            with self.assertRaisesRegex((TypeError, ValueError), text):
                area.put(wrong)
        with self.assertRaisesRegex(ValueError, "names must be a dictionary|must have names"):
            area.put({"x": 1})
        with self.assertRaisesRegex(ValueError, "shapes must be the same length"):
            StagingArea([tf.int32], [[], []])

    def test_its_operations_are_where_it_was_made(self):
        with tf.device("/cpu:0"):
            area = StagingArea([tf.int32])
        put = area.put(1)
        self.assertEqual([g.op.colocation_groups() for g in area.get()], [put.colocation_groups()])


if __name__ == "__main__":
    unittest.main()
