"""The Python package beside TensorFlow's, in one process: sparse tensors, parsing, strings, tables, columns, partitions.

Each check builds the same graph with both modules and compares what sessions give.
"""
import os
import pathlib
import sys
import tempfile
import unittest

import numpy as np

try:
    import headrace
except ImportError:
    root = pathlib.Path(__file__).resolve().parents[2]
    sys.path.insert(0, str(pathlib.Path(os.environ.get("HEADRACE_BUILD", root / "build/release")).resolve() / "python"))
    import headrace
import tensorflow.compat.v1 as tensorflow

tensorflow.disable_v2_behavior()
tensorflow.logging.set_verbosity(tensorflow.logging.ERROR)

MODULES = (headrace, tensorflow)


def plain(value):
    """Nested results with sparse values as tuples, whichever module they are from."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "dense_shape"):
        return tuple(plain(part) for part in (value.indices, value.values, value.dense_shape))
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return np.asarray(value)


def numbers(name, shape):
    """Weights that both modules are given."""
    return np.random.RandomState(sum(name.encode())).randn(*shape).astype(np.float32) * 0.3


class PythonCheck(unittest.TestCase):

    def compare(self, ours, theirs, rtol=1e-5):
        self.assertEqual(type(ours), type(theirs))
        if isinstance(ours, dict):
            self.assertEqual(sorted(ours), sorted(theirs))
            for key in ours:
                self.compare(ours[key], theirs[key], rtol)
        elif isinstance(ours, (list, tuple)):
            self.assertEqual(len(ours), len(theirs))
            for a, b in zip(ours, theirs):
                self.compare(a, b, rtol)
        elif ours.dtype.kind == "f":
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-6)
        else:
            self.assertEqual((ours.dtype, ours.tolist()), (theirs.dtype, theirs.tolist()))

    def same(self, build, load=False, steps=1):
        """Runs build(module) `steps` times in each module, after setting all variables if `load`; compares what it gives."""
        results = []
        for tf in MODULES:
            with tf.Graph().as_default(), tf.Session() as session:
                fetches = build(tf)
                session.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()])
                if load:
                    for v in tf.trainable_variables():
                        v.load(numbers(v.op.name, v.shape.as_list()), session)
                results.append([plain(session.run(fetches)) for _ in range(steps)])
        self.compare(*results)


class SparseChecks(PythonCheck):

    def test_sparse_operations(self):
        def build(tf):
            x = tf.SparseTensor([[0, 1], [2, 0], [2, 3]], [1.0, 2.0, 3.0], [3, 4])
            ids = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([4, 2, 0], tf.int64), [2, 2])
            weights = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1.0, 2.0, 3.0], [2, 2])
            filled = tf.sparse_fill_empty_rows(x, 9.0)
            return [x, tf.sparse_tensor_to_dense(x, -1.0), tf.sparse_reshape(x, [2, -1]), tf.sparse_transpose(x),
                    tf.sparse_concat(1, [x, x]),
                    tf.sparse_concat(0, [x, tf.sparse_reshape(x, [2, 6])], expand_nonconcat_dim=True),
                    tf.sparse_slice(x, [1, 0], [2, 2]), tf.sparse_retain(x, [True, False, True]), filled[0], filled[1],
                    tf.sparse_tensor_dense_matmul(x, tf.ones([4, 2])), tf.sparse_merge(ids, weights, 5),
                    tf.sparse_to_indicator(ids, 5), tf.sparse_add(x, x), tf.sparse_reduce_sum(x, 1), tf.sparse.reset_shape(x),
                    tf.sparse.split(sp_input=x, num_split=2, axis=1)[1], tf.cast(x, tf.int32), tf.shape(x), x * 2.0,
                    tf.sparse_segment_mean(tf.ones([4, 2]), [0, 1, 3], [0, 0, 1])]

        self.same(build)

    def test_sparse_elements_of_datasets(self):
        def build(tf):
            whole = tf.SparseTensorValue(np.array([[0, 1], [1, 0], [3, 2]]), np.array([1.0, 2.0, 3.0]), np.array([4, 3]))
            dataset = tf.data.Dataset.from_tensor_slices({"s": whole, "n": np.arange(4)})
            dataset = dataset.map(lambda e: (e["n"], tf.SparseTensor(e["s"].indices, e["s"].values * 2.0, e["s"].dense_shape)))
            return tf.data.make_one_shot_iterator(dataset.batch(3)).get_next()

        self.same(build, steps=2)


class ParsingChecks(PythonCheck):

    def examples(self):
        def feature(**kind):
            return tensorflow.train.Feature(**kind)

        made = []
        for n in range(3):
            made.append(tensorflow.train.Example(features=tensorflow.train.Features(feature={
                "x": feature(float_list=tensorflow.train.FloatList(value=[n, n + 0.5])),
                "words": feature(bytes_list=tensorflow.train.BytesList(value=[b"w%d" % i for i in range(n)])),
                "at": feature(int64_list=tensorflow.train.Int64List(value=range(n, -1, -1))),
                "v": feature(float_list=tensorflow.train.FloatList(value=range(n + 1)))})).SerializeToString())
        return made

    def test_parsing_examples(self):
        def build(tf):
            features = {"x": tf.FixedLenFeature([2], tf.float32), "words": tf.VarLenFeature(tf.string),
                        "none": tf.FixedLenFeature([2], tf.int64, [7, 8]), "row": tf.SparseFeature("at", "v", tf.float32, 5),
                        "v": tf.FixedLenSequenceFeature([], tf.float32, allow_missing=True, default_value=-1.0)}
            one = {key: value for key, value in features.items() if key in ("x", "words", "none")}
            several = {key: value for key, value in features.items() if key != "row"}
            return [tf.parse_example(self.examples(), several), tf.io.parse_single_example(self.examples()[2], one),
                    tf.parse_example(self.examples(), {"row": features["row"]})]

        self.same(build)

    def test_parsing_sequences(self):
        train = tensorflow.train

        def message(n):
            rows = [train.Feature(float_list=train.FloatList(value=[i, i + 0.5])) for i in range(n)]
            bags = [train.Feature(bytes_list=train.BytesList(value=[b"w"] * i)) for i in range(n)]
            lists = {"x": train.FeatureList(feature=rows), "bags": train.FeatureList(feature=bags)}
            context = {"n": train.Feature(int64_list=train.Int64List(value=[n])),
                       "tags": train.Feature(bytes_list=train.BytesList(value=[b"t%d" % i for i in range(n)]))}
            return train.SequenceExample(context=train.Features(feature=context),
                                         feature_lists=train.FeatureLists(feature_list=lists)).SerializeToString()

        def build(tf):
            context = {"n": tf.FixedLenFeature([], tf.int64), "tags": tf.VarLenFeature(tf.string),
                       "none": tf.FixedLenFeature([2], tf.int64, [7, 8])}
            lists = {"x": tf.FixedLenSequenceFeature([2], tf.float32), "bags": tf.VarLenFeature(tf.string),
                     "none": tf.FixedLenSequenceFeature([], tf.string, allow_missing=True)}
            batch = [message(n) for n in (2, 0, 3)]
            parsed = tf.io.parse_sequence_example(batch, context, lists, example_names=["a", "b", "c"])
            return [parsed, tf.parse_single_sequence_example(batch[2], context, lists, example_name="c"),
                    tf.io.parse_single_sequence_example(batch[0], sequence_features=lists, name="named"),
                    tf.constant([parsed[1]["x"].op.name, str(parsed[1]["x"].shape), str(parsed[2]["x"].shape)])]

        self.same(build)

    def test_csv_and_raw(self):
        self.same(lambda tf: [
            tf.decode_csv(["1,2.5,a", "4,,\"b,c\""], [[0], [9.0], [""]]), tf.decode_csv("1|2|3", [[0]], "|", select_cols=[1]),
            tf.decode_raw([b"\x01\x02\x03\x04"], tf.int16), tf.string_to_number(["1.5", "1e3"]),
            tf.parse_tensor(tf.serialize_tensor([[1.0, 2.0]]), tf.float32)])

    def test_strings(self):
        self.same(lambda tf: [
            tf.string_split(["a b  c", "", "d"]), tf.string_split(["ab"], ""), tf.string_split(["a,,b"], ",", skip_empty=False),
            tf.strings.split(["a--b", "c"], "--"), tf.string_join([["a", "b"], "x"], "-"),
            tf.as_string([1.5, 2.25], precision=1),
            tf.as_string([True, False]), tf.reduce_join([["a", "b"], ["c", "d"]], 1), tf.reduce_join([["a", "b"], ["c", "d"]]),
            tf.substr(["hello"], 1, 3), tf.regex_replace(["a1b2"], "([a-z])([0-9])", r"\2\1"), tf.encode_base64("a?b"),
            tf.decode_base64(tf.encode_base64("a?b")), tf.string_to_hash_bucket(["a", "b"], 100), tf.strings.length(["ab", ""]),
            tf.string_to_hash_bucket_fast(["a", "b"], 100), tf.string_to_hash_bucket_strong(["a", "b"], 100, [3, 4])])

    def test_tables(self):
        def build(tf):
            content = tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([1, 2], tf.int64))
            table = tf.lookup.StaticHashTable(content, -1)
            words = tf.constant([["a", "z"]])
            return [table.lookup(words), table.lookup(tf.SparseTensor([[0, 0]], ["b"], [1, 1])), table.size()]

        self.same(build)


def columns_of(tf, vocabulary):
    """Feature columns of all kinds: (dense ones, others)."""
    fc = tf.feature_column
    word = fc.categorical_column_with_hash_bucket("word", 10)
    number = fc.categorical_column_with_hash_bucket("number", 7, tf.int64)
    one = fc.bucketized_column(fc.numeric_column("one"), [0.0, 1.0])
    two = fc.bucketized_column(fc.numeric_column("two", [2]), [1.0, 3.5])
    crossed = fc.crossed_column(["word", one], 20)
    again = fc.crossed_column(["word", "file", fc.categorical_column_with_identity("id", 10)], 30)
    known = fc.categorical_column_with_vocabulary_list("list", ["x", "y"])
    more = fc.categorical_column_with_vocabulary_list("list", ["x", "y"], num_oov_buckets=2)
    lines = fc.categorical_column_with_vocabulary_file("file", vocabulary, num_oov_buckets=3)
    identity = fc.categorical_column_with_identity("id", 4, default_value=2)
    weighted = fc.weighted_categorical_column(more, "weight")
    shared = fc.shared_embedding_columns([fc.categorical_column_with_hash_bucket("file", 10), word], 3)
    dense = [fc.numeric_column("two", [2], normalizer_fn=lambda x: x * 2), one, two, fc.embedding_column(word, 3),
             fc.embedding_column(known, 3, combiner="sum"), fc.embedding_column(weighted, 2, "sqrtn"),
             fc.embedding_column(identity, 2, max_norm=0.5), fc.indicator_column(crossed), fc.indicator_column(known),
             fc.indicator_column(weighted), fc.indicator_column(number), fc.embedding_column(again, 2), *shared]
    return dense, [word, fc.numeric_column("two", [2]), one, two, crossed, again, weighted, identity, lines]


class FeatureColumnChecks(PythonCheck):

    def test_layers_variables_and_gradients(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as vocabulary:
            vocabulary.write("x\ny\nz\n")
            vocabulary.flush()

            def build(tf):
                rows = [[0, 0], [0, 1], [2, 0]]
                features = {
                    "word": tf.constant([["x"], ["y"], ["q"]]), "one": tf.constant([[0.5], [-1.0], [7.0]]),
                    "two": tf.constant(np.arange(6).reshape(3, 2), tf.float32), "number": tf.constant([5, 6, 7], tf.int64),
                    "list": tf.SparseTensor(rows, ["x", "zz", "y"], [3, 2]), "id": tf.constant([[1, 2], [0, -1], [9, 3]]),
                    "weight": tf.SparseTensor(rows, [1.0, 2.0, -0.5], [3, 2]),
                    "file": tf.SparseTensor([[0, 0], [1, 0], [1, 1]], ["p", "q", "p"], [3, 3])}
                dense, others = columns_of(tf, vocabulary.name)
                parts, variables = {}, {}
                layer = tf.feature_column.input_layer(features, dense, cols_to_vars=variables, cols_to_output_tensors=parts)
                linear = tf.feature_column.linear_model(features, others, units=2)
                trained = tf.trainable_variables()
                loss = tf.reduce_sum(tf.square(layer)) + tf.reduce_sum(tf.square(linear))
                gradients = [tf.convert_to_tensor(g) for g in tf.gradients(loss, trained)]
                named = {v.op.name: g for v, g in zip(trained, gradients)}
                return {"layer": layer, "linear": linear, "gradients": named, "parts": {c.name: t for c, t in parts.items()}}

            self.same(build, load=True)

    def test_the_parsing_specification(self):
        specs = []
        for tf in MODULES:
            with tempfile.NamedTemporaryFile("w") as vocabulary:
                vocabulary.write("x\n")
                vocabulary.flush()
                dense, others = columns_of(tf, vocabulary.name)
            spec = tf.feature_column.make_parse_example_spec(dense + others)
            specs.append({key: (type(f).__name__, f.dtype.name, getattr(f, "shape", None)) for key, f in spec.items()})
        self.assertEqual(*specs)

    def test_wide_and_deep_training(self):
        words = ["w%d" % n for n in range(12)]
        rng = np.random.RandomState(5)
        batches = [(rng.choice(words, [16, 2]).astype(object), rng.rand(16, 1).astype(np.float32)) for _ in range(4)]

        def build(tf):
            fc = tf.feature_column
            dataset = tf.data.Dataset.from_tensor_slices((np.stack([w for w, _ in batches]), np.stack([x for _, x in batches])))
            text, x = tf.data.make_one_shot_iterator(dataset.repeat()).get_next()
            features = {"word": text, "x": x}
            labels = tf.cast(tf.logical_xor(x > 0.5, tf.equal(text[:, :1], "w3")), tf.float32)
            word = fc.categorical_column_with_hash_bucket("word", 20)
            buckets = fc.bucketized_column(fc.numeric_column("x"), [0.25, 0.5, 0.75])
            with tf.variable_scope("deep"):
                deep = fc.input_layer(features, [fc.embedding_column(word, 4), fc.numeric_column("x")])
                deep = tf.matmul(tf.nn.relu(tf.matmul(deep, tf.get_variable("w", [5, 8]))), tf.get_variable("o", [8, 1]))
            with tf.variable_scope("wide"):
                wide = fc.linear_model(features, [word, buckets, fc.crossed_column(["word", buckets], 50)])
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=deep + wide))
            steps = [tf.train.AdagradOptimizer(0.1).minimize(loss, var_list=tf.trainable_variables("deep")),
                     tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.001).minimize(
                         loss, var_list=tf.trainable_variables("wide"))]
            with tf.control_dependencies([loss]):
                step = tf.group(*steps)
            with tf.control_dependencies([step]):
                return {"loss": tf.identity(loss), **{v.op.name: v.read_value() for v in tf.trainable_variables()}}

        tensorflow.enable_resource_variables()
        try:
            self.same(build, load=True, steps=20)
        finally:
            tensorflow.disable_resource_variables()


class PartitionedChecks(PythonCheck):

    def table(self, tf, parts):
        return tf.get_variable("table", [7, 3], initializer=tf.ones_initializer(),
                               partitioner=tf.fixed_size_partitioner(parts))

    def test_partitioners(self):
        shape = (1000, 64)
        for make in (lambda tf: tf.fixed_size_partitioner(4),
                     lambda tf: tf.min_max_variable_partitioner(8, min_slice_size=60000),
                     lambda tf: tf.variable_axis_size_partitioner(30000),
                     lambda tf: tf.variable_axis_size_partitioner(9000, max_shards=5),
                     lambda tf: tf.min_max_variable_partitioner(3, axis=1, min_slice_size=10)):
            ours, theirs = [list(make(tf)(shape=tf.TensorShape(shape), dtype=tf.float32)) for tf in MODULES]
            self.assertEqual(ours, theirs)

    def test_checkpoints_go_both_ways_between_numbers_of_parts(self):
        for writer, reader in (MODULES, MODULES[::-1]):
            for sharded in (False, True):
                with tempfile.TemporaryDirectory() as directory:
                    with writer.Graph().as_default(), writer.Session() as session:
                        table = self.table(writer, 3)
                        rows = writer.nn.embedding_lookup(table, [6, 0, 6], partition_strategy="div")
                        step = writer.train.AdagradOptimizer(0.5).minimize(writer.reduce_sum(writer.square(rows)))
                        session.run(writer.global_variables_initializer())
                        session.run(step)
                        written = session.run(table.as_tensor())
                        path = writer.train.Saver(sharded=sharded).save(session, os.path.join(directory, "model"))
                    with reader.Graph().as_default(), reader.Session() as session:
                        table = self.table(reader, 2)
                        optimizer = reader.train.AdagradOptimizer(0.5)
                        optimizer.minimize(reader.reduce_sum(reader.square(table.as_tensor())))
                        reader.train.Saver().restore(session, path)
                        np.testing.assert_array_equal(session.run(table.as_tensor()), written)
                        slots = [optimizer.get_slot(part, "accumulator") for part in table]
                        np.testing.assert_allclose(np.concatenate(session.run(slots))[:, 0],
                                                   [4.1, 0.1, 0.1, 0.1, 0.1, 0.1, 16.1], rtol=1e-6)

    def test_lookups_and_names(self):
        def build(tf):
            tables = [tf.get_variable(f"t{n}", initializer=tf.constant(numbers(str(n), [n + 2, 2])),
                                      partitioner=tf.fixed_size_partitioner(n)) for n in (1, 2, 3)]
            found = {}
            for n, table in enumerate(tables):
                for strategy in ("div", "mod"):
                    ids = [[0, 1], [2, 1]] if strategy == "div" else [[0, 1], [1, 0]]
                    found[f"{n}{strategy}"] = tf.nn.embedding_lookup(table, ids, partition_strategy=strategy)
            return {**found, **{v.op.name: v.read_value() for v in tf.global_variables()}}

        self.same(build)


if __name__ == "__main__":
    unittest.main()
