"""Assertions about values and shapes."""

import unittest

import numpy as np

import headrace as tf


class Check(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def fails(self, operation, feeds, text):
        with tf.Session() as session, self.assertRaises(tf.errors.InvalidArgumentError) as caught:
            session.run(operation, feeds)
        self.assertIn(text, str(caught.exception))

    def test_comparisons_of_fed_values_fail_in_the_step(self):
        x = tf.placeholder(tf.float32, [None])
        table = ((tf.assert_equal, [1, 2], [1, 3]), (tf.assert_none_equal, [1, 2], [2, 2]), (tf.assert_less, [1, 2], [2, 2]),
                 (tf.assert_less_equal, [1, 3], [1, 2]), (tf.assert_greater, [3, 2], [2, 2]),
                 (tf.assert_greater_equal, [3, 1], [2, 2]), (tf.assert_near, [1, 2], [1, 2.1]))
        with tf.Session() as session:
            for function, left, right in table:
                self.fails(function(x, right, message="they " + function.__name__), {x: left}, "they " + function.__name__)
            for function, good in ((tf.assert_equal, [1, 3]), (tf.assert_less, [1, 1]), (tf.assert_near, [1, 3])):
                session.run(function(x, np.float32([1, 3]) if good != [1, 1] else [2.0, 2.0]), {x: good})

    def test_signs_of_fed_values_fail_in_the_step(self):
        x = tf.placeholder(tf.int32, [None])
        for function, bad in ((tf.assert_positive, [1, 0]), (tf.assert_negative, [-1, 0]), (tf.assert_non_negative, [0, -1]),
                              (tf.assert_non_positive, [0, 1])):
            self.fails(function(x), {x: bad}, "did not hold")

    def test_constants_that_contradict_fail_at_once(self):
        with self.assertRaises(tf.errors.InvalidArgumentError):
            tf.assert_less([3, 1], [2, 2])
        with self.assertRaises(tf.errors.InvalidArgumentError):
            tf.debugging.assert_positive(tf.constant(-1))

    def test_a_control_dependency_on_an_assertion_guards_a_value(self):
        x = tf.placeholder(tf.float32, [])
        with tf.control_dependencies([tf.Assert(x > 0, ["x is", x])]):
            y = tf.identity(x)
        with tf.Session() as session:
            self.assertEqual(session.run(y, {x: 2}), 2)
        self.fails(y, {x: -2}, "x is")

    def test_ranks_are_checked_as_early_as_they_are_known(self):
        tf.assert_rank(tf.zeros([2, 3]), 2)
        tf.assert_rank_in(tf.zeros([2, 3]), (1, 2))
        for function, wanted in ((tf.assert_rank, 1), (tf.assert_rank_at_least, 3), (tf.assert_rank_in, (0, 3))):
            with self.assertRaises(ValueError):
                function(tf.zeros([2, 3]), wanted)
        x = tf.placeholder(tf.float32)
        self.fails(tf.assert_rank(x, 1), {x: [[1.0]]}, "rank")
        self.fails(tf.assert_rank_at_least(x, 1), {x: 1.0}, "rank")

    def test_types(self):
        tf.assert_type(tf.constant(1), tf.int32)
        with self.assertRaises(TypeError):
            tf.assert_type(tf.constant(1), tf.float32)
        self.assertTrue(tf.is_numeric_tensor(tf.constant(1.0)))
        self.assertFalse(tf.is_numeric_tensor(tf.constant("a")))
        self.assertFalse(tf.is_numeric_tensor(3))

    def test_numerics(self):
        x = tf.placeholder(tf.float32, [None])
        self.fails(tf.check_numerics(x, "bad news"), {x: [np.nan]}, "bad news")
        self.fails(tf.verify_tensor_all_finite(x, "not finite"), {x: [np.inf]}, "not finite")
        with tf.Session() as session:
            np.testing.assert_array_equal(session.run(tf.verify_tensor_all_finite(x, "m"), {x: [1]}), [1])

    def test_orders(self):
        x = tf.placeholder(tf.float32, [None])
        with tf.Session() as session:
            up, strictly = tf.is_non_decreasing(x), tf.is_strictly_increasing(x)
            self.assertEqual(session.run([up, strictly], {x: [1, 1, 2]}), [True, False])
            self.assertEqual(session.run([up, strictly], {x: []}), [True, True])
            self.assertEqual(session.run([up, strictly], {x: [2, 1]}), [False, False])


if __name__ == "__main__":
    unittest.main()
