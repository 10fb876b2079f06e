"""Where variables and their reads go, and what nested functions take from outside."""

import unittest

import headrace as tf

CLUSTER = {"ps": ["ps0:1", "ps1:1"], "worker": ["worker0:1"]}


class PlacementTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def test_moving_averages_lie_on_the_parameter_server_of_their_variable(self):
        with tf.device(tf.train.replica_device_setter(cluster=tf.train.ClusterSpec(CLUSTER))):
            a, b = tf.Variable(1.0, name="a"), tf.Variable(2.0, name="b")
            averages = tf.train.ExponentialMovingAverage(0.9)
            averages.apply([a, b])
        self.assertEqual([averages.average(v).device for v in (a, b)], ["/job:ps/task:0", "/job:ps/task:1"])

    def test_a_variable_made_inside_colocate_with_goes_where_the_other_is(self):
        with tf.device("/job:ps/task:1"):
            a = tf.Variable(1.0, name="a")
        with tf.device("/job:worker"), tf.colocate_with(a):
            b = tf.Variable(2.0, name="b")
        self.assertEqual(b.device, "/job:ps/task:1")

    def test_a_variable_is_read_where_it_lies_whatever_the_reader_is_colocated_with(self):
        with tf.device("/job:ps/task:0"):
            a = tf.Variable(1.0, name="a")
        with tf.device("/job:ps/task:1"):
            b = tf.Variable(2.0, name="b")
        with tf.colocate_with(b):
            read = tf.convert_to_tensor(a)
        self.assertNotIn("loc:@b", str(read.op.node_def))

    def test_a_loop_in_a_loop_uses_a_variable_from_outside_and_gradients_reach_it(self):
        v = tf.Variable(1.5)

        def outer(i, s):
            return i + 1, tf.while_loop(lambda j, t: j < i, lambda j, t: (j + 1, t * v), (tf.constant(0), s))[1]

        result = tf.while_loop(lambda i, s: i < 3, outer, (tf.constant(0), tf.constant(2.0)))[1]
        slope = tf.gradients(result, v)[0]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            self.assertEqual(session.run([result, slope]), [6.75, 13.5])  # 2 v^3, 6 v^2

    def test_a_branch_in_a_loop_uses_a_tensor_from_outside(self):
        x = tf.placeholder(tf.float32, [])
        total = tf.while_loop(lambda i, s: i < 4,
                              lambda i, s: (i + 1, tf.cond(tf.equal(i % 2, 0), lambda: s + x, lambda: s - x * 2.0)),
                              (tf.constant(0), tf.constant(0.0)))[1]
        with tf.Session() as session:
            self.assertEqual(session.run(total, {x: 3.0}), -6.0)


if __name__ == "__main__":
    unittest.main()
