"""The part of tf.contrib that is there, and what is said of the rest."""

import unittest

import headrace as tf
import numpy as np

layers = tf.contrib.layers


class ContribTest(unittest.TestCase):

    def setUp(self):
        self.graph = tf.Graph()
        scope = self.graph.as_default()
        scope.__enter__()
        self.addCleanup(scope.__exit__, None, None, None)

    def run_(self, fetches):
        with tf.Session(graph=self.graph) as session:
            session.run(tf.global_variables_initializer())
            return session.run(fetches)

    def test_regularizers(self):
        weights = tf.constant([1.0, -3.0])
        found = self.run_([layers.l1_regularizer(0.5)(weights), layers.l2_regularizer(0.5)(weights),
                           layers.l1_l2_regularizer(0.5, 0.5)(weights), layers.apply_regularization(
                               layers.l2_regularizer(1.0), [weights, weights])])
        self.assertEqual(found, [2, 2.5, 4.5, 10])
        self.assertIsNone(layers.l2_regularizer(0.0)(weights))
        for wrong in (1, -0.5):
            with self.assertRaises(ValueError):
                layers.l2_regularizer(wrong)

    def test_a_regularizer_of_a_scope_fills_the_collection(self):
        with tf.variable_scope("s", regularizer=layers.l2_regularizer(0.1)):
            tf.get_variable("w", initializer=tf.constant([2.0, 4.0]))
        loss, = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
        self.assertAlmostEqual(float(self.run_(loss)), 1.0, places=6)

    def test_a_connected_layer_has_contribs_names(self):
        out = layers.fully_connected(tf.ones([2, 3]), 4, weights_initializer=tf.ones_initializer(),
                                     weights_regularizer=layers.l2_regularizer(1.0))
        layers.fully_connected(out, 1, activation_fn=None, scope="out")
        self.assertEqual([v.op.name for v in tf.global_variables()], [
            "fully_connected/weights", "fully_connected/biases", "out/weights", "out/biases"])
        self.assertEqual(len(tf.get_collection(tf.GraphKeys.MODEL_VARIABLES)), 4)
        self.assertEqual(self.run_(out).tolist(), np.full([2, 4], 3.0).tolist())
        self.assertEqual(self.run_(tf.losses.get_regularization_loss()), 6)

    def test_the_first_axis_stays_when_flattening(self):
        self.assertEqual(layers.flatten(tf.placeholder(tf.float32, [None, 2, 3])).shape.as_list(), [None, 6])
        self.assertEqual(self.run_(layers.flatten(tf.ones([2, 2, 2]))).shape, (2, 4))

    def test_xavier_weights_are_within_their_limit(self):
        values = self.run_(layers.xavier_initializer()([100, 50]))
        limit = np.sqrt(6 / 150)
        self.assertTrue(0.95 * limit < np.abs(values).max() <= limit)
        spread = self.run_(layers.xavier_initializer(uniform=False)([300, 300])).std()
        self.assertAlmostEqual(spread / np.sqrt(1 / 300), 1.0, delta=0.02)

    def test_modules_that_are_elsewhere_now(self):
        self.assertIs(tf.contrib.lookup.index_table_from_tensor, tf.contrib.lookup.index_table_from_tensor)
        self.assertEqual(tf.contrib.framework.get_or_create_global_step().op.name, "global_step")
        self.assertTrue(callable(tf.contrib.data.shuffle_and_repeat))

    def test_what_is_absent_names_its_replacement(self):
        with self.assertRaisesRegex(AttributeError, "tf.layers and tf.losses"):
            tf.contrib.slim
        with self.assertRaisesRegex(AttributeError, "tf.layers.batch_normalization"):
            tf.contrib.layers.batch_norm
        with self.assertRaisesRegex(AttributeError, "has no attribute 'nothing'"):
            tf.contrib.nothing


if __name__ == "__main__":
    unittest.main()
