"""Partitioned variables: parts, reuse, lookups, training and checkpoints."""

import os
import tempfile
import unittest

import numpy as np

import headrace as tf


class PartitionedTest(unittest.TestCase):

    def setUp(self):
        self.graph = tf.Graph()
        scope = self.graph.as_default()
        scope.__enter__()
        self.addCleanup(scope.__exit__, None, None, None)

    def run_(self, *fetches):
        with tf.Session(graph=self.graph) as session:
            session.run(tf.global_variables_initializer())
            found = [session.run(fetch) for fetch in fetches]
        return found[0] if len(found) == 1 else found

    def numbers(self, parts=2, rows=5, name="w"):
        return tf.get_variable(name, initializer=np.arange(rows * 2, dtype=np.float32).reshape(rows, 2),
                               partitioner=tf.fixed_size_partitioner(parts))

    def test_the_parts_are_variables_of_their_own_with_tensorflows_names(self):
        with tf.variable_scope("scope", partitioner=tf.fixed_size_partitioner(3)):
            w = tf.get_variable("w", [7, 2])
        self.assertEqual([part.name for part in w], ["scope/w/part_0:0", "scope/w/part_1:0", "scope/w/part_2:0"])
        self.assertEqual([part.shape.as_list() for part in w], [[3, 2], [2, 2], [2, 2]])
        self.assertEqual((w.name, w.shape.as_list(), w.dtype), ("scope/w", [7, 2], tf.float32))
        self.assertEqual(tf.trainable_variables(), list(w))

    def test_as_a_tensor_it_is_the_whole(self):
        w = self.numbers()
        whole, product = self.run_(w.as_tensor(), tf.matmul(w, tf.ones([2, 1])))
        self.assertEqual(whole.tolist(), np.arange(10).reshape(5, 2).tolist())
        self.assertEqual(product.ravel().tolist(), [1, 5, 9, 13, 17])

    def test_parts_along_the_second_axis(self):
        w = tf.get_variable("w", initializer=np.arange(6, dtype=np.float32).reshape(2, 3),
                            partitioner=tf.fixed_size_partitioner(2, axis=1))
        self.assertEqual([part.shape.as_list() for part in w], [[2, 2], [2, 1]])
        self.assertEqual(self.run_(w.as_tensor()).tolist(), [[0, 1, 2], [3, 4, 5]])

    def test_it_takes_operators_as_a_tensor_does(self):
        w = self.numbers()
        found = self.run_([w * 2.0, 1.0 - w, -w, np.ones([5, 2], np.float32) + w, w[1], tf.nn.l2_loss(w)])
        whole = np.arange(10, dtype=np.float32).reshape(5, 2)
        for got, wanted in zip(found, (whole * 2, 1 - whole, -whole, whole + 1, whole[1], (whole**2).sum() / 2)):
            np.testing.assert_array_equal(got, wanted)

    def test_it_is_found_again(self):
        with tf.variable_scope("s", reuse=tf.AUTO_REUSE, partitioner=tf.fixed_size_partitioner(2)):
            first = tf.get_variable("w", [4, 1])
            self.assertIs(tf.get_variable("w", [4, 1]), first)
            with self.assertRaises(ValueError):
                tf.get_variable("w", [5, 1])
        with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2)), self.assertRaisesRegex(ValueError, "exists"):
            tf.get_variable("w", [4, 1])
        with tf.variable_scope("s", reuse=True), self.assertRaisesRegex(ValueError, "partitioner"):
            tf.get_variable("w", [4, 1])

    def test_scalars_are_not_partitioned(self):
        with tf.variable_scope("s", partitioner=tf.min_max_variable_partitioner(4)):
            self.assertIsInstance(tf.get_variable("step", [], initializer=tf.zeros_initializer()), tf.Variable)
            self.assertIsInstance(tf.get_variable("count", initializer=0), tf.Variable)

    def test_assigning_slices_the_value(self):
        w = self.numbers()
        self.assertEqual(self.run_(w.assign(np.ones([5, 2])), w.as_tensor())[0][1].tolist(), [[1, 1], [1, 1]])
        self.assertEqual([v.tolist() for v in self.run_(w.assign_add(np.ones([5, 2])))][1], [[7, 8], [9, 10]])

    def test_initializers_know_the_whole(self):
        seen = []

        def initializer(shape, dtype=None, partition_info=None):
            seen.append((list(shape), partition_info.full_shape, partition_info.var_offset))
            return tf.zeros(shape, dtype)

        tf.get_variable("w", [5, 2], initializer=initializer, partitioner=tf.fixed_size_partitioner(2))
        self.assertEqual(seen, [([3, 2], [5, 2], [0, 0]), ([2, 2], [5, 2], [3, 0])])

    def test_how_many_parts_the_partitioners_make(self):
        self.assertEqual(tf.fixed_size_partitioner(3)(tf.TensorShape([10, 4]), dtype=tf.float32), [3, 1])
        self.assertEqual(tf.min_max_variable_partitioner(8, min_slice_size=64)(tf.TensorShape([10, 4]), tf.float32), [3, 1])
        self.assertEqual(tf.min_max_variable_partitioner(8)(tf.TensorShape([10, 4]), tf.float32), [1, 1])
        self.assertEqual(tf.variable_axis_size_partitioner(32)(tf.TensorShape([10, 4]), tf.float32), [5, 1])
        self.assertEqual(tf.variable_axis_size_partitioner(32, max_shards=3)(tf.TensorShape([10, 4]), tf.float32), [3, 1])

    def test_wrong_partitioners_are_refused(self):
        for partitioner in (lambda shape, dtype: 3, lambda shape, dtype: [2], lambda shape, dtype: [2, 2],
                            lambda shape, dtype: [0, 1], 7):
            with self.assertRaises(ValueError):
                tf.get_variable("w", [4, 4], partitioner=partitioner)

    def test_lookups_find_the_rows_by_both_strategies(self):
        w = self.numbers()
        ids = tf.constant([[4, 0], [3, 1]])
        div, mod, whole = self.run_(tf.nn.embedding_lookup(w, ids, "div"), tf.nn.embedding_lookup(w, [0, 1, 2], "mod"),
                                    w.as_tensor())
        self.assertEqual(div.tolist(), whole[[[4, 0], [3, 1]]].tolist())
        self.assertEqual(mod.tolist(), whole[[0, 3, 1]].tolist())

    def train(self, parts, optimizer):
        w = self.numbers(parts)
        rows = tf.nn.embedding_lookup(w, [1, 4, 1], "div")
        loss = tf.reduce_sum(tf.square(rows)) + 0.1 * tf.reduce_sum(w.as_tensor() if parts > 1 else w)
        train = optimizer.minimize(loss)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(train)
            session.run(train)
            return session.run(w.as_tensor())

    def test_training_does_not_depend_on_the_number_of_parts(self):
        for make in (lambda: tf.train.AdagradOptimizer(0.1), lambda: tf.train.FtrlOptimizer(0.1),
                     lambda: tf.train.AdamOptimizer(0.1), lambda: tf.train.MomentumOptimizer(0.1, 0.9)):
            with tf.Graph().as_default():
                one = self.train(1, make())
            with tf.Graph().as_default():
                two = self.train(2, make())
            np.testing.assert_allclose(one, two, rtol=1e-6)

    def test_the_slots_of_parts_have_tensorflows_names(self):
        w = self.numbers(2)
        tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(tf.square(w.as_tensor())))
        names = [v.op.name for v in tf.global_variables() if v.op.name.startswith("w/part_0/")]
        self.assertEqual(names, ["w/part_0/Adam", "w/part_0/Adam_1"])

    def save(self, prefix, parts, sharded=False):
        with tf.Graph().as_default(), tf.Session() as session:
            w = self.numbers(parts) if parts else tf.Variable(np.arange(10, dtype=np.float32).reshape(5, 2), name="w")
            train = tf.train.AdagradOptimizer(0.1).minimize(
                tf.reduce_sum(tf.square(w.as_tensor() if parts else w)))
            session.run(tf.global_variables_initializer())
            session.run(train)
            return tf.train.Saver(sharded=sharded).save(session, prefix), session.run(w.as_tensor() if parts else w)

    def restore(self, prefix, parts):
        with tf.Graph().as_default(), tf.Session() as session:
            if parts:
                w = tf.get_variable("w", [5, 2], partitioner=tf.fixed_size_partitioner(parts))
            else:
                w = tf.get_variable("w", [5, 2])
            optimizer = tf.train.AdagradOptimizer(0.1)
            optimizer.minimize(tf.reduce_sum(tf.square(w.as_tensor() if parts else w)))
            tf.train.Saver().restore(session, prefix)
            slots = [optimizer.get_slot(v, "accumulator") for v in (w if parts else [w])]
            return session.run(w.as_tensor() if parts else w), np.concatenate(session.run(slots))

    def test_a_checkpoint_does_not_depend_on_the_number_of_parts(self):
        with tempfile.TemporaryDirectory() as directory:
            for saved in (0, 1, 2, 3):
                for sharded in (False, True):
                    prefix, values = self.save(os.path.join(directory, f"m{saved}{sharded}"), saved, sharded)
                    self.assertEqual(tf.train.list_variables(prefix), [("w", [5, 2]), ("w/Adagrad", [5, 2])])
                    for restored in (0, 1, 2, 4):
                        found, slots = self.restore(prefix, restored)
                        np.testing.assert_array_equal(found, values)
                        np.testing.assert_allclose(slots, 0.1 + 4 * np.arange(10).reshape(5, 2) ** 2, rtol=1e-6)

    def test_moving_averages_are_saved_as_one(self):
        w = self.numbers()
        average = tf.train.ExponentialMovingAverage(0.5)
        update = average.apply(list(w))
        with tempfile.TemporaryDirectory() as directory, tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(update)
            prefix = tf.train.Saver().save(session, os.path.join(directory, "model"))
            self.assertEqual(tf.train.list_variables(prefix), [("w", [5, 2]), ("w/ExponentialMovingAverage", [5, 2])])


if __name__ == "__main__":
    unittest.main()
