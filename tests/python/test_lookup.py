"""Lookup tables."""

import os
import tempfile
import unittest

import numpy as np

import headrace as tf
from headrace import lookup


class LookupTest(unittest.TestCase):

    def setUp(self):
        self.graph = tf.Graph()
        scope = self.graph.as_default()
        scope.__enter__()
        self.addCleanup(scope.__exit__, None, None, None)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = os.path.join(directory.name, "words.txt")
        with open(self.file, "w") as words:
            words.write("apple\nbanana\ncherry\n")

    def run_(self, fetches):
        with tf.Session(graph=self.graph) as session:
            session.run(tf.tables_initializer())
            return session.run(fetches)

    def test_words_outside_a_vocabulary_get_the_ids_behind_it(self):
        words = tf.lookup.KeyValueTensorInitializer(["a", "b"], np.arange(2, dtype=np.int64))
        table = tf.lookup.StaticVocabularyTable(words, 3)
        with tf.Session() as session:
            session.run(tf.tables_initializer())
            ids, size = session.run([table.lookup(tf.constant(["b", "zz", "a"])), table.size()])
        self.assertEqual((ids[0], ids[2], size), (1, 0, 5))
        self.assertIn(ids[1], (2, 3, 4))

    def test_a_static_table_finds_what_it_was_given(self):
        table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2], tf.string, tf.int64), -1)
        sparse = table.lookup(tf.SparseTensor([[0, 0]], ["b"], [1, 1]))
        found = self.run_((table.lookup(tf.constant(["b", "x"])), table.size(), table.export(), sparse))
        self.assertEqual(found[0].tolist(), [2, -1])
        self.assertEqual(found[1], 2)
        self.assertEqual(dict(zip(found[2][0].tolist(), found[2][1].tolist())), {b"a": 1, b"b": 2})
        self.assertEqual(found[3].values.tolist(), [2])

    def test_the_initializer_is_in_its_collection_and_a_table_without_it_refuses(self):
        table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1], ["x"], tf.int64), "?")
        self.assertEqual(tf.get_collection(tf.GraphKeys.TABLE_INITIALIZERS), [table.initializer])
        with tf.Session() as session, self.assertRaisesRegex(tf.errors.FailedPreconditionError, "not initialized"):
            session.run(table.lookup(tf.constant([1], tf.int64)))

    def test_a_key_of_another_type_is_refused(self):
        table = lookup.index_table_from_tensor(["a"])
        with self.assertRaises(TypeError):
            table.lookup(tf.constant([1]))

    def test_ids_of_a_vocabulary_and_buckets_behind_it(self):
        words = tf.constant(["apple", "cherry", "zebra", "yak"])
        plain = lookup.index_table_from_tensor(["cherry", "apple"])
        bucketed = lookup.index_table_from_tensor(["cherry", "apple"], num_oov_buckets=2)
        numbers = lookup.index_table_from_tensor(tf.constant([30, 10]), dtype=tf.int32)
        found = self.run_((plain.lookup(words), bucketed.lookup(words), bucketed.size(), numbers.lookup(tf.constant([10, 5]))))
        self.assertEqual(found[0].tolist(), [1, 0, -1, -1])
        self.assertEqual(found[1].tolist()[:2], [1, 0])
        self.assertTrue(all(2 <= n < 4 for n in found[1].tolist()[2:]))
        self.assertEqual(found[2], 4)
        self.assertEqual(found[3].tolist(), [1, -1])

    def test_tables_from_files(self):
        index = lookup.index_table_from_file(self.file, num_oov_buckets=1)
        back = lookup.index_to_string_table_from_file(self.file, default_value="?")
        found = self.run_((index.lookup(tf.constant(["banana", "kiwi"])), back.lookup(tf.constant([2, 7], tf.int64))))
        self.assertEqual(found[0].tolist(), [1, 3])
        self.assertEqual(found[1].tolist(), [b"cherry", b"?"])
        self.assertEqual(len(tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)), 2)

    def test_strings_of_ids(self):
        table = lookup.index_to_string_table_from_tensor(["a", "b"], default_value="none")
        self.assertEqual(self.run_(table.lookup(tf.constant([1, 5], tf.int64))).tolist(), [b"b", b"none"])

    def test_a_mutable_table_grows_and_shrinks(self):
        table = lookup.MutableHashTable(tf.string, tf.int64, -1)
        insert, remove = table.insert(["a", "b"], [1, 2]), table.remove(["a"])
        found = table.lookup(tf.constant(["a", "b"]))
        with tf.Session() as session:
            session.run(insert)
            self.assertEqual(session.run(found).tolist(), [1, 2])
            session.run(remove)
            self.assertEqual(session.run(found).tolist(), [-1, 2])
            self.assertEqual(session.run(table.size()), 1)

    def test_a_mutable_table_of_vectors(self):
        table = lookup.MutableHashTable(tf.int64, tf.float32, [0.0, 0.0])
        with tf.Session() as session:
            session.run(table.insert([7], [[1.0, 2.0]]))
            self.assertEqual(session.run(table.lookup(tf.constant([7, 8], tf.int64))).tolist(), [[1, 2], [0, 0]])

    def test_wrong_arguments_are_refused(self):
        for call in (lambda: lookup.index_table_from_tensor(None), lambda: lookup.index_table_from_tensor(["a"], -1),
                     lambda: lookup.index_table_from_file(""),
                     lambda: lookup.TextFileInitializer("f", tf.string, -1, tf.int64, -2)):
            with self.assertRaises(ValueError):
                call()


if __name__ == "__main__":
    unittest.main()
