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

    def test_windows_of_structures_keep_their_structure(self):
        pairs = Dataset.from_tensor_slices({"x": [[1.0], [2.0], [3.0]], "id": [7, 8, 9]})
        grouped = pairs.group_by_window(lambda e: tf.to_int64(e["id"] % 2), lambda _, window: window.batch(2), 2)
        self.assertEqual([e["id"].tolist() for e in self.drained(grouped)], [[7, 9], [8]])

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

    def test_padded_shapes_may_have_tensors(self):
        rows = Dataset.range(3).map(lambda n: tf.fill([n], n))
        batch, = self.drained(rows.padded_batch(3, [tf.constant(4, tf.int64)]))
        self.assertEqual(batch.shape, (3, 4))

    def test_ignore_errors_leaves_out_what_fails(self):
        inverse = Dataset.from_tensor_slices([1.0, 0.0, 2.0]).map(lambda x: tf.check_numerics(1.0 / x, "inverse"))
        self.assertEqual(self.rows(inverse.apply(tf.data.experimental.ignore_errors())), [1.0, 0.5])

    def test_windows_of_a_group_are_reduced(self):
        grouped = Dataset.range(10).apply(tf.data.experimental.group_by_window(
            lambda x: x % 3, lambda key, window: window.batch(2).map(lambda rows: (key, rows)), window_size=3))
        self.assertEqual([(int(key), rows.tolist()) for key, rows in self.drained(grouped)],
                         [(0, [0, 3]), (0, [6]), (1, [1, 4]), (1, [7]), (2, [2, 5]), (2, [8]), (0, [9])])
        sizes = tf.constant([1, 2], tf.int64)  # captured
        pairs = Dataset.zip((Dataset.range(5), Dataset.range(10, 15)))
        grouped = pairs.group_by_window(lambda a, b: a % 2, lambda key, window: window.map(lambda a, b: b - key).batch(9),
                                        window_size_func=lambda key: tf.gather(sizes, key))
        self.assertEqual(self.rows(grouped), [[10], [12], [10, 12], [14]])

    def test_groups_need_int64_keys_and_one_window_size(self):
        group = Dataset.range(3).group_by_window
        with self.assertRaisesRegex(ValueError, "must be specified"):
            group(lambda x: x, lambda key, window: window)
        with self.assertRaisesRegex(ValueError, "scalar tensor"):
            group(lambda x: tf.stack([x, x]), lambda key, window: window, 2)
        with self.assertRaisesRegex(TypeError, "must return a single `tf.data.Dataset`"):
            group(lambda x: x, lambda key, window: key, 2)

    def buckets(self, **options):
        rows = Dataset.from_tensor_slices(np.array([1, 5, 3, 2, 4, 6], np.int64)).map(lambda n: tf.fill([n], n))
        return self.rows(rows.apply(tf.data.experimental.bucket_by_sequence_length(
            lambda row: tf.shape(row)[0], [3, 7], [2, 2, 1], **options)))

    def test_sequences_of_similar_length_are_batched(self):
        self.assertEqual(self.buckets(), [[[5] * 5, [3] * 3 + [0] * 2], [[1, 0], [2, 2]], [[4] * 4 + [0] * 2, [6] * 6]])
        self.assertEqual(self.buckets(pad_to_bucket_boundary=True, padding_values=np.int64(-1), drop_remainder=True),
                         [[[5] * 5 + [-1], [3] * 3 + [-1] * 3], [[1, -1], [2, 2]], [[4] * 4 + [-1] * 2, [6] * 6]])
        with self.assertRaisesRegex(ValueError, "must equal"):
            Dataset.range(3).bucket_by_sequence_length(lambda x: x, [3], [2])

    def test_a_sequence_beyond_the_last_boundary_cannot_be_padded_to_it(self):
        rows = Dataset.from_tensors(np.zeros(9)).bucket_by_sequence_length(
            lambda row: tf.shape(row)[0], [3], [1, 1], padded_shapes=[None], pad_to_bucket_boundary=True)
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "elements must have length < max"):
            self.rows(rows)

    def test_buckets_without_padding(self):
        numbers = Dataset.range(6).bucket_by_sequence_length(lambda n: n, [2], [2, 3], no_padding=True)
        self.assertEqual(self.rows(numbers), [[0, 1], [2, 3, 4], [5]])

    def test_unique_keeps_the_first_of_each(self):
        self.assertEqual(self.rows(Dataset.range(9).map(lambda x: x * x % 5).apply(tf.data.experimental.unique())), [0, 1, 4])
        self.assertEqual(self.rows(Dataset.from_tensor_slices(["b", "a", "b"]).unique()), [b"b", b"a"])
        with self.assertRaisesRegex(TypeError, "does not support type"):
            Dataset.from_tensors(0.5).unique()

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
