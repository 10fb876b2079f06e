"""Branches and loops whose variables lie on a parameter server while the rest of them is a worker's."""

import unittest

import numpy as np

import headrace as tf
from training_testing import TrainingTest, free_addresses


class FunctionsApartTest(TrainingTest):

    def values(self, build):
        """What `build` makes, run by a worker beside a parameter server, and in one process."""
        ps, worker = free_addresses(2)
        cluster = tf.train.ClusterSpec({"ps": [ps], "worker": [worker]})
        self.serve(cluster, "ps", 0)
        target = self.serve(cluster, "worker", 0).target
        setter = tf.train.replica_device_setter(worker_device="/job:worker/task:0", ps_tasks=1)
        found = []
        for target, placed in ((target, setter), ("", None)):
            with tf.Graph().as_default():
                with tf.device(placed):
                    fetches = build()
                with tf.Session(target) as session:
                    session.run(tf.global_variables_initializer())
                    found.append(session.run(fetches))
        return found

    def test_a_branch_that_assigns_hands_gradients_on(self):
        def build():
            w = tf.Variable([[1.0, 2.0], [3.0, 5.0]])
            kept = tf.Variable([0.0, 0.0], trainable=False)
            mean = tf.reduce_mean(w, 0)

            def update():
                with tf.control_dependencies([kept.assign(kept * 0.5 + mean * 0.5)]):
                    return tf.identity(mean)

            centre = tf.cond(tf.placeholder_with_default(True, []), update, lambda: kept + 0.0)
            return tf.gradients(tf.reduce_sum(tf.square(w - centre) * w), w)[0]

        apart, together = self.values(build)
        np.testing.assert_allclose(apart, together)
        np.testing.assert_allclose(apart, [[-3.0, -8.25], [5.0, 12.75]])

    def test_a_loop_looks_rows_up_and_trains_the_table(self):
        def build():
            table = tf.Variable(np.arange(10, dtype=np.float32).reshape(5, 2))
            total = tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s + tf.square(tf.nn.embedding_lookup(table, [i, 1]))),
                                  (tf.constant(0), tf.zeros([2, 2])))[1]
            return [total, tf.convert_to_tensor(tf.gradients(total, table)[0])]

        apart, together = self.values(build)
        for a, b in zip(apart, together):
            np.testing.assert_allclose(a, b)
        np.testing.assert_allclose(apart[1][1], 2 * np.array([2.0, 3.0]) * 4)


if __name__ == "__main__":
    unittest.main()
