"""SequenceExamples: the three ops that parse them give the same tensors in TensorFlow's session and on a Headrace server."""
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers
from io_ops import DTYPES, compare, run, values

CASES = 60
FORMS = ("fixed", "sparse", "ragged")


def fill(feature, kind, items):
    if kind is not None:
        getattr(feature, f"{kind}_list").value.extend(items)
        getattr(feature, f"{kind}_list").SetInParent()


class Wanted:
    """A feature to ask for: its form, kind, shape and whether it may be missing."""

    def __init__(self, random, number):
        self.key = f"feature_{number}" * random.integers(1, 3)
        self.form = FORMS[random.integers(0, 3)]
        self.kind = list(DTYPES)[random.integers(0, 3)]
        self.shape = random.integers(1, 3, random.integers(0, 3)).tolist()
        self.may_be_missing = bool(random.integers(0, 3))
        size = int(np.prod(self.shape, dtype=int))
        self.default = np.reshape(np.array(values(random, self.kind, size), object), self.shape).tolist() if self.may_be_missing else []
        self.split = (tf.int32, tf.int64)[random.integers(0, 2)]
        self.dtype = DTYPES[self.kind]

    def items(self, random):
        size = int(np.prod(self.shape, dtype=int)) if self.form == "fixed" else random.integers(0, 4)
        return values(random, self.kind, size)

    def is_left_out(self, random):
        return random.integers(0, 5) == 0 and (self.may_be_missing or self.form != "fixed")


class Request:
    """What is asked for, and a batch of messages that have it."""

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.context = [Wanted(random, i) for i in range(random.integers(0, 5))]
        self.lists = [Wanted(random, i) for i in range(random.integers(0 if self.context else 1, 5))]
        # TensorFlow takes an empty batch for one in which all lack what they must have.
        fewest = int(any(w.form == "fixed" and not w.may_be_missing for w in self.context))
        self.batch = [self.message(random) for _ in range(random.integers(fewest, 6))]

    def message(self, random):
        message = tf.train.SequenceExample()
        for wanted in self.context:
            if not wanted.is_left_out(random):
                fill(message.context.feature[wanted.key], wanted.kind, wanted.items(random))
        for wanted in self.lists:
            if not wanted.is_left_out(random):
                rows = message.feature_lists.feature_list[wanted.key].feature
                for _ in range(random.integers(0, 4)):
                    has_kind = wanted.form == "fixed" or random.integers(0, 9)
                    fill(rows.add(), wanted.kind if has_kind else None, wanted.items(random))
                message.feature_lists.feature_list[wanted.key].SetInParent()
        fill(message.context.feature["unused"], "int64", [1])
        fill(message.feature_lists.feature_list["unused"].feature.add(), "float", [1.0])
        return message.SerializeToString()

    def of(self, form):
        """(context, lists) of that form."""
        return [w for w in self.context if w.form == form], [w for w in self.lists if w.form == form]

    def attrs(self):
        (context_sparse, lists_sparse), (context, lists) = self.of("sparse"), self.of("fixed")
        return {"context_dense_defaults": [tf.constant(w.default, w.dtype) for w in context],
                "context_sparse_types": [w.dtype for w in context_sparse], "context_dense_shapes": [w.shape for w in context],
                "feature_list_sparse_types": [w.dtype for w in lists_sparse],
                "feature_list_dense_types": [w.dtype for w in lists], "feature_list_dense_shapes": [w.shape for w in lists]}

    def without_ragged(self):
        self.context = [w for w in self.context if w.form != "ragged"]
        self.lists = [w for w in self.lists if w.form != "ragged"]
        return self

    def v2(self, serialized):
        def keys(group):
            return tf.constant([w.key for w in group], tf.string)

        (context_sparse, lists_sparse), (context, lists) = self.of("sparse"), self.of("fixed")
        context_ragged, lists_ragged = self.of("ragged")
        made = tf.raw_ops.ParseSequenceExampleV2(
            serialized=tf.constant(serialized, tf.string), debug_name=tf.constant([], tf.string), context_sparse_keys=keys(context_sparse),
            context_dense_keys=keys(context), context_ragged_keys=keys(context_ragged), feature_list_sparse_keys=keys(lists_sparse),
            feature_list_dense_keys=keys(lists), feature_list_ragged_keys=keys(lists_ragged),
            feature_list_dense_missing_assumed_empty=tf.constant([w.may_be_missing for w in lists], tf.bool),
            Ncontext_sparse=len(context_sparse), Nfeature_list_sparse=len(lists_sparse), Nfeature_list_dense=len(lists),
            context_ragged_value_types=[w.dtype for w in context_ragged], context_ragged_split_types=[w.split for w in context_ragged],
            feature_list_ragged_value_types=[w.dtype for w in lists_ragged],
            feature_list_ragged_split_types=[w.split for w in lists_ragged], **self.attrs())
        return tf.nest.flatten(tuple(made))

    def v1(self):
        (context_sparse, lists_sparse), (context, lists) = self.of("sparse"), self.of("fixed")
        made = tf.raw_ops.ParseSequenceExample(
            serialized=tf.constant(self.batch, tf.string), debug_name=tf.constant([], tf.string),
            feature_list_dense_missing_assumed_empty=[w.key for w in lists if w.may_be_missing],
            context_sparse_keys=[w.key for w in context_sparse], context_dense_keys=[w.key for w in context],
            feature_list_sparse_keys=[w.key for w in lists_sparse], feature_list_dense_keys=[w.key for w in lists],
            Ncontext_sparse=len(context_sparse), Ncontext_dense=len(context), Nfeature_list_sparse=len(lists_sparse),
            Nfeature_list_dense=len(lists), **self.attrs())
        return tf.nest.flatten(tuple(made))

    def single(self):
        def keys(group):
            return [tf.constant(w.key) for w in group]

        (context_sparse, lists_sparse), (context, lists) = self.of("sparse"), self.of("fixed")
        made = tf.raw_ops.ParseSingleSequenceExample(
            serialized=tf.constant(self.batch[0]), debug_name=tf.constant(""), context_sparse_keys=keys(context_sparse),
            feature_list_dense_missing_assumed_empty=tf.constant([w.key for w in lists if w.may_be_missing], tf.string),
            context_dense_keys=keys(context), feature_list_sparse_keys=keys(lists_sparse), feature_list_dense_keys=keys(lists), **self.attrs())
        return tf.nest.flatten(tuple(made))


class SequenceExampleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(servers.Cluster(ps=0))

    def test_random_messages(self):
        for seed in range(CASES):
            request = Request(seed)
            compare(f"ParseSequenceExampleV2, seed {seed}", self.server, lambda: request.v2(request.batch))
            plain = Request(seed).without_ragged()  # ragged row splits of one message are not set in TensorFlow
            if not plain.context and not plain.lists:
                continue
            compare(f"ParseSequenceExample, seed {seed}", self.server, plain.v1)
            if plain.batch:
                compare(f"ParseSequenceExampleV2 of one, seed {seed}", self.server, lambda: plain.v2(plain.batch[0]))
                compare(f"ParseSingleSequenceExample, seed {seed}", self.server, plain.single)

    def test_damage_is_an_error_in_both(self):
        for seed in range(20):
            request = Request(seed)
            if not request.lists:
                continue
            request.batch = [message[:-1] for message in request.batch] + [b"abc"]
            compare(f"damage, seed {seed}", self.server, lambda: request.v2(request.batch))

    def check_error(self, features, message, text, **context):
        """The whole functions: both say `text`."""
        def build():
            return tf.io.parse_sequence_example([message], context or None, features or None, example_names=["n"])[:2]

        for target in "", self.server.target:
            self.assertIn(text, run(target, build))

    def test_messages_name_example_and_feature(self):
        message = tf.train.SequenceExample()
        fill(message.context.feature["c"], "float", [1.0])
        for key, kind, items in ("x", "int64", [1]), ("x", "int64", [1, 2]), ("z", "int64", [1]), ("z", "float", [1.0]):
            fill(message.feature_lists.feature_list[key].feature.add(), kind, items)
        message = message.SerializeToString()
        self.check_error({"y": tf.FixedLenSequenceFeature([], tf.int64)}, message,
                         "Name: n, Feature list 'y' is required but could not be found.  Did you mean to include it in "
                         "feature_list_dense_missing_assumed_empty or feature_list_dense_defaults?")
        self.check_error({"x": tf.FixedLenSequenceFeature([], tf.int64)}, message,
                         "Name: n, Key: x, Index: 1.  Number of values != expected.  values size: 2 but output shape: []")
        self.check_error({"z": tf.VarLenFeature(tf.int64)}, message,
                         "Name: n, Feature list: z, Index: 1.  Data types don't match. Expected type: int64")
        self.check_error({"x": tf.VarLenFeature(tf.int64)}, b"abc", "Invalid protocol message input, example id: n")
        self.check_error({}, message, "Name: n, Context feature: c.  Data types don't match. Expected type: int64",
                         c=tf.FixedLenFeature([], tf.int64))
        self.check_error({}, message, "Inconsistent max number of elements for feature c: expected 2, but found 1",
                         c=tf.FixedLenFeature([2], tf.float32))


if __name__ == "__main__":
    unittest.main()
