"""Optimizers and moving averages: what their variables are called, where they are, and what is refused."""

import unittest

import headrace as tf
from training_testing import TrainingTest, free_addresses


def names():
    return [variable.op.name for variable in tf.global_variables()]


class NamesTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def test_slots_are_named_below_the_variable_scope_of_the_moment(self):
        with tf.variable_scope("net"):
            w = tf.get_variable("w", [2])
            optimizer = tf.train.AdamOptimizer()
            optimizer.minimize(tf.reduce_sum(w))
        self.assertEqual(names(), ["net/w", "net/beta1_power", "net/beta2_power", "net/net/w/Adam", "net/net/w/Adam_1"])
        self.assertEqual(optimizer.get_slot(w, "v").op.name, "net/net/w/Adam_1")

    def test_a_name_scope_does_not_change_slots_names(self):
        w = tf.get_variable("w", [2])
        with tf.name_scope("train"):
            tf.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(w))
        self.assertEqual(names(), ["w", "w/Momentum"])

    def test_slots_carry_the_optimizers_own_name_or_those_given_for_them(self):
        w = tf.get_variable("w", [2])
        tf.train.MomentumOptimizer(0.1, 0.9, name="Fast").minimize(tf.reduce_sum(w), name="step")
        tf.train.FtrlOptimizer(0.1, accum_name="squares", linear_name="sums").minimize(tf.reduce_sum(w))
        self.assertEqual(names(), ["w", "w/Fast", "w/squares", "w/sums"])

    def test_averages_are_named_below_the_variable_scope_too(self):
        w = tf.get_variable("w", [2])
        average = tf.train.ExponentialMovingAverage(0.9)
        self.assertEqual(average.average_name(w), "w/ExponentialMovingAverage")
        with tf.variable_scope("train"):
            average.apply([w])
        self.assertEqual(average.average(w).op.name, "train/w/ExponentialMovingAverage")
        self.assertEqual(average.average_name(w), "train/w/ExponentialMovingAverage")

    def test_the_average_of_a_tensor_may_begin_without_a_bias(self):
        x = tf.placeholder(tf.float32, [])
        average = tf.train.ExponentialMovingAverage(0.5, zero_debias=True)
        update = average.apply([x])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(update, {x: 4.0})
            self.assertAlmostEqual(float(session.run(average.average(x))), 4.0, 5)
            session.run(update, {x: 1.0})
            self.assertAlmostEqual(float(session.run(average.average(x))), (0.25 * 4 + 0.5 * 1) / 0.75, 5)

    def test_a_loss_of_integers_is_refused_by_name(self):
        w = tf.get_variable("w", [2], tf.int32, tf.zeros_initializer())
        with self.assertRaisesRegex(ValueError, "int32 for total:0"):
            tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(w, name="total"), var_list=[w])


class PlacementTest(TrainingTest):

    def test_adams_powers_are_on_another_server_than_most_variables(self):
        cluster = {"ps": free_addresses(2), "worker": free_addresses(1)}
        for i in range(2):
            self.serve(cluster, "ps", i)
        target = self.serve(cluster, "worker", 0).target
        with tf.device(tf.train.replica_device_setter(cluster=cluster)):
            a, b = tf.Variable([1.0], name="a"), tf.Variable([1.0], name="b")
            train = tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(a * a + b * b))
        self.assertNotEqual(a.device, b.device)
        with tf.Session(target) as session:
            session.run(tf.global_variables_initializer())
            session.run(train)
            self.assertAlmostEqual(float(session.run(b)[0]), 0.9, 5)


class RatesTest(unittest.TestCase):

    def rates(self, make, steps):
        tf.reset_default_graph()
        step = tf.placeholder(tf.int64, [])
        rate = make(step)
        with tf.Session() as session:
            return [round(float(session.run(rate, {step: i})), 6) for i in steps]

    def test_cosines_begin_again_after_twice_the_steps(self):
        self.assertEqual(self.rates(lambda step: tf.train.cosine_decay_restarts(0.1, step, 2), [0, 1, 2, 4, 6]),
                         [0.1, 0.05, 0.1, 0.05, 0.1])

    def test_a_linear_cosine_ends_at_beta(self):
        self.assertEqual(self.rates(lambda step: tf.train.linear_cosine_decay(0.1, step, 5), [0, 5, 9]), [0.1001, 0.0001, 0.0001])


if __name__ == "__main__":
    unittest.main()
