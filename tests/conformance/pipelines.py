"""What the checks of tf.data share: running a pipeline in TensorFlow's own session and on a Headrace server, and comparing."""
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers

tf.disable_eager_execution()


class PipelineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=0).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def elements(self, target, make, initializable, limit):
        with tf.Graph().as_default(), tf.Session(target) as session:
            dataset = make()
            iterator = tf.data.make_initializable_iterator(dataset) if initializable else tf.data.make_one_shot_iterator(dataset)
            following = iterator.get_next()
            found = []
            for _ in range(2 if initializable else 1):
                if initializable:
                    session.run(iterator.initializer)
                found.append("begin")
                while len(found) < limit:
                    try:
                        found.append(session.run(following))
                    except tf.errors.OutOfRangeError:
                        found.append("end")
                        break
            return found

    def compare(self, make, kinds=(False, True), limit=200):
        for initializable in kinds:
            expected = self.elements("", make, initializable, limit)
            actual = self.elements(self.cluster.target, make, initializable, limit)
            self.assertEqual(len(actual), len(expected))
            for a, b in zip(expected, actual):
                tf.nest.assert_same_structure(a, b)
                for left, right in zip(tf.nest.flatten(a), tf.nest.flatten(b)):
                    self.assertEqual(np.asarray(left).dtype, np.asarray(right).dtype)
                    np.testing.assert_array_equal(right, left)

    def both(self, make):
        """What make(session), run in a graph of its own, returns: from TensorFlow, then from the server."""
        results = []
        for target in "", self.cluster.target:
            with tf.Graph().as_default(), tf.Session(target) as session:
                results.append(make(session))
        return results

    def compare_errors(self, make, text):
        """The pipeline fails on both sides with the same class of error, and here with `text` in the message."""
        def failure(session):
            following = tf.data.make_one_shot_iterator(make()).get_next()
            try:
                while True:
                    session.run(following)
            except tf.errors.OpError as error:
                return type(error), error.message
        expected, actual = self.both(failure)
        self.assertEqual(actual[0], expected[0], f"{actual[1]} instead of {expected[1]}")
        self.assertIn(text, actual[1])


def wrap(variant, element_spec):
    """A dataset that a raw op made, for the client's transformations."""
    return tf.data.experimental.from_variant(variant, element_spec)
