"""Graphs as Python builds them: names, scopes, devices, shapes, collections, and what is refused."""

import unittest

import headrace as tf
import numpy as np


class GraphTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def test_names_are_made_unique_below_their_scopes(self):
        with tf.name_scope("a"):
            first, second = tf.constant(1, name="x"), tf.constant(2, name="x")
        with tf.name_scope("a"):
            third = tf.constant(3, name="x")
        self.assertEqual([t.op.name for t in (first, second, third)], ["a/x", "a/x_1", "a_1/x"])

    def test_operators_name_their_constants_as_tensorflow_does(self):
        y = tf.placeholder(tf.float32, [2], name="p") + 1.0
        self.assertEqual(y.op.name, "add")
        self.assertEqual([t.op.name for t in y.op.inputs], ["p", "add/y"])

    def test_a_variable_has_the_nodes_that_checkpoints_and_clients_expect(self):
        tf.get_variable("v", [3], initializer=tf.zeros_initializer())
        names = {op.name for op in tf.get_default_graph().get_operations()}
        self.assertLessEqual({"v", "v/Initializer/zeros", "v/Assign", "v/Read/ReadVariableOp"}, names)

    def test_inner_devices_win_field_by_field(self):
        with tf.device("/job:worker/task:1"), tf.device("/cpu:0"):
            self.assertEqual(tf.constant(1).device, "/job:worker/task:1/device:CPU:0")
            with tf.device("/job:ps"):
                self.assertEqual(tf.constant(1).device, "/job:ps/task:1/device:CPU:0")
            with tf.device(None):
                self.assertEqual(tf.constant(1).device, "")

    def test_a_device_function_sees_the_operation_and_decides(self):
        with tf.device(lambda op: "/job:ps" if op.type == "VarHandleOp" else "/job:worker"):
            v = tf.get_variable("v", [1])
            self.assertEqual(v.device, "/job:ps")
            self.assertEqual((v + 1.0).device, "/job:worker")

    def test_the_device_setter_spreads_variables_in_turn(self):
        cluster = tf.train.ClusterSpec({"ps": ["a:1", "b:1"], "worker": ["c:1"]})
        with tf.device(tf.train.replica_device_setter(cluster=cluster, worker_device="/job:worker/task:0")):
            devices = [tf.Variable(0.0).device for _ in range(3)]
            self.assertEqual(devices, ["/job:ps/task:0", "/job:ps/task:1", "/job:ps/task:0"])
            self.assertEqual(tf.constant(1).device, "/job:worker/task:0")

    def test_control_dependencies_become_control_inputs(self):
        first = tf.no_op(name="first")
        with tf.control_dependencies([first]):
            self.assertEqual(tf.constant(1).op.control_inputs, [first])
            with tf.control_dependencies(None):
                self.assertEqual(tf.constant(1).op.control_inputs, [])

    def test_shapes_are_inferred_and_may_be_added_to(self):
        x = tf.placeholder(tf.float32, [None, 3])
        y = tf.matmul(x, np.ones([3, 5], np.float32))
        self.assertEqual(y.shape.as_list(), [None, 5])
        y.set_shape([7, 5])
        self.assertEqual(y.get_shape().as_list(), [7, 5])
        with self.assertRaises(ValueError):
            y.set_shape([8, 5])

    def test_a_known_extent_is_both_a_number_and_a_dimension(self):
        x = tf.placeholder(tf.float32, [None, 3])
        self.assertEqual(x.shape[1], 3)
        self.assertEqual(x.shape[1].value, 3)
        self.assertIsNone(x.shape[0].value)
        self.assertEqual(int(x.shape[1]) * 2, 6)

    def test_shapes_that_do_not_fit_are_a_value_error_that_names_the_node(self):
        with self.assertRaisesRegex(ValueError, "inner dimensions.*MatMul"):
            tf.matmul(tf.ones([2, 3]), tf.ones([2, 3]))

    def test_types_that_do_not_fit_are_a_type_error(self):
        with self.assertRaises(TypeError):
            tf.constant(1) + tf.constant(1.0)

    def test_an_unknown_argument_is_a_type_error(self):
        with self.assertRaisesRegex(TypeError, "colour"):
            tf.raw_ops.MatMul(a=tf.ones([1, 1]), b=tf.ones([1, 1]), colour=3)

    def test_what_is_not_there_names_the_nearest_that_is(self):
        with self.assertRaisesRegex(AttributeError, "reduce_sum"):
            tf.reduce_summ
        with self.assertRaisesRegex(AttributeError, "summary.scalar"):
            tf.scalar_summary

    def test_a_finalized_graph_refuses_operations(self):
        tf.get_default_graph().finalize()
        with self.assertRaisesRegex(RuntimeError, "finalized"):
            tf.constant(1)

    def test_a_tensor_is_no_truth_value(self):
        with self.assertRaisesRegex(TypeError, "bool"):
            if tf.constant(True):
                pass

    def test_variables_are_found_again_by_their_names(self):
        with tf.variable_scope("s") as scope:
            v = tf.get_variable("v", [2])
            with self.assertRaisesRegex(ValueError, "already exists"):
                tf.get_variable("v", [2])
        with tf.variable_scope(scope, reuse=True):
            self.assertIs(tf.get_variable("v", [2]), v)
            with self.assertRaisesRegex(ValueError, "does not exist"):
                tf.get_variable("w", [2])
        with tf.variable_scope("s", reuse=tf.AUTO_REUSE):
            self.assertIs(tf.get_variable("v"), v)

    def test_a_graph_def_goes_out_and_comes_back(self):
        x = tf.placeholder(tf.float32, [2], name="x")
        tf.multiply(x, 3.0, name="y")
        message = tf.get_default_graph().as_graph_def()
        with tf.Graph().as_default():
            y, = tf.import_graph_def(message, {"x:0": tf.constant([1.0, 2.0])}, ["y:0"], name="copy")
            self.assertEqual(y.op.name, "copy/y")
            with tf.Session() as session:
                self.assertEqual(session.run(y).tolist(), [3.0, 6.0])

    def test_default_graphs_nest(self):
        with tf.Graph().as_default() as graph:
            self.assertIs(tf.constant(1).graph, graph)
        self.assertIsNot(tf.constant(1).graph, graph)


if __name__ == "__main__":
    unittest.main()
