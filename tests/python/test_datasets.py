"""Datasets stage by stage: what each makes of a few elements."""

import collections
import os
import tempfile
import unittest

import numpy as np

import headrace as tf

Dataset = tf.data.Dataset
Point = collections.namedtuple("Point", "x y")


class DatasetTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def drained(self, dataset, most=50):
        element, elements = dataset.make_one_shot_iterator().get_next(), []
        with tf.Session() as session:
            try:
                while len(elements) < most:
                    elements.append(session.run(element))
            except tf.errors.OutOfRangeError:
                pass
        return elements

    def rows(self, dataset):
        return [np.asarray(row).tolist() for row in self.drained(dataset)]

    def test_windows_are_datasets_of_the_elements_that_they_span(self):
        self.assertEqual(self.rows(Dataset.range(5).window(2).flat_map(lambda w: w.batch(2))), [[0, 1], [2, 3], [4]])
        sliding = Dataset.range(6).window(3, shift=1, stride=2, drop_remainder=True)
        self.assertEqual(self.rows(sliding.flat_map(lambda w: w.batch(3))), [[0, 2, 4], [1, 3, 5]])

    def test_a_window_of_pairs_is_a_pair_of_windows(self):
        pairs = Dataset.zip((Dataset.range(4), Dataset.range(10, 14))).window(2)
        joined = pairs.flat_map(lambda a, b: Dataset.zip((a.batch(2), b.batch(2))))
        self.assertEqual([[a.tolist(), b.tolist()] for a, b in self.drained(joined)], [[[0, 1], [10, 11]], [[2, 3], [12, 13]]])

    def test_scan_keeps_a_state(self):
        sums = Dataset.range(4).apply(tf.data.experimental.scan(np.int64(0), lambda s, x: (s + x, s * x)))
        self.assertEqual(self.rows(sums), [0, 0, 2, 9])
        with self.assertRaisesRegex(TypeError, "must return a pair"):
            Dataset.range(4).apply(tf.data.experimental.scan(np.int64(0), lambda s, x: s))

    def test_take_while_ends_at_the_first_that_does_not_fit(self):
        self.assertEqual(self.rows(Dataset.range(9).apply(tf.data.experimental.take_while(lambda x: x < 3))), [0, 1, 2])

    def test_unique_gives_each_element_once(self):
        self.assertEqual(self.drained(Dataset.range(20).map(lambda i: i * i % 7).unique()), [0, 1, 4, 2])
        words = Dataset.from_tensor_slices(["a", "b", "a", "ab", "b"]).apply(tf.data.experimental.unique())
        self.assertEqual(self.drained(words), [b"a", b"b", b"ab"])
        with self.assertRaisesRegex(TypeError, "does not support type"):
            Dataset.from_tensor_slices([1.0]).unique()

    def test_windows_of_elements_with_one_key_are_reduced(self):
        grouped = Dataset.range(11).group_by_window(lambda i: (2 - i) % 3, lambda _, window: window.batch(100), window_size=3)
        self.assertEqual([rows.tolist() for rows in self.drained(grouped)], [[0, 3, 6], [1, 4, 7], [2, 5, 8], [10], [9]])
        self.assertEqual(grouped.output_shapes.as_list(), [None])

    def test_each_key_has_its_own_window_size(self):
        shift = tf.constant(1, tf.int64)
        grouped = Dataset.range(9).apply(tf.data.experimental.group_by_window(
            lambda i: i % 2, lambda key, window: window.map(lambda i: i + 100 * (key + shift)), window_size_func=lambda key: key + shift))
        self.assertEqual(self.drained(grouped), [100, 102, 201, 203, 104, 106, 205, 207, 108])

    def test_windows_of_structures_keep_their_structure(self):
        pairs = Dataset.from_tensor_slices({"x": [[1.0], [2.0], [3.0]], "id": [7, 8, 9]})
        grouped = pairs.group_by_window(lambda e: tf.to_int64(e["id"] % 2), lambda _, window: window.batch(2), 2)
        self.assertEqual([e["id"].tolist() for e in self.drained(grouped)], [[7, 9], [8]])

    def test_wrong_functions_of_groups_are_refused(self):
        numbers = Dataset.range(3)
        for key, reduce, sizes, error in ((lambda i: tf.to_int32(i), lambda _, w: w, {"window_size": 1}, (TypeError, ValueError)),
                                          (lambda i: [i], lambda _, w: w, {"window_size": 1}, ValueError),
                                          (lambda i: i, lambda key, _: key, {"window_size": 1}, TypeError),
                                          (lambda i: i, lambda _, w: w, {}, ValueError),
                                          (lambda i: i, lambda _, w: w, {"window_size": 1, "window_size_func": lambda k: k}, ValueError)):
            with self.assertRaises(error):
                numbers.group_by_window(key, reduce, **sizes)
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "Window size must be greater than zero, but got 0."):
            self.drained(numbers.group_by_window(lambda i: i, lambda _, w: w, 0))

    def growing(self):
        lengths = [1, 4, 3, 5, 6, 2]
        return Dataset.from_tensor_slices(np.array(lengths, np.int64)).map(lambda n: tf.fill([n], n))

    def bucketed(self, *arguments, **options):
        batches = self.growing().bucket_by_sequence_length(lambda row: tf.shape(row)[0], *arguments, **options)
        return [batch.tolist() for batch in self.drained(batches)]

    def test_rows_of_about_one_length_are_batched_together(self):
        self.assertEqual(self.bucketed([3, 5], [2, 2, 2]),
                         [[[4] * 4, [3, 3, 3, 0]], [[5] * 5 + [0], [6] * 6], [[1, 0], [2, 2]]])
        self.assertEqual(self.bucketed([3, 7], [2, 3, 1], pad_to_bucket_boundary=True, padding_values=np.int64(-1), drop_remainder=True),
                         [[[4] * 4 + [-1] * 2, [3] * 3 + [-1] * 3, [5] * 5 + [-1]], [[1, -1], [2, 2]]])
        self.assertEqual(self.bucketed([3, 5], [1, 2, 3], padded_shapes=[8])[0], [[1] + [0] * 7])
        self.assertEqual(self.bucketed([], [1], no_padding=True), [[[n] * n] for n in (1, 4, 3, 5, 6, 2)])

    def test_rows_beyond_the_last_boundary_are_refused_where_rows_are_padded_to_it(self):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "elements must have length < max"):
            self.bucketed([3, 5], [1, 1, 1], pad_to_bucket_boundary=True)
        with self.assertRaisesRegex(ValueError, "must equal"):
            self.bucketed([3, 5], [1, 1])

    def test_resampled_classes_are_as_frequent_as_asked(self):
        tf.set_random_seed(3)
        numbers = Dataset.range(3000)  # one in ten is of class 1
        for initial in None, [0.9, 0.1]:
            resampled = numbers.rejection_resample(lambda i: tf.to_int32(tf.equal(i % 10, 0)), [0.5, 0.5], initial, seed=5)
            pairs = self.drained(resampled, 3000)
            self.assertTrue(all(kind == int(i % 10 == 0) for kind, i in pairs))
            self.assertAlmostEqual(np.mean([kind for kind, _ in pairs]), 0.5, delta=0.06)
            self.assertGreater(sum(kind for kind, _ in pairs), 250)  # the rare class is kept
        pairs = Dataset.zip((numbers, numbers)).apply(tf.data.experimental.rejection_resample(lambda a, b: tf.to_int32(a % 2), [0.0, 1.0]))
        self.assertTrue(all(a % 2 == 1 and a == b for _, (a, b) in self.drained(pairs)))

    def test_padded_shapes_may_be_tensors(self):
        longest = tf.constant(7)
        for shape in [longest], tf.stack([longest]):
            batch, = self.drained(self.growing().padded_batch(6, shape))
            self.assertEqual(batch.shape, (6, 7))

    def test_ignore_errors_leaves_out_what_fails(self):
        inverse = Dataset.from_tensor_slices([1.0, 0.0, 2.0]).map(lambda x: tf.check_numerics(1.0 / x, "inverse"))
        self.assertEqual(self.rows(inverse.apply(tf.data.experimental.ignore_errors())), [1.0, 0.5])

    def test_datasets_can_be_chosen_and_sampled_from(self):
        low, high = Dataset.range(3), Dataset.range(10, 13)
        choice = Dataset.from_tensor_slices(np.array([0, 1, 1, 0], np.int64))
        self.assertEqual(self.rows(tf.data.experimental.choose_from_datasets([low, high], choice)), [0, 10, 11, 1])
        sampled = self.rows(tf.data.experimental.sample_from_datasets([low, high], [0.5, 0.5], seed=1))
        self.assertEqual(sorted(sampled), [0, 1, 2, 10, 11, 12])
        self.assertEqual([n for n in sampled if n < 10], [0, 1, 2])

    def test_counters_count_without_end(self):
        self.assertEqual(self.rows(tf.data.experimental.Counter(3, 2).take(3)), [3, 5, 7])

    def test_csv_files_are_parsed_line_by_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.csv")
            with open(path, "w") as file:
                file.write("id,name,value\n1,a,0.5\n2,,1.5\n")
            records = tf.data.experimental.CsvDataset(path, [tf.int32, ["-"]], header=True, select_cols=[0, 1])
            self.assertEqual([(int(i), name) for i, name in self.drained(records)], [(1, b"a"), (2, b"-")])

    def test_a_named_tuple_is_one_argument_of_the_function(self):
        points = Dataset.from_tensor_slices(Point([1, 2], [3.0, 4.0])).map(lambda p: Point(p.x + 1, p.y))
        self.assertEqual([(int(p.x), float(p.y)) for p in self.drained(points)], [(2, 3.0), (3, 4.0)])

    def test_what_cannot_be_put_together_is_refused(self):
        with self.assertRaises(ValueError):
            Dataset.from_tensor_slices((np.zeros(3), np.zeros(2)))
        with self.assertRaisesRegex(TypeError, "different types"):
            Dataset.range(3).concatenate(Dataset.from_tensors("x"))


if __name__ == "__main__":
    unittest.main()
