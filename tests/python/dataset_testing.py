"""What the tests of datasets share: their elements, drained in a session."""

import unittest

import numpy as np

import headrace as tf


class Drained(unittest.TestCase):

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
