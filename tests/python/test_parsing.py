"""Examples, CSV, raw bytes and files."""

import os
import struct
import tempfile
import unittest

import numpy as np

import headrace as tf


def _varint(number):
    out = b""
    while True:
        number, low = number >> 7, number & 127
        if not number:
            return out + bytes([low])
        out += bytes([low | 128])


def _field(number, payload):
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _feature(values):
    if isinstance(values[0], (str, bytes)):
        body = b"".join(_field(1, v.encode() if isinstance(v, str) else v) for v in values)
        return _field(1, body)
    if isinstance(values[0], float):
        return _field(2, _field(1, struct.pack(f"<{len(values)}f", *values)))
    return _field(3, _field(1, b"".join(_varint(v & (1 << 64) - 1) for v in values)))


def example(**features):
    """A serialized Example message."""
    entries = b""
    for key, values in features.items():
        entries += _field(1, _field(1, key.encode()) + _field(2, _feature(values) if values else b""))
    return _field(1, entries)


def sequence(lists, **context):
    """A serialized SequenceExample message; lists: {key: rows}."""
    entries = b""
    for key, rows in lists.items():
        entries += _field(1, _field(1, key.encode()) + _field(2, b"".join(
            _field(1, _feature(row) if row else b"") for row in rows)))
    return example(**context) + _field(2, entries)


class ParsingTest(unittest.TestCase):

    def run_(self, build, feeds=None):
        with tf.Graph().as_default(), tf.Session() as session:
            return session.run(build())

    def test_dense_and_sparse_features_of_a_batch(self):
        batch = [example(x=[1.0, 2.0], words=["a", "b"], n=[7]), example(x=[3.0, 4.0], words=["c"])]
        found = self.run_(lambda: tf.parse_example(batch, {
            "x": tf.FixedLenFeature([2], tf.float32), "words": tf.VarLenFeature(tf.string),
            "n": tf.FixedLenFeature([], tf.int64, default_value=-1)}))
        self.assertEqual(found["x"].tolist(), [[1, 2], [3, 4]])
        self.assertEqual(found["n"].tolist(), [7, -1])
        self.assertEqual(found["words"].indices.tolist(), [[0, 0], [0, 1], [1, 0]])
        self.assertEqual(found["words"].values.tolist(), [b"a", b"b", b"c"])
        self.assertEqual(found["words"].dense_shape.tolist(), [2, 2])

    def test_static_shapes_are_known(self):
        with tf.Graph().as_default():
            found = tf.parse_example(tf.placeholder(tf.string, [None]), {
                "x": tf.FixedLenFeature([2, 3], tf.float32), "s": tf.VarLenFeature(tf.int64),
                "q": tf.FixedLenSequenceFeature([2], tf.float32, allow_missing=True)})
            self.assertEqual(found["x"].shape.as_list(), [None, 2, 3])
            self.assertEqual(found["q"].shape.as_list(), [None, None, 2])
            self.assertEqual(found["s"].shape.as_list(), [None, None])
            one = tf.parse_single_example(tf.placeholder(tf.string, []), {"x": tf.FixedLenFeature([2], tf.float32)})
            self.assertEqual(one["x"].shape.as_list(), [2])

    def test_a_missing_feature_without_default_names_its_key(self):
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "label"):
            self.run_(lambda: tf.parse_example([example(x=[1.0])], {"label": tf.FixedLenFeature([], tf.int64)}))

    def test_one_example_and_sequences(self):
        found = self.run_(lambda: tf.io.parse_single_example(example(x=[1.0, 2.0, 3.0, 4.0], w=["q"]), {
            "x": tf.FixedLenSequenceFeature([2], tf.float32, allow_missing=True), "w": tf.VarLenFeature(tf.string)}))
        self.assertEqual(found["x"].tolist(), [[1, 2], [3, 4]])
        self.assertEqual(found["w"].values.tolist(), [b"q"])
        padded = self.run_(lambda: tf.parse_example([example(x=[1]), example(x=[2, 3])], {
            "x": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True, default_value=-1)}))
        self.assertEqual(padded["x"].tolist(), [[1, -1], [2, 3]])

    def test_a_sparse_feature_joins_places_and_values(self):
        found = self.run_(lambda: tf.parse_example([example(ix=[5, 2], v=[1.0, 2.0]), example(ix=[0], v=[3.0])], {
            "row": tf.SparseFeature("ix", "v", tf.float32, 6)}))
        self.assertEqual(list(found), ["row"])
        self.assertEqual(found["row"].indices.tolist(), [[0, 2], [0, 5], [1, 0]])
        self.assertEqual(found["row"].values.tolist(), [2, 1, 3])
        self.assertEqual(found["row"].dense_shape.tolist(), [2, 6])

    def test_sequences_of_a_batch_are_filled_up_and_counted(self):
        batch = [sequence({"x": [[1.0, 2.0], [3.0, 4.0]], "words": [["a", "b"], [], ["c"]]}, label=[7], tags=["t"]),
                 sequence({"x": [[5.0, 6.0]]}, tags=["u", "v"])]
        context, lists, lengths = self.run_(lambda: tf.io.parse_sequence_example(
            batch, {"label": tf.FixedLenFeature([], tf.int64, default_value=-1), "tags": tf.VarLenFeature(tf.string)},
            {"x": tf.FixedLenSequenceFeature([2], tf.float32), "words": tf.VarLenFeature(tf.string),
             "none": tf.FixedLenSequenceFeature([], tf.string, allow_missing=True)}))
        self.assertEqual(context["label"].tolist(), [7, -1])
        self.assertEqual(context["tags"].values.tolist(), [b"t", b"u", b"v"])
        self.assertEqual(lists["x"].tolist(), [[[1, 2], [3, 4]], [[5, 6], [0, 0]]])
        self.assertEqual(lists["words"].indices.tolist(), [[0, 0, 0], [0, 0, 1], [0, 2, 0]])
        self.assertEqual(lists["words"].dense_shape.tolist(), [2, 3, 2])
        self.assertEqual(lists["none"].shape, (2, 0))
        self.assertEqual({key: value.tolist() for key, value in lengths.items()}, {"x": [2, 1], "none": [0, 0]})

    def test_one_sequence_has_its_rows_first(self):
        message = sequence({"x": [[1], [2], [3]], "bag": [[4, 5], []]}, length=[3])
        context, lists = self.run_(lambda: tf.parse_single_sequence_example(
            message, {"length": tf.FixedLenFeature([], tf.int64)},
            {"x": tf.FixedLenSequenceFeature([], tf.int64), "bag": tf.VarLenFeature(tf.int64)}))
        self.assertEqual(context["length"], 3)
        self.assertEqual(lists["x"].tolist(), [1, 2, 3])
        self.assertEqual(lists["bag"].indices.tolist(), [[0, 0], [0, 1]])
        self.assertEqual(lists["bag"].dense_shape.tolist(), [2, 2])
        with tf.Graph().as_default():
            _, lists = tf.io.parse_single_sequence_example(tf.placeholder(tf.string), sequence_features={
                "x": tf.FixedLenSequenceFeature([3], tf.int64), "bag": tf.VarLenFeature(tf.int64)})
            self.assertEqual(lists["x"].op.name, "ParseSingleSequenceExample/ParseSequenceExample/ParseSequenceExampleV2")
            self.assertIsNone(lists["x"].shape.rank)
            _, lists = tf.io.parse_single_sequence_example(tf.placeholder(tf.string, []), sequence_features={
                "x": tf.FixedLenSequenceFeature([3], tf.int64), "bag": tf.VarLenFeature(tf.int64)})
            self.assertEqual(lists["x"].shape.as_list(), [None, 3])
            self.assertEqual(lists["bag"].shape.as_list(), [None, None])

    def test_a_sequence_that_is_not_as_wanted_names_itself_and_the_feature(self):
        def parse(features, message=sequence({"x": [[1], [2, 3]]})):
            return self.run_(lambda: tf.io.parse_sequence_example([message], None, features, example_names=["n"]))

        for features, text in (({"y": tf.FixedLenSequenceFeature([], tf.int64)}, "Name: n, Feature list 'y' is required but"),
                               ({"x": tf.FixedLenSequenceFeature([], tf.int64)}, "Name: n, Key: x, Index: 1.  Number of values"),
                               ({"x": tf.VarLenFeature(tf.float32)}, "Name: n, Feature list: x, Index: 0.  Data types don't")):
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, text):
                parse(features)
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "Invalid protocol message input, example id: n"):
            parse({"x": tf.VarLenFeature(tf.int64)}, b"abc")

    def test_wrong_descriptions_of_sequences_are_refused(self):
        with tf.Graph().as_default():
            for context, lists in ((None, None), ({"x": tf.FixedLenSequenceFeature([], tf.int64)}, None),
                                   (None, {"x": tf.FixedLenFeature([], tf.int64)}),
                                   (None, {"x": tf.FixedLenSequenceFeature([], tf.int64, default_value=1)}),
                                   (None, {"x": tf.FixedLenSequenceFeature([None], tf.int64)})):
                with self.assertRaises(ValueError):
                    tf.io.parse_sequence_example(["a"], context, lists)

    def test_wrong_descriptions_are_refused(self):
        with tf.Graph().as_default():
            for features in ({}, {"x": 3}, {"x": tf.FixedLenFeature([None], tf.float32)},
                             {"x": tf.FixedLenSequenceFeature([], tf.float32)}):
                with self.assertRaises(ValueError):
                    tf.parse_example(["a"], features)

    def test_csv_columns_defaults_and_selection(self):
        lines = ["1,2.5,a", "4,,\"b,c\""]
        one, two, three = self.run_(lambda: tf.decode_csv(lines, [[0], [9.0], [""]]))
        self.assertEqual((one.tolist(), two.tolist(), three.tolist()), ([1, 4], [2.5, 9.0], [b"a", b"b,c"]))
        picked, = self.run_(lambda: tf.io.decode_csv(lines, [tf.constant([], tf.string)], select_cols=[2]))
        self.assertEqual(picked.tolist(), [b"a", b"b,c"])
        self.assertEqual(self.run_(lambda: tf.decode_csv("1|x", [tf.int64, tf.string], field_delim="|")), [1, b"x"])
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "Field 1"):
            self.run_(lambda: tf.decode_csv(lines, [[0], tf.float32, [""]]))

    def test_raw_bytes_and_numbers(self):
        self.assertEqual(self.run_(lambda: tf.decode_raw([b"\x01\x00\x02\x00"], tf.uint16)).tolist(), [[1, 2]])
        self.assertEqual(self.run_(lambda: tf.decode_raw(b"\x01\x02", tf.uint8)).tolist(), [1, 2])
        self.assertEqual(self.run_(lambda: tf.string_to_number(["1.5", "-2"])).tolist(), [1.5, -2])
        self.assertEqual(self.run_(lambda: tf.string_to_number("12", tf.int64)), 12)

    def test_tensors_as_messages(self):
        value = self.run_(lambda: tf.parse_tensor(tf.serialize_tensor([[1, 2]]), tf.int32))
        self.assertEqual(value.tolist(), [[1, 2]])

    def test_whole_files(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "a.txt")
            self.run_(lambda: tf.write_file(path, "text"))
            self.assertEqual(self.run_(lambda: tf.read_file(path)), b"text")
            self.assertEqual(self.run_(lambda: tf.matching_files(directory + "/*.txt")).tolist(), [path.encode()])

    def test_parsing_in_a_dataset_gives_sparse_batches(self):
        with tf.Graph().as_default(), tf.Session() as session:
            examples = np.array([example(w=["a", "b"]), example(w=[]), example(w=["c"])], dtype=object)
            dataset = tf.data.Dataset.from_tensor_slices(examples)
            dataset = dataset.map(lambda e: tf.parse_single_example(e, {"w": tf.VarLenFeature(tf.string)})).batch(3)
            found = session.run(dataset.make_one_shot_iterator().get_next())["w"]
            self.assertEqual(found.indices.tolist(), [[0, 0], [0, 1], [2, 0]])
            self.assertEqual(found.dense_shape.tolist(), [3, 2])


if __name__ == "__main__":
    unittest.main()
