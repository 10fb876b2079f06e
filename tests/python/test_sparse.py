"""Sparse tensors: building, feeding, fetching, transforming, and as elements of datasets."""

import unittest

import numpy as np

import headrace as tf


def example():
    return tf.SparseTensor([[0, 1], [2, 0], [2, 3]], [1.0, 2.0, 3.0], [3, 4])


class SparseTensorTest(unittest.TestCase):

    def setUp(self):
        self.graph = tf.Graph()
        self._scope = self.graph.as_default()
        self._scope.__enter__()
        self.addCleanup(self._scope.__exit__, None, None, None)

    def run_(self, fetches, feeds=None):
        with tf.Session(graph=self.graph) as session:
            return session.run(fetches, feeds)

    def dense(self, sparse):
        return self.run_(tf.sparse_tensor_to_dense(sparse)).tolist()

    def test_a_fetch_gives_a_value_of_the_three_parts(self):
        value = self.run_({"x": example()})["x"]
        self.assertIsInstance(value, tf.SparseTensorValue)
        self.assertEqual(value.indices.tolist(), [[0, 1], [2, 0], [2, 3]])
        self.assertEqual(value.values.tolist(), [1, 2, 3])
        self.assertEqual(value.dense_shape.tolist(), [3, 4])

    def test_distances_of_sequences_are_in_parts_of_the_truths_length(self):
        said = tf.SparseTensor([[0, 0, 0], [1, 0, 0]], ["a", "b"], [2, 1, 1])
        meant = tf.SparseTensor([[0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 0]], ["a", "b", "c", "a"], [2, 2, 2])
        distance = tf.edit_distance(said, meant)
        self.assertEqual((distance.name, distance.shape.as_list()), ("edit_distance:0", [2, 2]))
        self.assertEqual(self.run_([distance, tf.edit_distance(meant, said, normalize=False)])[0].tolist(),
                         [[np.inf, 1], [0.5, 1]])
        self.assertEqual(self.run_(tf.edit_distance(meant, said, False)).tolist(), [[1, 1], [1, 1]])
        with self.assertRaisesRegex(TypeError, "Truth must be a SparseTensor"):
            tf.edit_distance(said, [[1]])

    def test_a_placeholder_takes_a_value_or_a_tuple(self):
        x = tf.sparse_placeholder(tf.float32, name="x")
        self.assertEqual(x.values.name, "x/values:0")
        total = tf.sparse_reduce_sum(x, 1)
        value = tf.SparseTensorValue([[0, 0], [1, 1]], [5.0, 7.0], [2, 2])
        self.assertEqual(self.run_(total, {x: value}).tolist(), [5, 7])
        self.assertEqual(self.run_(total, {x: (np.array([[1, 0]]), np.array([2.0]), np.array([2, 2]))}).tolist(), [0, 2])

    def test_a_placeholder_knows_the_shape_that_it_is_given(self):
        self.assertEqual(tf.sparse_placeholder(tf.float32, [3, 4]).shape.as_list(), [3, 4])
        self.assertEqual(tf.sparse_placeholder(tf.float32, [None, 4]).shape.as_list(), [None, 4])
        self.assertIsNone(tf.sparse_placeholder(tf.float32).shape.rank)

    def test_parts_that_do_not_fit_are_refused(self):
        with self.assertRaises(ValueError):
            tf.SparseTensor([[0, 0]], [1.0, 2.0], [1, 1])
        with self.assertRaises(ValueError):
            tf.SparseTensor([0], [1.0], [1])

    def test_to_dense_fills_with_the_default(self):
        self.assertEqual(self.dense(example()), [[0, 1, 0, 0], [0, 0, 0, 0], [2, 0, 0, 3]])
        words = tf.SparseTensor([[0, 1]], ["a"], [1, 2])
        self.assertEqual(self.run_(tf.sparse_tensor_to_dense(words, "-")).tolist(), [[b"-", b"a"]])
        self.assertEqual(self.run_(tf.sparse_to_dense([1, 3], [4], 1)).tolist(), [0, 1, 0, 1])

    def test_shape_changing_operations(self):
        self.assertEqual(self.dense(tf.sparse_reshape(example(), [2, -1])), [[0, 1, 0, 0, 0, 0], [0, 0, 2, 0, 0, 3]])
        self.assertEqual(self.dense(tf.sparse_slice(example(), [1, 0], [2, 2])), [[0, 0], [2, 0]])
        self.assertEqual(self.dense(tf.sparse_transpose(example())), [[0, 0, 2], [1, 0, 0], [0, 0, 0], [0, 0, 3]])
        self.assertEqual(self.dense(tf.sparse_concat(0, [example(), example()]))[3:], self.dense(example()))
        parts = tf.sparse_split(sp_input=example(), num_split=2, axis=1)
        self.assertEqual(self.dense(parts[1]), [[0, 0], [0, 0], [0, 3]])
        wide = tf.sparse_concat(1, [example(), tf.SparseTensor([[0, 0]], [9.0], [1, 1])], expand_nonconcat_dim=True)
        self.assertEqual(self.dense(wide)[0], [0, 1, 0, 0, 9])

    def test_element_choosing_operations(self):
        self.assertEqual(self.dense(tf.sparse_retain(example(), [True, False, True]))[2], [0, 0, 0, 3])
        filled, empty = tf.sparse_fill_empty_rows(example(), 8.0)
        self.assertEqual(self.dense(filled)[1], [8, 0, 0, 0])
        self.assertEqual(self.run_(empty).tolist(), [False, True, False])
        unordered = tf.SparseTensor([[1, 0], [0, 0]], [1.0, 2.0], [2, 1])
        self.assertEqual(self.run_(tf.sparse_reorder(unordered).values).tolist(), [2, 1])
        self.assertEqual(self.run_(tf.sparse_reset_shape(example())).dense_shape.tolist(), [3, 4])

    def test_arithmetic(self):
        self.assertEqual(self.run_(tf.sparse_tensor_dense_matmul(example(), tf.ones([4, 1]))).tolist(), [[1], [0], [5]])
        self.assertEqual(self.dense(tf.sparse_add(example(), example()))[0], [0, 2, 0, 0])
        self.assertEqual(self.run_(tf.sparse_add(example(), tf.ones([3, 4])))[0].tolist(), [1, 2, 1, 1])
        self.assertEqual(self.run_((example() * [[2.0], [3.0], [4.0]]).values).tolist(), [2, 8, 12])
        self.assertEqual(self.run_(tf.cast(example(), tf.int32).values).dtype, np.int32)
        self.assertEqual(self.run_(tf.shape(example())).tolist(), [3, 4])
        rows = tf.constant([[1.0], [2.0], [4.0]])
        self.assertEqual(self.run_(tf.sparse_segment_sum(rows, [0, 2, 1], [0, 0, 1])).tolist(), [[5], [2]])
        self.assertEqual(self.run_(tf.sparse_segment_mean(rows, [0, 2, 1], [0, 0, 1])).tolist(), [[2.5], [2]])

    def test_a_merge_makes_ids_places(self):
        ids = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([4, 2, 0], tf.int64), [2, 2])
        weights = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1.0, 2.0, 3.0], [2, 2])
        self.assertEqual(self.dense(tf.sparse_merge(ids, weights, 5)), [[0, 0, 2, 0, 1], [3, 0, 0, 0, 0]])
        self.assertEqual(self.run_(tf.sparse_to_indicator(ids, 5)).tolist(),
                         [[False, False, True, False, True], [True, False, False, False, False]])

    def test_gradients_go_through_the_values(self):
        values = tf.constant([1.0, 2.0])
        product = tf.sparse_tensor_dense_matmul(tf.SparseTensor([[0, 0], [1, 1]], values, [2, 2]), [[3.0], [5.0]])
        self.assertEqual(self.run_(tf.gradients(product, values)[0]).tolist(), [3, 5])


    def test_a_branch_may_return_one(self):
        x, choice = example(), tf.placeholder(tf.bool, [])
        chosen = tf.cond(choice, lambda: {"x": x.with_values(x.values * 2.0)}, lambda: {"x": x})["x"]
        self.assertEqual(self.run_(chosen, {choice: True}).values.tolist(), [2, 4, 6])
        self.assertEqual(self.run_(chosen, {choice: False}).values.tolist(), [1, 2, 3])


class SparseDatasetTest(unittest.TestCase):

    def elements(self, build):
        with tf.Graph().as_default():
            dataset = build()
            element = dataset.make_one_shot_iterator().get_next()
            found = []
            with tf.Session() as session:
                with self.assertRaises(tf.errors.OutOfRangeError):
                    while True:
                        found.append(session.run(element))
            return dataset, found

    def test_map_makes_and_takes_sparse_elements_and_batch_stacks_them(self):
        def build():
            dataset = tf.data.Dataset.range(3)
            dataset = dataset.map(lambda n: (n, tf.SparseTensor([[n]], [n * 10], [4])))
            dataset = dataset.map(lambda n, sparse: {"n": n, "s": sparse.with_values(sparse.values + 1)})
            return dataset.batch(2)

        dataset, found = self.elements(build)
        self.assertIs(dataset.output_classes["s"], tf.SparseTensor)
        self.assertEqual(dataset.output_types["s"], tf.int64)
        self.assertEqual(found[0]["s"].indices.tolist(), [[0, 0], [1, 1]])
        self.assertEqual(found[0]["s"].values.tolist(), [1, 11])
        self.assertEqual(found[0]["s"].dense_shape.tolist(), [2, 4])
        self.assertEqual(found[1]["s"].indices.tolist(), [[0, 2]])

    def test_slices_of_a_sparse_tensor(self):
        def build():
            whole = tf.SparseTensorValue(np.array([[0, 1], [1, 0]]), np.array(["a", "b"], dtype=object), np.array([3, 2]))
            return tf.data.Dataset.from_tensor_slices(whole)

        dataset, found = self.elements(build)
        self.assertEqual(dataset.output_shapes.as_list(), [2])
        self.assertEqual([value.values.tolist() for value in found], [[b"a"], [b"b"], []])
        self.assertEqual(found[0].indices.tolist(), [[1]])

    def test_a_sparse_element_cannot_be_padded(self):
        with tf.Graph().as_default(), self.assertRaises(TypeError):
            tf.data.Dataset.from_tensors(example()).padded_batch(2)


if __name__ == "__main__":
    unittest.main()
