"""tf.metrics: streaming values and the variables that hold them. The areas are TensorFlow's."""

import unittest

import numpy as np

import headrace as tf

LABELS = [[0, 1, 1, 0, 1, 0], [1, 1, 0, 0, 0, 1]]
SCORES = [[0.1, 0.8, 0.45, 0.5, 0.9, 0.2], [0.3, 0.95, 0.2, 0.05, 0.7, 0.6]]
AREAS = [0.8611109, 0.8662697, 0.8669153, 0.8611109, 0.8773808]


class Metrics(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()
        self.labels = tf.placeholder(tf.int64, [None])
        self.scores = tf.placeholder(tf.float32, [None])

    def stream(self, metric):
        """The value after both batches, and the last update."""
        value, update = metric
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            for labels, scores in zip(LABELS, SCORES):
                updated = session.run(update, {self.labels: labels, self.scores: scores})
            value = session.run(value)
            np.testing.assert_allclose(value, updated, rtol=1e-6)
            return value

    def test_variables_are_local_and_metric_ones_with_tensorflows_names(self):
        tf.metrics.accuracy(self.labels, self.labels)
        tf.metrics.auc(self.labels, self.scores)
        tf.metrics.precision(self.labels, self.labels, name="exact")
        names = ["accuracy/total:0", "accuracy/count:0", "auc/true_positives:0", "auc/false_negatives:0", "auc/true_negatives:0",
                 "auc/false_positives:0", "exact/true_positives/count:0", "exact/false_positives/count:0"]
        self.assertEqual([v.name for v in tf.local_variables()], names)
        self.assertEqual([v.name for v in tf.get_collection(tf.GraphKeys.METRIC_VARIABLES)], names)
        self.assertEqual(tf.global_variables(), [])

    def test_accuracy_counts_over_batches(self):
        predicted = tf.cast(self.scores > 0.5, tf.int64)
        self.assertAlmostEqual(self.stream(tf.metrics.accuracy(self.labels, predicted)), 9 / 12, 6)

    def test_precision_and_recall(self):
        predicted = self.scores > 0.5
        self.assertAlmostEqual(self.stream(tf.metrics.precision(self.labels, predicted)), 4 / 5, 6)
        self.assertAlmostEqual(self.stream(tf.metrics.recall(self.labels, predicted)), 4 / 6, 6)

    def test_counts(self):
        predicted = self.scores > 0.5
        expected = {"true_positives": 4, "false_positives": 1, "true_negatives": 5, "false_negatives": 2}
        for name, count in expected.items():
            self.assertEqual(self.stream(getattr(tf.metrics, name)(self.labels, predicted)), count, name)
            at = self.stream(getattr(tf.metrics, name + "_at_thresholds")(self.labels, self.scores, [0.5, 0.0, 1.0]))
            everything = {"true_positives": [4, 6, 0], "false_positives": [1, 6, 0], "true_negatives": [5, 0, 6],
                          "false_negatives": [2, 0, 6]}[name]
            np.testing.assert_array_equal(at, everything)

    def test_weights_weigh(self):
        weights = tf.cast(self.labels, tf.float32)
        value = self.stream(tf.metrics.mean(self.scores, weights))
        picked = [s for labels, scores in zip(LABELS, SCORES) for label, s in zip(labels, scores) if label]
        self.assertAlmostEqual(value, np.mean(picked), 6)

    def test_squared_errors(self):
        error = np.square(np.subtract(SCORES, LABELS)).mean()
        wanted = tf.cast(self.labels, tf.float32)
        self.assertAlmostEqual(self.stream(tf.metrics.mean_squared_error(wanted, self.scores)), error, 6)
        self.assertAlmostEqual(self.stream(tf.metrics.root_mean_squared_error(wanted, self.scores)), np.sqrt(error), 6)

    def test_areas_are_tensorflows(self):
        expected = {("ROC", "trapezoidal"): AREAS[0], ("PR", "trapezoidal"): AREAS[1], ("PR", "careful_interpolation"): AREAS[2],
                    ("ROC", "minoring"): AREAS[3], ("PR", "majoring"): AREAS[4]}
        for (curve, method), area in expected.items():
            got = self.stream(tf.metrics.auc(self.labels, self.scores, curve=curve, summation_method=method))
            self.assertAlmostEqual(float(got), area, 5, (curve, method))

    def test_area_of_scores_outside_of_0_and_1_fails(self):
        update = tf.metrics.auc(self.labels, self.scores)[1]
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "predictions must be in"):
                session.run(update, {self.labels: [1], self.scores: [1.5]})

    def test_confusion_matrices(self):
        predicted = tf.cast(self.scores > 0.5, tf.int64)
        value, update = tf.metrics.mean_iou(self.labels, predicted, 2)
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            for labels, scores in zip(LABELS, SCORES):
                matrix = session.run(update, {self.labels: labels, self.scores: scores})
            np.testing.assert_array_equal(matrix, [[5, 1], [2, 4]])
            self.assertAlmostEqual(session.run(value), (5 / 8 + 4 / 7) / 2, 6)

    def test_the_best_classes_of_each_row(self):
        scores = tf.constant([[0.1, 0.5, 0.4], [0.7, 0.2, 0.1]])
        labels = tf.constant([[2, 2], [2, 0]], tf.int64)
        known = {tf.metrics.recall_at_k: 2 / 3, tf.metrics.precision_at_k: 2 / 4, tf.metrics.average_precision_at_k: (0.5 / 2 + 1 / 2) / 2}
        for metric, expected in known.items():
            value, update = metric(labels, scores, 2)
            with tf.Session() as session:
                session.run(tf.local_variables_initializer())
                self.assertAlmostEqual(float(session.run(update)), expected, 6)
                session.run(update)
                self.assertAlmostEqual(float(session.run(value)), expected, 6)
        update = tf.metrics.recall_at_k(labels, scores, 1, class_id=0)[1]
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            self.assertEqual(session.run(update), 1.0)

    def test_sparse_labels_count_as_many_as_there_are(self):
        labels = tf.SparseTensor([[0, 0], [1, 0], [1, 1]], tf.constant([2, 2, 0], tf.int64), [2, 2])
        update = tf.metrics.recall_at_k(labels, tf.constant([[0.1, 0.5, 0.4], [0.7, 0.2, 0.1]]), 2)[1]
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            self.assertAlmostEqual(float(session.run(update)), 2 / 3, 6)

    def test_sensitivity_where_the_specificity_is_given(self):
        value, update = tf.metrics.sensitivity_at_specificity(tf.constant([0, 0, 1, 1]), tf.constant([0.1, 0.6, 0.5, 0.9]), 1.0)
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            self.assertAlmostEqual(float(session.run(update)), 0.5, 5)
        with self.assertRaisesRegex(ValueError, "range"):
            tf.metrics.sensitivity_at_specificity(tf.constant([0]), tf.constant([0.1]), 1.5)

    def test_ranks_that_are_known_only_at_run_time_are_aligned(self):
        labels, scores, weights = tf.placeholder(tf.int64), tf.placeholder(tf.int64), tf.placeholder(tf.float32)
        known = tf.placeholder(tf.int64, [None])
        ids, guesses, shares = np.int64([0, 1, 2, 1]), np.int64([0, 1, 1, 1]), np.float32([1, 2, 3, 4])
        column = (4, 1)
        updates = [tf.metrics.accuracy(left, scores, weights)[1] for left in (labels, known)]
        with tf.Session() as session:
            for left, update in zip((labels, known), updates):
                for a in (ids,) if left is known else (ids, ids.reshape(column)):
                    for b in (guesses, guesses.reshape(column)):
                        for w, expected in ((shares, 0.7), (shares.reshape(column), 0.7), (np.float32(2), 0.75)):
                            session.run(tf.local_variables_initializer())
                            found = session.run(update, {left: a, scores: b, weights: w})
                            self.assertAlmostEqual(float(found), expected, 6, (a.shape, b.shape, w.shape))
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "weights can not be broadcast"):
                session.run(updates[0], {labels: ids, scores: guesses, weights: shares[:3]})
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "weights can not be broadcast"):
                session.run(updates[0], {labels: ids[:1], scores: guesses[:1], weights: shares})
        with self.assertRaisesRegex(ValueError, "incompatible"):
            tf.metrics.accuracy(np.int64([1, 2]), np.int64([[1, 2], [3, 4]]))

    def test_labels_that_are_no_class_do_not_count_in_average_precision(self):
        labels = np.int64([[1, 9], [-1, 2], [3, -5], [0, 100]])
        scores = np.float32([[0, 3, 0, 2, 1, 0], [3, 2, 4, 0, 0, 1], [3, 2, 1, 0, 5, 4], [9, 1, 1, 0, 0, 0]])
        update = tf.metrics.average_precision_at_k(labels, scores, 3)[1]
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            self.assertAlmostEqual(session.run(update), 3 / 4, 6)

    def test_a_mean_of_each_element_needs_a_known_shape(self):
        with self.assertRaisesRegex(ValueError, "fully defined"):
            tf.metrics.mean_tensor(self.scores)

    def test_collections_are_filled(self):
        value, update = tf.metrics.mean(self.scores, metrics_collections=["values"], updates_collections="updates")
        self.assertEqual((tf.get_collection("values"), tf.get_collection("updates")), ([value], [update]))


if __name__ == "__main__":
    unittest.main()
