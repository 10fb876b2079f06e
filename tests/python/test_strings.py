"""Operations on strings."""

import unittest

import headrace as tf


class StringsTest(unittest.TestCase):

    def run_(self, build):
        with tf.Graph().as_default(), tf.Session() as session:
            return session.run(build())

    def test_splitting_gives_a_sparse_tensor(self):
        found = self.run_(lambda: tf.string_split(["a b", "", "c"]))
        self.assertEqual(found.indices.tolist(), [[0, 0], [0, 1], [2, 0]])
        self.assertEqual(found.values.tolist(), [b"a", b"b", b"c"])
        self.assertEqual(found.dense_shape.tolist(), [3, 2])
        self.assertEqual(self.run_(lambda: tf.string_split(["a,b|c"], ",|").values).tolist(), [b"a", b"b", b"c"])
        self.assertEqual(self.run_(lambda: tf.strings.split(["a, b"], ", ").values).tolist(), [b"a", b"b"])

    def test_joining(self):
        self.assertEqual(self.run_(lambda: tf.string_join([["a", "b"], "-", ["c", "d"]])).tolist(), [b"a-c", b"b-d"])
        self.assertEqual(self.run_(lambda: tf.strings.join(["a", "b"], "/")), b"a/b")
        self.assertEqual(self.run_(lambda: tf.reduce_join([["a", "b"], ["c", "d"]], 0)).tolist(), [b"ac", b"bd"])
        self.assertEqual(self.run_(lambda: tf.reduce_join([["a", "b"], ["c", "d"]], separator=" ")), b"a b c d")

    def test_hashing_is_tensorflows(self):
        words = ["hello", "world", ""]
        self.assertEqual(self.run_(lambda: tf.string_to_hash_bucket_fast(words, 1000)).tolist(), [296, 598, 263])
        self.assertEqual(self.run_(lambda: tf.strings.to_hash_bucket(words, 1000)).tolist(), [938, 861, 899])
        self.assertEqual(self.run_(lambda: tf.string_to_hash_bucket_strong(words, 1000, [1, 2])).tolist(), [622, 990, 435])

    def test_rewriting(self):
        self.assertEqual(self.run_(lambda: tf.substr(["hello", "world"], 1, 3)).tolist(), [b"ell", b"orl"])
        self.assertEqual(self.run_(lambda: tf.regex_replace("a1b22", "[0-9]+", "#")), b"a#b#")
        self.assertEqual(self.run_(lambda: tf.strings.regex_full_match(["ab", "b"], "a.*")).tolist(), [True, False])
        self.assertEqual(self.run_(lambda: tf.string_strip(" x ")), b"x")
        self.assertEqual(self.run_(lambda: (tf.strings.lower("AB"), tf.strings.upper("ab"), tf.strings.length("abc"))),
                         (b"ab", b"AB", 3))
        self.assertEqual(self.run_(lambda: tf.decode_base64(tf.encode_base64("??>"))), b"??>")

    def test_numbers_as_text(self):
        self.assertEqual(self.run_(lambda: tf.as_string([1, 20])).tolist(), [b"1", b"20"])
        self.assertEqual(self.run_(lambda: tf.as_string(1.5, precision=2)), b"1.50")
        self.assertEqual(self.run_(lambda: tf.as_string(True)), b"true")


if __name__ == "__main__":
    unittest.main()
