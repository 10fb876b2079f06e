"""Feature columns: names and shapes of variables, values of layers, parsing specifications, refusals."""

import os
import tempfile
import unittest

import headrace as tf
import numpy as np

fc = tf.feature_column


class FeatureColumnTest(unittest.TestCase):

    def setUp(self):
        self.graph = tf.Graph()
        scope = self.graph.as_default()
        scope.__enter__()
        self.addCleanup(scope.__exit__, None, None, None)

    def run_(self, fetches, **weights):
        with tf.Session(graph=self.graph) as session:
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            for name, value in weights.items():
                next(v for v in tf.global_variables() if v.op.name.endswith(name)).load(value, session)
            return session.run(fetches)

    def layer(self, features, *columns):
        return self.run_(fc.input_layer(features, list(columns))).tolist()

    def names(self):
        return {v.op.name: v.shape.as_list() for v in tf.global_variables()}

    def test_numbers_are_joined_in_the_order_of_their_names(self):
        features = {"b": [[1.0, 2.0]], "a": tf.constant([3])}
        found = self.layer(features, fc.numeric_column("b", [2], normalizer_fn=lambda x: x * 10), fc.numeric_column("a"))
        self.assertEqual(found, [[3, 10, 20]])

    def test_buckets_of_numbers(self):
        column = fc.bucketized_column(fc.numeric_column("x", [2]), [0.0, 10.0])
        self.assertEqual(self.layer({"x": [[-1.0, 10.0]]}, column), [[1, 0, 0, 0, 0, 1]])
        total = fc.linear_model({"x": [[-1.0, 10.0]]}, [column])
        self.assertEqual(self.names()["linear_model/x_bucketized/weights"], [6, 1])
        found = self.run_(total, **{"x_bucketized/weights": np.arange(6).reshape(6, 1), "bias_weights": [0.5]})
        self.assertEqual(found.tolist(), [[5.5]])

    def test_indicators_count_ids(self):
        words = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], ["a", "a", "z"], [2, 2])
        known = fc.categorical_column_with_vocabulary_list("w", ["a", "b"])
        more = fc.categorical_column_with_vocabulary_list("w", ["a", "b"], num_oov_buckets=1)
        self.assertEqual(self.layer({"w": words}, fc.indicator_column(known)), [[2, 0], [0, 0]])
        self.assertEqual(self.layer({"w": words}, fc.indicator_column(more)), [[2, 0, 0], [0, 0, 1]])
        weighted = fc.weighted_categorical_column(more, "weight")
        weights = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1.0, 2.0, 4.0], [2, 2])
        self.assertEqual(self.layer({"w": words, "weight": weights}, fc.indicator_column(weighted)), [[3, 0, 0], [0, 0, 4]])

    def test_ids_that_are_their_own(self):
        column = fc.categorical_column_with_identity("i", 3, default_value=2)
        self.assertEqual(self.layer({"i": [[0], [7], [-1]]}, fc.indicator_column(column)), [[1, 0, 0], [0, 0, 1], [0, 0, 0]])

    def test_a_vocabulary_file(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "words")
            with open(path, "w") as words:
                words.write("a\nb\n")
            column = fc.categorical_column_with_vocabulary_file("w", path)
            self.assertEqual(column.num_buckets, 2)
            self.assertEqual(self.layer({"w": [["b"], ["?"]]}, fc.indicator_column(column)), [[0, 1], [0, 0]])

    def test_an_embedding_has_tensorflows_name_and_combines_rows(self):
        column = fc.categorical_column_with_identity("i", 4)
        ids = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], tf.constant([1, 3, 2], tf.int64), [3, 2])
        layer = fc.input_layer({"i": ids}, [fc.embedding_column(column, 2)])
        self.assertEqual(self.names(), {"input_layer/i_embedding/embedding_weights": [4, 2]})
        self.assertEqual(layer.shape.as_list(), [None, 2])
        found = self.run_(layer, embedding_weights=np.arange(8).reshape(4, 2))
        self.assertEqual(found.tolist(), [[4, 5], [0, 0], [4, 5]])

    def test_an_embedding_in_parts(self):
        column = fc.embedding_column(fc.categorical_column_with_identity("i", 5), 2)
        with tf.variable_scope("net", partitioner=tf.fixed_size_partitioner(2)):
            layer = fc.input_layer({"i": [[0], [4]]}, [column])
        self.assertEqual(self.names(), {"net/input_layer/i_embedding/embedding_weights/part_0": [3, 2],
                                        "net/input_layer/i_embedding/embedding_weights/part_1": [2, 2]})
        self.assertEqual(self.run_(layer, part_0=np.ones([3, 2]), part_1=np.full([2, 2], 7)).tolist(), [[1, 1], [7, 7]])

    def test_shared_embeddings_are_one_table(self):
        columns = [fc.categorical_column_with_identity(key, 3) for key in ("b", "a")]
        layer = fc.input_layer({"a": [[0]], "b": [[2]]}, fc.shared_embedding_columns(columns, 1))
        self.assertEqual(self.names(), {"input_layer/a_b_shared_embedding/embedding_weights": [3, 1]})
        self.assertEqual(self.run_(layer, embedding_weights=[[1], [2], [3]]).tolist(), [[1, 3]])

    def test_a_linear_model_has_tensorflows_names(self):
        sex = fc.categorical_column_with_vocabulary_list("sex", ["f", "m"])
        columns = [fc.numeric_column("age"), sex, fc.crossed_column(["sex", "job"], 10)]
        variables = {}
        total = fc.linear_model({"age": [[2.0], [3.0]], "sex": [["f"], ["m"]], "job": [["x"], ["y"]]}, columns, units=2,
                                cols_to_vars=variables)
        self.assertEqual(self.names(), {
            "linear_model/age/weights": [1, 2], "linear_model/job_X_sex/weights": [10, 2], "linear_model/sex/weights": [2, 2],
            "linear_model/bias_weights": [2]})
        self.assertEqual([v.op.name for v in variables["bias"]], ["linear_model/bias_weights"])
        found = self.run_(total, **{"age/weights": [[1, 10]], "model/sex/weights": [[0.5, 0], [0, 0.25]]})
        self.assertEqual(found.tolist(), [[2.5, 20], [3, 30.25]])
        self.assertEqual(len(tf.get_collection(tf.GraphKeys.MODEL_VARIABLES)), 4)

    def test_hashes_and_crosses_are_tensorflows(self):
        hashed = fc.categorical_column_with_hash_bucket("h", 10)
        numbers = fc.categorical_column_with_hash_bucket("n", 10, tf.int64)
        crossed = fc.crossed_column(["h", "n"], 100)
        features = {"h": tf.constant([["x"], ["y"]]), "n": tf.constant([[5], [6]])}
        inputs = fc.columns.Inputs(features)
        found = self.run_([column.ids_and_weights(inputs)[0] for column in (hashed, numbers, crossed)])
        self.assertEqual([value.values.tolist() for value in found], EXPECTED_IDS)

    def test_the_parsing_specification(self):
        columns = [fc.numeric_column("x", 2, default_value=1.0), fc.embedding_column(
            fc.weighted_categorical_column(fc.categorical_column_with_hash_bucket("w", 5), "weight"), 2)]
        self.assertEqual(fc.make_parse_example_spec(columns), {
            "x": tf.FixedLenFeature((2,), tf.float32, (1.0, 1.0)), "w": tf.VarLenFeature(tf.string),
            "weight": tf.VarLenFeature(tf.float32)})
        with self.assertRaisesRegex(ValueError, "different parse_spec"):
            fc.make_parse_example_spec([fc.numeric_column("x"), fc.categorical_column_with_hash_bucket("x", 5)])

    def test_wrong_use_is_refused(self):
        number, ids = fc.numeric_column("x"), fc.categorical_column_with_hash_bucket("w", 5)
        for call in (lambda: fc.input_layer({"w": [["a"]]}, [ids]), lambda: fc.input_layer({}, [number]),
                     lambda: fc.input_layer({"x": [[1.0]]}, [number, number]), lambda: fc.input_layer({}, []),
                     lambda: fc.input_layer({"x": [[1.0]]}, ["x"]), lambda: fc.numeric_column("x", 0),
                     lambda: fc.bucketized_column(number, [2.0, 1.0]), lambda: fc.crossed_column(["x"], 5),
                     lambda: fc.crossed_column([ids, "x"], 5), lambda: fc.embedding_column(ids, 0),
                     lambda: fc.categorical_column_with_vocabulary_list("w", ["a", "a"]),
                     lambda: fc.categorical_column_with_identity("w", 3, default_value=3)):
            with self.assertRaises(ValueError):
                call()


EXPECTED_IDS = [[0, 5], [1, 7], [14, 18]]  # as TensorFlow 2.21 computes them


if __name__ == "__main__":
    unittest.main()
