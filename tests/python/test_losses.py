"""tf.losses: values, weights, reductions, collections."""

import unittest

import numpy as np

import headrace as tf

LABELS = np.float32([[0, 1], [1, 1], [0, 0]])
SCORES = np.float32([[0.1, 0.8], [0.6, 0.9], [0.3, 0.5]])


def value(tensor, feeds=None):
    with tf.Session() as session:
        return session.run(tensor, feeds)


class Losses(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def test_values_equal_their_formulas(self):
        difference = SCORES - LABELS
        logits = SCORES * 4 - 2
        cross = np.log1p(np.exp(-np.abs(logits))) + np.maximum(logits, 0) - logits * LABELS
        table = ((tf.losses.mean_squared_error, SCORES, difference ** 2), (tf.losses.absolute_difference, SCORES, np.abs(difference)),
                 (tf.losses.hinge_loss, logits, np.maximum(0, 1 - (2 * LABELS - 1) * logits)),
                 (tf.losses.sigmoid_cross_entropy, logits, cross),
                 (tf.losses.log_loss, SCORES, -np.log(np.where(LABELS, SCORES, 1 - SCORES) + 1e-7)),
                 (tf.losses.huber_loss, SCORES * 3, np.where(np.abs(SCORES * 3 - LABELS) <= 1, (SCORES * 3 - LABELS) ** 2 / 2,
                                                             np.abs(SCORES * 3 - LABELS) - 0.5)))
        for function, predictions, expected in table:
            np.testing.assert_allclose(value(function(LABELS, predictions)), expected.mean(), rtol=1e-5, err_msg=function.__name__)
            np.testing.assert_allclose(value(function(LABELS, predictions, reduction=tf.losses.Reduction.NONE)), expected, rtol=1e-4,
                                       atol=1e-6)

    def test_softmax_and_its_sparse_form_agree(self):
        logits = np.float32([[1, 2, 3], [0, 5, 1]])
        expected = np.mean(np.log(np.exp(logits).sum(1)) - logits[[0, 1], [2, 0]])
        dense = tf.losses.softmax_cross_entropy([[0, 0, 1], [1, 0, 0]], logits)
        sparse = tf.losses.sparse_softmax_cross_entropy(labels=[2, 0], logits=logits)
        np.testing.assert_allclose(value([dense, sparse]), [expected, expected], rtol=1e-5)

    def test_reductions_weigh(self):
        losses, weights = np.float32([[1, 2], [3, 4]]), np.float32([[2], [0]])
        expected = {"weighted_sum": 6, "weighted_mean": 6 / 4, "weighted_sum_over_batch_size": 6 / 4,
                    "weighted_sum_by_nonzero_weights": 3}
        for reduction, wanted in expected.items():
            self.assertAlmostEqual(value(tf.losses.compute_weighted_loss(losses, weights, reduction=reduction)), wanted, 5)
        self.assertEqual(value(tf.losses.compute_weighted_loss(losses, 0.0)), 0)

    def test_weights_that_cannot_fit_are_refused(self):
        with self.assertRaisesRegex(ValueError, "weights can not be broadcast"):
            tf.losses.mean_squared_error(LABELS, SCORES, weights=[1.0, 2.0])
        weights = tf.placeholder(tf.float32, [None, 2])
        loss = tf.losses.mean_squared_error(LABELS, SCORES, weights=weights)
        self.assertGreater(value(loss, {weights: np.ones((3, 2))}), 0)
        with self.assertRaises(tf.errors.InvalidArgumentError):
            value(loss, {weights: np.ones((2, 2))})

    def test_collections_add_up(self):
        first = tf.losses.mean_squared_error(LABELS, SCORES)
        second = tf.losses.absolute_difference(LABELS, SCORES, loss_collection=None)
        tf.losses.add_loss(tf.constant(2.0))
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.constant(3.0))
        self.assertEqual(len(tf.losses.get_losses()), 2)
        self.assertNotIn(second, tf.losses.get_losses())
        values = value([first, tf.losses.get_total_loss(), tf.losses.get_total_loss(False), tf.losses.get_regularization_loss()])
        np.testing.assert_allclose(values[1:], [values[0] + 5, values[0] + 2, 3], rtol=1e-6)

    def test_an_unknown_reduction_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Invalid Reduction Key"):
            tf.losses.mean_squared_error(LABELS, SCORES, reduction="sum")

    def test_labels_of_unknown_rank_may_be_a_column(self):
        labels, logits = tf.placeholder(tf.int64), tf.placeholder(tf.float32, [None, 2])
        weights = tf.placeholder(tf.float32)
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits, weights)
        feeds = {labels: [1, 0, 1], logits: SCORES, weights: [1.0, 2.0, 3.0]}
        column = {labels: [[1], [0], [1]], logits: SCORES, weights: [[1.0], [2.0], [3.0]]}
        self.assertAlmostEqual(float(value(loss, feeds)), float(value(loss, column)), 6)
        self.assertEqual(loss.shape.as_list(), [])


if __name__ == "__main__":
    unittest.main()
