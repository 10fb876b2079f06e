"""Datasets stage by stage: what each makes of a few elements."""

import collections
import os
import tempfile
import unittest

import numpy as np

import headrace as tf
from dataset_testing import Drained

Dataset = tf.data.Dataset
Point = collections.namedtuple("Point", "x y")


class DatasetTest(Drained):

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

    def test_datasets_of_another_structure_are_refused(self):
        iterator = tf.data.Iterator.from_structure(tf.int64, [])
        with self.assertRaisesRegex(ValueError, "structure"):
            iterator.make_initializer(Dataset.zip((Dataset.range(2), Dataset.range(2))))
        with self.assertRaisesRegex(ValueError, "make_initializer"):
            iterator.initializer
        with self.assertRaisesRegex(TypeError, "tuple"):
            Dataset.zip([Dataset.range(2), Dataset.range(2)])
        with self.assertRaisesRegex(ValueError, "between 1 and 3"):
            Dataset.range()

    def test_padded_shapes_have_the_rank_of_the_elements(self):
        rows = Dataset.range(1, 3).map(lambda x: tf.fill([x], x))
        with self.assertRaisesRegex(ValueError, "not compatible"):
            rows.padded_batch(2, [None, None])
        padded = rows.padded_batch(2, tf.constant([3], tf.int64))
        self.assertEqual(padded.output_shapes.as_list(), [None, 3])
        self.assertEqual(self.rows(padded), [[[1, 0, 0], [2, 2, 0]]])

    def test_a_constant_batch_size_is_known(self):
        self.assertEqual(Dataset.range(4).batch(tf.constant(2, tf.int64), drop_remainder=True).output_shapes.as_list(), [2])

    def test_sparse_elements_can_be_unbatched_and_scalars_not(self):
        sparse = tf.SparseTensor([[0, 0], [2, 1]], [1, 2], [3, 4])
        rows = self.drained(Dataset.from_tensors((sparse, [5, 6, 7])).unbatch())
        self.assertEqual([(row.values.tolist(), int(n)) for row, n in rows], [([1], 5), ([], 6), ([2], 7)])
        with self.assertRaisesRegex(ValueError, "scalar"):
            Dataset.range(3).unbatch()

    def test_what_is_never_sampled_does_not_keep_the_others_from_ending(self):
        sampled = tf.data.experimental.sample_from_datasets([Dataset.range(3), Dataset.range(10, 13)], [1.0, 0.0])
        self.assertEqual(self.rows(sampled), [0, 1, 2])


class FilesTest(Drained):

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.files = [os.path.join(folder.name, name) for name in "ab"]
        for path in self.files:
            with open(path, "w") as file:
                file.write("".join(f"{os.path.basename(path)}{i}\n" for i in range(3)))

    def test_files_are_read_one_after_the_other_or_side_by_side(self):
        in_turn, mixed = [b"a0", b"a1", b"a2", b"b0", b"b1", b"b2"], [b"a0", b"b0", b"a1", b"b1", b"a2", b"b2"]
        with_ends = {tf.data.TextLineDataset: (), tf.data.FixedLengthRecordDataset: (3,)}
        for kind, sizes in with_ends.items():
            for names in (self.files, tf.constant(self.files), Dataset.from_tensor_slices(self.files)):
                read = [line.strip() for line in self.drained(kind(names, *sizes))]
                self.assertEqual(read, in_turn)
                read = [line.strip() for line in self.drained(kind(names, *sizes, num_parallel_reads=2))]
                self.assertEqual(read, mixed)

    def test_a_dataset_of_files_has_one_name_at_a_time(self):
        for names in (Dataset.from_tensors(self.files), Dataset.range(2)):
            with self.assertRaisesRegex(TypeError, "filenames"):
                tf.data.TextLineDataset(names)


class ColumnsTest(Drained):

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def csv(self, text, name="a.csv"):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def batches(self, path, size=2, **options):
        options = {"num_epochs": 1, "shuffle": False, **options}
        batches = self.drained(tf.data.experimental.make_csv_dataset(path, size, **options))
        return [{key: value.tolist() for key, value in batch.items()} for batch in batches]

    def test_types_of_columns_are_inferred_from_their_values(self):
        path = self.csv("i,l,f,d,s,n\n1,3000000000,0.5,1e300,x,\n2,1,,2,,\n")
        dataset = tf.data.experimental.make_csv_dataset(path, 2, num_epochs=1, shuffle=False)
        self.assertEqual(list(dataset.output_types.items()), [("i", tf.int32), ("l", tf.int64), ("f", tf.float32), ("d", tf.float64),
                                                              ("s", tf.string), ("n", tf.string)])
        self.assertEqual(self.batches(path), [{"i": [1, 2], "l": [3000000000, 1], "f": [0.5, 0.0], "d": [1e300, 2.0],
                                               "s": [b"x", b""], "n": [b"", b""]}])

    def test_columns_are_chosen_and_one_is_the_label(self):
        path = self.csv("a,b,c\n1,x,2\n3,y,4\n5,z,6\n")
        self.assertEqual(self.batches(path, select_columns=["c", 0]), [{"a": [1, 3], "c": [2, 4]}, {"a": [5], "c": [6]}])
        labelled = tf.data.experimental.make_csv_dataset(path, 3, label_name="b", num_epochs=1, shuffle=False)
        (features, labels), = self.drained(labelled)
        self.assertEqual((sorted(features), labels.tolist()), (["a", "c"], [b"x", b"y", b"z"]))
        self.assertEqual(self.batches(path, select_columns=["b"], column_defaults=[0, "", 0])[1], {"b": [b"z"]})
        for wrong in (dict(label_name="d"), dict(select_columns=["d"]), dict(select_columns=[3]), dict(column_names=["a", "a", "b"]),
                      dict(header=False), dict(column_defaults=[0, ""])):
            with self.assertRaises(ValueError, msg=wrong):
                self.batches(path, **wrong)
        with self.assertRaisesRegex(ValueError, "No files match"):
            self.batches(path + "x")

    def test_rows_without_end_come_in_whole_batches(self):
        path = self.csv("1,x\nbad,y\n3,z\n")
        dataset = tf.data.experimental.make_csv_dataset(path, 2, column_names=["n", "s"], column_defaults=[tf.int32, tf.string],
                                                        header=False, shuffle=False, ignore_errors=True)
        self.assertEqual(dataset.output_shapes["n"].as_list(), [2])
        self.assertEqual([batch["n"].tolist() for batch in self.drained(dataset, 2)], [[1, 3], [1, 3]])

    def test_features_of_examples_come_in_batches(self):
        path = os.path.join(self.folder, "a.tfrecord")
        with tf.python_io.TFRecordWriter(path) as writer:
            for n in range(3):
                example = tf.train.Example()
                example.features.feature["n"].int64_list.value.append(n)
                example.features.feature["more"].float_list.value.extend([0.5] * n)
                writer.write(example.SerializeToString())
        features = {"n": tf.FixedLenFeature([], tf.int64), "more": tf.VarLenFeature(tf.float32)}
        make = tf.data.experimental.make_batched_features_dataset
        batches = self.drained(make(path, 2, features, label_key="n", num_epochs=1, shuffle=False))
        self.assertEqual([(parts["more"].dense_shape.tolist(), labels.tolist()) for parts, labels in batches],
                         [([2, 1], [0, 1]), ([1, 2], [2])])
        self.assertEqual(len(self.drained(make(path, 2, features, num_epochs=1, drop_final_batch=True))), 1)
        with self.assertRaisesRegex(ValueError, "label_key"):
            make(path, 2, features, label_key="absent")

    def test_a_dataset_tells_how_many_elements_it_has(self):
        numbers = Dataset.range(5)
        kinds = [numbers.batch(2), numbers.repeat(), numbers.filter(lambda n: n < 3)]
        with tf.Session() as session:
            self.assertEqual([session.run(tf.data.experimental.cardinality(each)) for each in kinds],
                             [3, tf.data.experimental.INFINITE_CARDINALITY, tf.data.experimental.UNKNOWN_CARDINALITY])
            self.assertEqual(session.run(tf.data.experimental.get_single_element(numbers.take(1))), 0)
            with self.assertRaises(tf.errors.InvalidArgumentError):
                session.run(tf.data.experimental.get_single_element(numbers))


if __name__ == "__main__":
    unittest.main()
