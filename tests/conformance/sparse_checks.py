"""Sparse features, strings and tables in graph mode: TensorFlow's client builds the graph, with its gradients, and TensorFlow's own session
and a Headrace server give the same numbers."""
import pathlib
import tempfile
import unittest

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.ops import lookup_ops

import servers

tf.disable_eager_execution()
WORDS = ["the quick brown fox", "", "jumps over the lazy dog", "the end"]


def config():
    options = tf.ConfigProto(isolate_session_state=True)
    options.graph_options.rewrite_options.disable_meta_optimizer = True
    return options


def example(**features):
    message = tf.train.Example()
    for name, values in features.items():
        if not values:
            continue
        kind = {int: "int64_list", float: "float_list", str: "bytes_list"}[type(values[0])]
        encoded = [value.encode() if isinstance(value, str) else value for value in values]
        getattr(message.features.feature[name], kind).value.extend(encoded)
    return message.SerializeToString()


EXAMPLES = [example(ids=[3, 1], words=["a", "bc"], x=[0.5]), example(ids=[], words=[], x=[1.5]),
            example(ids=[7, 7, 2], words=["a"], x=[-2.0]), example(ids=[0], words=["z", "a", "bc"], x=[3.0])]
FEATURES = {"ids": tf.VarLenFeature(tf.int64), "words": tf.VarLenFeature(tf.string), "x": tf.FixedLenFeature([], tf.float32)}


class SparseFeatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=0).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def results(self, target, build, steps):
        """What build() gives, fetched `steps` times, or the error."""
        with tf.Graph().as_default(), tf.Session(target, config=config()) as session:
            tf.set_random_seed(7)
            fetches = build()
            session.run([tf.global_variables_initializer(), tf.tables_initializer()] + tf.get_collection("start"))
            return [session.run(fetches) for _ in range(steps)]

    def compare(self, build, steps=1):
        expected, actual = self.results("", build, steps), self.results(self.cluster.target, build, steps)
        for a, b in zip(expected, actual):
            tf.nest.assert_same_structure(a, b)
            for left, right in zip(tf.nest.flatten(a, expand_composites=True), tf.nest.flatten(b, expand_composites=True)):
                left, right = np.asarray(left), np.asarray(right)
                self.assertEqual((left.dtype, left.shape), (right.dtype, right.shape))
                if left.dtype.kind == "f":
                    np.testing.assert_allclose(right, left, rtol=1e-5, atol=1e-6)
                else:
                    np.testing.assert_array_equal(right, left)

    @staticmethod
    def table(name, rows=10, width=4, **options):
        values = np.random.default_rng(3).standard_normal((rows, width)).astype(np.float32)
        return tf.get_variable(name, initializer=tf.constant(values), **options)

    @staticmethod
    def ids():
        return tf.SparseTensor([[0, 0], [0, 2], [1, 0], [3, 1], [3, 2]], tf.constant([1, 3, 0, 9, 9], tf.int64), [4, 3])

    def test_embedding_lookup_sparse_trains(self):
        for use_resource in True, False:
            for combiner in "sum", "mean", "sqrtn":
                for weighted in False, True:
                    def build():
                        table, ids = self.table("table", use_resource=use_resource), self.ids()
                        weights = tf.SparseTensor(ids.indices, [0.5, 2.0, 1.0, 3.0, 0.25], ids.dense_shape) if weighted else None
                        rows = tf.nn.embedding_lookup_sparse(table, ids, weights, combiner=combiner)
                        loss = tf.reduce_sum(tf.square(rows - 1.0))
                        with tf.control_dependencies([tf.train.GradientDescentOptimizer(0.1).minimize(loss)]):
                            return loss, rows, table.read_value()
                    with self.subTest(use_resource=use_resource, combiner=combiner, weighted=weighted):
                        self.compare(build, steps=3)

    def test_embedding_lookup_sparse_of_a_partitioned_table(self):
        for strategy in "mod", "div":
            def build():
                parts = [self.table("part_0", 5), self.table("part_1", 5)]
                rows = tf.nn.embedding_lookup_sparse(parts, self.ids(), None, combiner="mean", partition_strategy=strategy)
                loss = tf.reduce_sum(tf.square(rows))
                return rows, [tf.convert_to_tensor(g) for g in tf.gradients(loss, parts)]
            self.compare(build)

    def test_hash_buckets_embedding_and_a_linear_model(self):
        def build():
            words = tf.string_split(tf.constant(WORDS))
            buckets = tf.SparseTensor(words.indices, tf.strings.to_hash_bucket_fast(words.values, 10), words.dense_shape)
            deep = tf.nn.safe_embedding_lookup_sparse(self.table("deep"), buckets, combiner="sqrtn", default_id=2)
            wide = tf.nn.safe_embedding_lookup_sparse(self.table("wide", width=1), buckets, combiner="sum")
            logits = wide + tf.matmul(deep, tf.get_variable("weights", initializer=tf.fill([4, 1], 0.3)))
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=[[1.0], [0.0], [1.0], [0.0]], logits=logits))
            with tf.control_dependencies([tf.train.AdagradOptimizer(0.5).minimize(loss)]):
                return tf.identity(loss), logits, buckets
        self.compare(build, steps=4)

    def test_crossed_features(self):
        def build():
            words = tf.string_split(tf.constant(WORDS))
            numbers = tf.constant([[1, 2], [3, 4], [5, 6], [7, 8]], tf.int64)
            return (tf.sparse.cross_hashed([words, numbers, self.ids()], num_buckets=1000), tf.sparse.cross_hashed([numbers, words]),
                    tf.sparse.cross([words, numbers]), tf.sparse.cross([numbers, words, words], separator="+"))
        self.compare(build)

    def test_sums_of_sparse_tensors(self):
        def build():
            values = tf.get_variable("values", initializer=[1.0, -2.0, 3.0])
            a = tf.SparseTensor([[0, 1], [1, 0], [2, 2]], values, [3, 4])
            b = tf.SparseTensor([[0, 0], [1, 0], [2, 2]], [5.0, 2.0, 0.5], [3, 4])
            both, large = tf.sparse.add(a, b), tf.sparse.add(a, b, threshold=1.0)
            return both, large, tf.gradients(tf.reduce_sum(both.values ** 2), values)
        self.compare(build)

    def test_parse_example_of_batches_in_map(self):
        def build():
            dataset = tf.data.Dataset.from_tensor_slices(EXAMPLES).repeat(2).batch(3).map(lambda batch: tf.io.parse_example(batch, FEATURES))
            iterator = tf.data.make_initializable_iterator(dataset)
            tf.add_to_collection("start", iterator.initializer)
            features = iterator.get_next()
            return features, tf.sparse.to_dense(features["words"], default_value="-")
        self.compare(build, steps=3)

    def test_parse_single_example_then_batch(self):
        def build():
            dataset = tf.data.Dataset.from_tensor_slices(EXAMPLES).map(lambda one: tf.io.parse_single_example(one, FEATURES)).batch(2)
            iterator = tf.data.make_initializable_iterator(dataset.prefetch(1))
            tf.add_to_collection("start", iterator.initializer)
            return iterator.get_next()
        self.compare(build, steps=2)

    def test_sparse_tensors_through_a_dataset(self):
        def build():
            dataset = tf.data.Dataset.from_tensor_slices(self.ids()).map(lambda row: tf.SparseTensor(row.indices, row.values * 2, row.dense_shape))
            iterator = tf.data.make_initializable_iterator(dataset.batch(3))
            tf.add_to_collection("start", iterator.initializer)
            return iterator.get_next()
        self.compare(build, steps=2)

    def test_index_tables(self):
        def build():
            words = tf.constant([["dog", "cat"], ["emu", "gnu"]])
            table = lookup_ops.index_table_from_tensor(["cat", "dog"], num_oov_buckets=3)
            back = lookup_ops.index_to_string_table_from_tensor(["cat", "dog"], default_value="?")
            numbers = lookup_ops.index_table_from_tensor(tf.constant([10, 20, 30], tf.int64), default_value=-5, dtype=tf.int64)
            ids = table.lookup(words)
            sparse = table.lookup(tf.SparseTensor([[0, 1], [2, 0]], ["cat", "yak"], [3, 2]))
            return ids, back.lookup(ids), table.size(), numbers.lookup(tf.constant([20, 21], tf.int64)), sparse
        self.compare(build)

    def test_a_table_from_a_file(self):
        with tempfile.TemporaryDirectory() as directory:
            vocabulary = pathlib.Path(directory, "words.txt")
            vocabulary.write_text("cat\ndog\r\nemu\n", encoding="utf8")
            pairs = pathlib.Path(directory, "pairs.tsv")
            pairs.write_text("a\t1.5\nb\t-2\n", encoding="utf8")

            def build():
                table = lookup_ops.index_table_from_file(str(vocabulary), num_oov_buckets=1, vocab_size=2)
                initializer = tf.lookup.TextFileInitializer(str(pairs), tf.string, 0, tf.float32, 1)
                values = tf.lookup.StaticHashTable(initializer, 0.25)
                return table.lookup(tf.constant(["dog", "emu", "cat"])), values.lookup(tf.constant(["b", "c", "a"])), values.size()
            self.compare(build)

    def test_mutable_tables(self):
        def build():
            counts = lookup_ops.MutableHashTable(tf.string, tf.int64, default_value=0)
            rows = lookup_ops.DenseHashTable(tf.int64, tf.float32, default_value=[0.0, -1.0], empty_key=-1, deleted_key=-2)
            with tf.control_dependencies([counts.insert(tf.constant(["a", "b"]), tf.constant([1, 2], tf.int64)),
                                          rows.insert(tf.constant([5, 6], tf.int64), [[1.0, 2.0], [3.0, 4.0]])]):
                with tf.control_dependencies([counts.remove(tf.constant(["b"])), rows.remove(tf.constant([5], tf.int64))]):
                    found = counts.lookup(tf.constant(["a", "b"]))
                    exported = counts.export()
                    kept = rows.lookup(tf.constant([5, 6], tf.int64))
                    return found, exported, kept, counts.size(), rows.size()
        self.compare(build)

    def test_errors_have_the_same_type_and_text(self):
        def untouched():
            table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1]), 0)
            return table.lookup(tf.constant(["a"]))

        def twice():
            with tf.control_dependencies([tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), 0).initializer]):
                return tf.constant(1)
        for build, text in (untouched, "Table not initialized."), (twice, "HashTable has different value for same key. Key a has 1 and trying to add value 2"):
            for target in "", self.cluster.target:
                with tf.Graph().as_default(), tf.Session(target, config=config()) as session:
                    with self.assertRaises(tf.errors.OpError) as caught:
                        session.run(build())
                    self.assertIn(text, str(caught.exception))

    def test_a_table_is_shared_by_its_name(self):
        with tf.Graph().as_default():
            def handle():
                return tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64, shared_name="shared_counts")
            insert = tf.raw_ops.LookupTableInsertV2(table_handle=handle(), keys=["a"], values=tf.constant([4], tf.int64))
            found = tf.raw_ops.LookupTableFindV2(table_handle=handle(), keys=["a"], default_value=tf.constant(0, tf.int64))
            with tf.Session(self.cluster.target) as session:
                session.run(insert)
            with tf.Session(self.cluster.target) as session:
                self.assertEqual(session.run(found).tolist(), [4])

    def test_tables_of_old_programs(self):
        def build():
            ops = tf.raw_ops
            handle = ops.HashTable(key_dtype=tf.string, value_dtype=tf.int64)
            fill = ops.InitializeTable(table_handle=handle, keys=["a", "b"], values=tf.constant([1, 2], tf.int64))
            with tf.control_dependencies([fill]):
                return ops.LookupTableFind(table_handle=handle, keys=["b", "c"], default_value=tf.constant(-1, tf.int64))
        self.compare(build)

    def test_sparse_arithmetic_and_its_gradients(self):
        def build():
            values = tf.get_variable("values", initializer=[1.0, -2.0, 3.0, 0.5])
            a = tf.SparseTensor([[0, 1], [1, 0], [1, 2], [2, 3]], values, [3, 4])
            b = tf.get_variable("b", initializer=np.linspace(-1, 1, 8, dtype=np.float32).reshape(4, 2))
            product = tf.sparse.sparse_dense_matmul(a, b)
            scaled = a * tf.constant([[1.0], [2.0], [3.0]])
            dense = tf.sparse.to_dense(tf.sparse.reshape(scaled, [2, -1]), default_value=0.0)
            parts = tf.sparse.split(sp_input=a, num_split=2, axis=1)
            joined = tf.sparse.concat(1, [parts[1], parts[0]])
            cut = tf.sparse.slice(a, [1, 0], [2, 3])
            sums = tf.sparse.reduce_sum(a, axis=1), tf.sparse.reduce_sum(a), tf.sparse.reduce_max(a, axis=0)
            more = tf.sparse.add(tf.ones([3, 4]), a)
            loss = (tf.reduce_sum(tf.square(product)) + tf.reduce_sum(dense * dense) + tf.reduce_sum(tf.square(sums[0]))
                    + tf.reduce_sum(cut.values ** 2) + tf.reduce_sum(more ** 3))
            return product, dense, joined, cut, sums, more, tf.gradients(loss, [values, b])
        self.compare(build)

    def test_segments_and_their_gradients(self):
        def build():
            data = tf.get_variable("data", initializer=np.array([[1, -2], [3, 4], [0, 5], [2, 2], [3, 4]], np.float32))
            ids, loose = [0, 0, 1, 3, 3], [2, 0, -1, 2, 0]
            results = [f(data, ids) for f in (tf.segment_sum, tf.segment_mean, tf.segment_max, tf.segment_min, tf.segment_prod)]
            results += [f(data, loose, 4) for f in (tf.unsorted_segment_sum, tf.unsorted_segment_mean, tf.unsorted_segment_sqrt_n,
                                                    tf.unsorted_segment_prod)]
            results += [f(data, [0, 4, 4, 1], [0, 0, 2, 2]) for f in (tf.sparse_segment_sum, tf.sparse_segment_mean, tf.sparse_segment_sqrt_n)]
            results += [f(data, [0, 4], [0, 2], num_segments=4) for f in (tf.sparse_segment_sum, tf.sparse_segment_mean)]
            extremes = [f(data, loose, 3)[0] for f in (tf.unsorted_segment_max, tf.unsorted_segment_min)]
            return results, extremes, [tf.gradients(r, data) for r in results + extremes]
        self.compare(build)

    def test_text(self):
        def build():
            text = tf.constant(WORDS)
            return (tf.strings.reduce_join(tf.reshape(text, [2, 2]), 1, separator="|"), tf.strings.length(text), tf.strings.upper(text),
                    tf.strings.substr(text, [0], [3]), tf.strings.regex_replace(text, "[aeiou]", "*"), tf.strings.as_string([1.5, 2]),
                    tf.strings.to_hash_bucket_strong(text, 100, [3, 4]), tf.strings.to_hash_bucket(text, 100), tf.io.encode_base64(text),
                    tf.io.decode_base64(tf.io.encode_base64(text)), tf.strings.split(text, sep="o"),
                    tf.io.parse_tensor(tf.io.serialize_tensor(text), tf.string), tf.math.bincount([1, 2, 2]))
        self.compare(build)


if __name__ == "__main__":
    unittest.main()
