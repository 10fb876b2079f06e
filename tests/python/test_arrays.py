"""Functions of arrays, in the forms in which programs call them."""

import unittest

import numpy as np

import headrace as tf

A = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]], np.float32)


class ArrayTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def value(self, fetches):
        with tf.Session() as session:
            return session.run(fetches)

    def test_lists_of_integers_may_have_tensors_in_them(self):
        one = tf.constant(1)
        padded, turned, reversed_, parts, total, scattered = self.value([
            tf.pad(A, [[0, one], [0, 0]]), tf.transpose(A, [one, 0]), tf.reverse(A, [one]), tf.split(A, [one, 2], 1),
            tf.reduce_sum(A, [one]), tf.scatter_nd([[1]], [5], [tf.constant(3)])])
        np.testing.assert_array_equal(padded, np.pad(A, [[0, 1], [0, 0]]))
        np.testing.assert_array_equal(turned, A.T)
        np.testing.assert_array_equal(reversed_, A[:, ::-1])
        np.testing.assert_array_equal(parts[1], A[:, 1:])
        np.testing.assert_array_equal(total, A.sum(1))
        np.testing.assert_array_equal(scattered, [0, 5, 0])

    def test_gather_goes_along_the_first_axis_that_is_no_batch(self):
        rows, same = self.value([tf.gather(A, [[0], [2]], batch_dims=1), tf.batch_gather(A, [[0], [2]])])
        np.testing.assert_array_equal(rows, [[1.0], [-6.0]])
        np.testing.assert_array_equal(same, rows)

    def test_strings_are_added(self):
        self.assertEqual(self.value([tf.constant("a") + "b", "x" + tf.constant("y")]), [b"ab", b"xy"])

    def test_arrays_may_be_the_parts_of_a_table(self):
        rows = self.value(tf.nn.embedding_lookup([A, 2 * A], [0, 1, 3]))
        np.testing.assert_array_equal(rows, [A[0], 2 * A[0], 2 * A[1]])

    def test_blocks_become_batches_and_come_back(self):
        image = np.arange(2 * 4 * 6 * 3).reshape(2, 4, 6, 3)
        batches = tf.space_to_batch_nd(image, [2, 3], [[1, 1], [0, 0]])
        self.assertEqual(batches.shape.as_list(), [12, 3, 2, 3])
        first, back = self.value([batches[0], tf.batch_to_space_nd(batches, [2, 3], [[1, 1], [0, 0]])])
        np.testing.assert_array_equal(first, np.pad(image, [[0, 0], [1, 1], [0, 0], [0, 0]])[0, ::2, ::3])
        np.testing.assert_array_equal(back, image)

    def test_means_of_segments_divide_by_at_least_one(self):
        mean, root = self.value([tf.unsorted_segment_mean(A, [1, 1], 3), tf.unsorted_segment_sqrt_n(A, [1, 1], 3)])
        np.testing.assert_allclose(mean, [[0] * 3, A.mean(0), [0] * 3])
        np.testing.assert_allclose(root[1], A.sum(0) / np.sqrt(2), rtol=1e-6)

    def test_weighted_moments_count_values_by_their_weights(self):
        weights = np.array([[1.0], [3.0]], np.float32)
        mean, variance = self.value(tf.nn.weighted_moments(A, [0], weights))
        np.testing.assert_allclose(mean, (A[0] + 3 * A[1]) / 4)
        np.testing.assert_allclose(variance, ((A[0] - mean)**2 + 3 * (A[1] - mean)**2) / 4, rtol=1e-6)

    def test_moments_follow_from_their_statistics(self):
        count, total, squares, shift = tf.nn.sufficient_statistics(A, [0], shift=1.0)
        mean, variance = self.value(tf.nn.normalize_moments(count, total, squares, shift))
        np.testing.assert_allclose(mean, A.mean(0))
        np.testing.assert_allclose(variance, A.var(0), rtol=1e-6)

    def test_gradients_flow_through_arrays_that_grow_while_they_are_read(self):
        x = tf.constant(A)

        def step(i, array):
            return i + 1, array.write(i, array.read(i - 1) * x[0] + array.read(0))

        first = tf.TensorArray(tf.float32, size=0, dynamic_size=True, clear_after_read=False).write(0, x[1])
        rows = tf.while_loop(lambda i, _: i < 5, step, (1, first))[1].stack()
        value, slope = self.value([rows, tf.gradients(rows, x)[0]])
        np.testing.assert_allclose(value[4], [20.0, 55.0, -726.0])
        np.testing.assert_allclose(slope, [[80.0, -80.0, -1104.0], [15.0, 9.0, 179.0]])  # as TensorFlow has it

    def test_gradients_stop_where_they_are_asked_to(self):
        x = tf.constant(3.0)
        y = x * x
        slopes = tf.gradients(y * x, [x, y], stop_gradients=[y])
        self.assertEqual(self.value(tf.gradients(y * x, x, stop_gradients=y)), [9.0])
        weighted = tf.gradients([y, x * 2.0], x, [tf.constant(10.0), None])
        self.assertEqual(self.value([slopes, weighted]), [[9.0, 3.0], [62.0]])

    def test_rows_that_a_branch_looks_up_have_a_shape(self):
        table = tf.get_variable("table", [5, 3])
        flag = tf.placeholder_with_default(True, [])
        self.assertEqual(tf.cond(flag, lambda: tf.gather(table, [0, 1]), lambda: tf.gather(table, [2, 3])).shape.as_list(), [2, 3])

    def test_a_reduction_over_all_axes_is_a_scalar_whatever_the_rank(self):
        x = tf.placeholder(tf.float32)
        self.assertEqual([tf.reduce_sum(x).shape.rank, tf.reduce_mean(x).shape.rank, tf.reduce_any(x > 1).shape.rank], [0, 0, 0])
        self.assertIsNone(tf.reduce_sum(x, keepdims=True).shape.rank)
        self.assertIsNone(tf.reduce_max(x, axis=0).shape.rank)

    def test_a_shape_shows_its_dimensions_as_tensorflow_1_does(self):
        self.assertEqual(repr(tf.TensorShape([2, None])), "TensorShape([Dimension(2), Dimension(None)])")
        self.assertEqual(str(tf.TensorShape([2, None])), "(2, ?)")


if __name__ == "__main__":
    unittest.main()
