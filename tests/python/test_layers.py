"""tf.layers: names, shapes, values, collections."""

import unittest

import numpy as np

import headrace as tf


def half_square(values):
    return tf.reduce_sum(tf.square(values)) * 0.5


class Layers(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()
        self.random = np.random.default_rng(7)

    def run_all(self, fetches, feeds=None):
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return session.run(fetches, feeds)

    def names(self):
        return [v.name for v in tf.global_variables()]

    def test_dense_multiplies_adds_and_activates(self):
        x = self.random.standard_normal((4, 3)).astype(np.float32)
        y = tf.layers.dense(tf.constant(x), 2, tf.nn.relu, bias_initializer=tf.constant_initializer(0.5))
        self.assertEqual(self.names(), ["dense/kernel:0", "dense/bias:0"])
        self.assertEqual(y.name, "dense/Relu:0")
        kernel, got = self.run_all([tf.trainable_variables()[0], y])
        np.testing.assert_allclose(got, np.maximum(x @ kernel + 0.5, 0), rtol=1e-5)

    def test_dense_takes_the_last_axis_of_higher_ranks(self):
        x = self.random.standard_normal((2, 3, 4)).astype(np.float32)
        y = tf.layers.dense(tf.placeholder_with_default(x, [None, 3, 4]), 5, use_bias=False)
        self.assertEqual(y.shape.as_list(), [None, 3, 5])
        kernel, got = self.run_all([tf.trainable_variables()[0], y])
        np.testing.assert_allclose(got, x @ kernel, rtol=1e-4, atol=1e-6)

    def test_names_are_unique_unless_reused(self):
        x = tf.zeros([2, 3])
        tf.layers.dense(x, 3)
        tf.layers.dense(x, 3)
        tf.layers.dense(x, 3, name="fc")
        tf.layers.dense(x, 3, name="fc", reuse=True)
        with self.assertRaisesRegex(ValueError, "fc/kernel already exists"):
            tf.layers.dense(x, 3, name="fc")
        with tf.variable_scope("tower", reuse=tf.AUTO_REUSE):
            tf.layers.dense(x, 3)
        with tf.variable_scope("tower", reuse=tf.AUTO_REUSE):
            tf.layers.dense(x, 3)
        self.assertEqual([n for n in self.names() if "kernel" in n],
                         ["dense/kernel:0", "dense_1/kernel:0", "fc/kernel:0", "tower/dense/kernel:0"])

    def test_a_layer_object_shares_its_variables_between_calls(self):
        layer = tf.layers.Dense(3, name="shared", kernel_regularizer=half_square)
        layer(tf.zeros([2, 4]))
        layer(tf.ones([2, 4]))
        self.assertEqual(self.names(), ["shared/kernel:0", "shared/bias:0"])
        self.assertEqual(len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)), 1)
        self.assertEqual([v.name for v in layer.trainable_variables], ["shared/kernel:0", "shared/bias:0"])
        with self.assertRaisesRegex(ValueError, "incompatible with the layer"):
            layer(tf.zeros([2, 5]))

    def test_a_layer_that_is_not_trainable_trains_nothing(self):
        tf.layers.dense(tf.zeros([2, 3]), 3, trainable=False)
        self.assertEqual(tf.trainable_variables(), [])
        self.assertEqual(len(tf.global_variables()), 2)

    def test_an_unknown_last_extent_is_refused(self):
        with self.assertRaisesRegex(ValueError, "last dimension of the inputs to `Dense`"):
            tf.layers.dense(tf.placeholder(tf.float32, [None, None]), 3)

    def test_conv2d_equals_sums_over_windows(self):
        x = self.random.standard_normal((2, 5, 6, 3)).astype(np.float32)
        y = tf.layers.conv2d(tf.constant(x), 4, [3, 2], strides=(2, 1), bias_initializer=tf.constant_initializer(0.25))
        kernel, got = self.run_all([tf.trainable_variables()[0], y])
        expected = np.zeros((2, 2, 5, 4), np.float32)
        for i in range(2):
            for j in range(5):
                expected[:, i, j] = np.tensordot(x[:, 2 * i:2 * i + 3, j:j + 2], kernel, 3) + 0.25
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
        self.assertEqual(self.names(), ["conv2d/kernel:0", "conv2d/bias:0"])

    def test_conv1d_is_a_convolution_over_one_axis(self):
        x = self.random.standard_normal((2, 7, 3)).astype(np.float32)
        y = tf.layers.conv1d(tf.constant(x), 4, 3, use_bias=False)
        kernel, got = self.run_all([tf.trainable_variables()[0], y])
        expected = np.stack([np.tensordot(x[:, i:i + 3], kernel, 2) for i in range(5)], 1)
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)

    def test_conv2d_transpose_has_the_extents_of_the_convolutions_input(self):
        for padding, side in (("same", 8), ("valid", 9)):
            y = tf.layers.conv2d_transpose(tf.placeholder(tf.float32, [None, 4, 4, 2]), 5, 3, 2, padding)
            self.assertEqual(y.shape.as_list(), [None, side, side, 5])
            got = self.run_all(y, {y.graph.get_operations()[0].outputs[0]: np.ones((3, 4, 4, 2))}) if padding == "same" else None
            self.assertTrue(got is None or got.shape == (3, side, side, 5))
        self.assertEqual([v.shape.as_list() for v in tf.global_variables()][0], [3, 3, 5, 2])

    def test_poolings(self):
        x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
        largest, mean = self.run_all([tf.layers.max_pooling2d(x, 2, 2), tf.layers.average_pooling2d(x, 2, 2)])
        np.testing.assert_array_equal(largest.ravel(), [5, 7, 13, 15])
        np.testing.assert_array_equal(mean.ravel(), [2.5, 4.5, 10.5, 12.5])
        line = self.run_all(tf.layers.max_pooling1d(x.reshape(1, 16, 1), 4, 4))
        np.testing.assert_array_equal(line.ravel(), [3, 7, 11, 15])

    def test_flatten_keeps_what_is_known(self):
        self.assertEqual(tf.layers.flatten(tf.placeholder(tf.float32, [None, 2, 3])).shape.as_list(), [None, 6])
        self.assertEqual(tf.layers.flatten(tf.placeholder(tf.float32, [4, None, 3])).shape.as_list(), [4, None])

    def test_dropout_drops_in_training_only(self):
        x = tf.ones([1000])
        off, on = self.run_all([tf.layers.dropout(x, 0.25), tf.layers.dropout(x, 0.25, training=True, seed=1)])
        np.testing.assert_array_equal(off, np.ones(1000))
        self.assertEqual(set(np.unique(on.round(4)).tolist()), {0.0, np.float32(4 / 3).round(4).item()})
        self.assertTrue(150 < (on == 0).sum() < 350)

    def normalized(self, x, **options):
        y = tf.layers.batch_normalization(tf.constant(x), training=True, momentum=0.9, **options)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            got, _ = session.run([y, tf.get_collection(tf.GraphKeys.UPDATE_OPS)])
            moving = session.run({v.op.name.rsplit("/", 1)[1]: v for v in tf.global_variables()})
        return got, moving

    def test_batch_normalization_of_rows_uses_the_batch_and_moves_the_averages(self):
        x = self.random.standard_normal((16, 3)).astype(np.float32) * 2 + 1
        got, moving = self.normalized(x)
        np.testing.assert_allclose(got, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(moving["moving_mean"], 0.1 * x.mean(0), rtol=1e-4)
        np.testing.assert_allclose(moving["moving_variance"], 0.9 + 0.1 * x.var(0), rtol=1e-4)
        self.assertEqual(self.names(), ["batch_normalization/" + n for n in
                                        ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0")])

    def test_batch_normalization_of_images_moves_the_unbiased_variance_when_fused(self):
        x = self.random.standard_normal((4, 5, 5, 3)).astype(np.float32) * 2 + 1
        flat = x.reshape(-1, 3)
        got, moving = self.normalized(x)
        np.testing.assert_allclose(got.reshape(-1, 3), (flat - flat.mean(0)) / np.sqrt(flat.var(0) + 1e-3), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(moving["moving_variance"], 0.9 + 0.1 * flat.var(0, ddof=1), rtol=1e-4)
        plain, moving = self.normalized(x, fused=False, name="plain")
        np.testing.assert_allclose(plain, got, rtol=1e-3, atol=1e-4)

    def test_batch_normalization_without_training_uses_the_moving_averages_and_updates_nothing(self):
        x = self.random.standard_normal((4, 3)).astype(np.float32)
        y = tf.layers.batch_normalization(tf.constant(x), moving_mean_initializer=tf.constant_initializer(1.0),
                                          moving_variance_initializer=tf.constant_initializer(4.0))
        self.assertEqual(tf.get_collection(tf.GraphKeys.UPDATE_OPS), [])
        np.testing.assert_allclose(self.run_all(y), (x - 1) / np.sqrt(4 + 1e-3), rtol=1e-4, atol=1e-6)

    def test_whether_it_trains_may_be_a_tensor(self):
        x = self.random.standard_normal((8, 4, 4, 3)).astype(np.float32)
        training = tf.placeholder(tf.bool, [])
        hidden = tf.layers.batch_normalization(tf.layers.conv2d(tf.constant(x), 4, 3), training=training)
        hidden = tf.layers.dropout(tf.layers.flatten(hidden), 0.5, training=training)
        output = tf.layers.batch_normalization(tf.layers.dense(hidden, 5), training=training)
        loss = tf.reduce_mean(tf.square(output - 1))
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(updates):
            step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        moving = [v for v in tf.global_variables() if "moving" in v.name]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            before = session.run([loss, *moving, output], {training: False})
            session.run(updates, {training: False})
            after = session.run([loss, *moving, output], {training: False})
            for a, b in zip(before, after):
                np.testing.assert_array_equal(a, b)
            losses = [session.run([loss, step], {training: True})[0] for _ in range(30)]
            self.assertLess(np.mean(losses[-5:]), 0.6 * np.mean(losses[:3]))
            for a, b in zip(session.run(moving), before[1:-1]):
                self.assertTrue((a != b).all())


if __name__ == "__main__":
    unittest.main()
