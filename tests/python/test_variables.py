"""Variables: ref variables beside resource ones, changes of single rows, initial values, functions that share them."""

import unittest

import headrace as tf
import numpy as np


class RefVariableTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()
        self.v = tf.get_variable("v", initializer=[[1.0, 2.0], [3.0, 4.0]], use_resource=False)

    def after(self, *operations):
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return [session.run(operation) for operation in operations]

    def test_its_operations_are_tensorflows(self):
        self.assertEqual((self.v.op.type, self.v.initializer.type, self.v.value().name), ("VariableV2", "Assign", "v/read:0"))
        with tf.variable_scope("scope", use_resource=False):
            self.assertEqual(tf.get_variable("w", [1]).op.type, "VariableV2")
        self.assertEqual(tf.Variable(1.0).op.type, "VarHandleOp")

    def test_assignments_return_the_new_value(self):
        set_, more = tf.assign(self.v, np.zeros([2, 2])), self.v.assign_add([[1.0, 1.0], [1.0, 1.0]])
        np.testing.assert_array_equal(self.after(set_, more, self.v, "v:0"), [np.zeros([2, 2])] + 3 * [np.ones([2, 2])])

    def test_a_value_of_another_shape_is_refused_unless_it_is_not_to_be_checked(self):
        with self.assertRaisesRegex(ValueError, "are incompatible"):
            tf.assign(self.v, [1.0])
        self.assertEqual(self.after(tf.assign(self.v, [1.0], validate_shape=False))[0].tolist(), [1.0])

    def test_a_slice_can_be_assigned_to(self):
        for use_resource in (False, True):
            tf.reset_default_graph()
            v = tf.Variable(np.arange(12.0).reshape(3, 4), use_resource=use_resource)
            row, corner = v[1].assign([9, 8, 7, 6]), v[tf.newaxis, ::-2, ..., 1:3].assign([[[1], [2]]])
            scalar = tf.strided_slice(v, [0], [1], var=v).assign(5, name="hey")
            self.assertEqual((row.op.name, scalar.op.name), ("strided_slice/_assign", "hey"))
            expected = np.arange(12.0).reshape(3, 4)
            for operation, place, value in ((row, np.s_[1], [9, 8, 7, 6]), (corner, np.s_[::-2, 1:3], [[1], [2]]),
                                            (scalar, np.s_[0], 5)):
                expected[place] = value
                with self.subTest(use_resource=use_resource, operation=operation.op.name), tf.Session() as session:
                    session.run(v.initializer)
                    session.run({row: [], corner: [row], scalar: [row, corner]}[operation])
                    np.testing.assert_array_equal(session.run(operation), expected)
                    np.testing.assert_array_equal(session.run(v), expected)
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, r"Cannot broadcast input shape \[3\] into final shape \[4\]"):
                self.after(v[0].assign([1, 2, 3]))
            with self.assertRaises(AttributeError):
                v.value()[0].assign(1)

    def test_a_slice_of_the_value_itself_can_be_assigned(self):
        v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
        np.testing.assert_array_equal(self.after(v[0].assign(v[1]))[0], [[3, 4], [3, 4]])

    def test_a_read_after_an_assignment_sees_it(self):
        with tf.control_dependencies([self.v.assign(np.zeros([2, 2]))]):
            self.assertEqual(self.after(self.v.read_value())[0].tolist(), [[0, 0], [0, 0]])

    def test_it_trains_with_dense_and_sparse_gradients(self):
        loss = tf.reduce_sum(tf.nn.embedding_lookup(self.v, [1, 1])) + tf.reduce_sum(self.v)
        train = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
        self.assertEqual(self.after(train, self.v)[1].tolist(), [[0, 1], [0, 1]])

    def test_it_counts_up_to_a_limit(self):
        count = tf.Variable(0, name="count", use_resource=False).count_up_to(2)
        self.assertEqual(self.after(count, count), [0, 1])
        with self.assertRaises(tf.errors.OutOfRangeError):
            self.after(count, count, count)

    def test_an_uninitialized_one_is_named(self):
        with tf.Session() as session, self.assertRaisesRegex(tf.errors.FailedPreconditionError, "v"):
            session.run(self.v)


class VariableTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def test_rows_are_changed_in_both_kinds(self):
        for use_resource in (True, False):
            v = tf.Variable(np.zeros([3, 1], np.float32), use_resource=use_resource)
            with tf.Session() as session:
                session.run(v.initializer)
                self.assertEqual(session.run(tf.scatter_add(v, [1, 1], [[1.0], [2.0]])).tolist(), [[0], [3], [0]])
                self.assertEqual(session.run(tf.scatter_update(v, [0], [[9.0]])).tolist(), [[9], [3], [0]])
                self.assertEqual(session.run(tf.scatter_nd_sub(v, [[2, 0]], [1.0])).tolist(), [[9], [3], [-1]])

    def test_a_number_to_begin_with_decides_the_dtype(self):
        self.assertIs(tf.get_variable("i", initializer=0).dtype, tf.int32)
        self.assertIs(tf.get_variable("f", initializer=0.0).dtype, tf.float32)
        with self.assertRaisesRegex(ValueError, "don't match"):
            tf.get_variable("x", initializer=np.float64([1.0]), dtype=tf.float32)

    def test_an_initial_value_without_a_shape_is_refused(self):
        with self.assertRaisesRegex(ValueError, "must have a shape specified"):
            tf.Variable(tf.placeholder(tf.float32))
        tf.Variable(tf.placeholder(tf.float32), validate_shape=False)

    def test_a_variable_counts_as_true(self):
        self.assertEqual("there" if tf.Variable(0.0) else "absent", "there")

    def test_a_getter_adds_operations_at_the_root(self):
        with tf.variable_scope("scope", custom_getter=lambda getter, *args, **kwargs: tf.identity(getter(*args, **kwargs), "twin")):
            self.assertEqual(tf.get_variable("v", [1]).name, "twin:0")

    def test_a_scope_that_is_opened_again_keeps_its_first_name_scope(self):
        with tf.variable_scope("scope") as scope:
            pass
        with tf.variable_scope(scope) as again:
            self.assertEqual(again.original_name_scope, "scope/")

    def test_a_template_makes_its_variables_once(self):
        layer = tf.make_template("layer", lambda x, size: tf.matmul(x, tf.get_variable("w", [2, size])), size=3)
        other = tf.make_template("layer", lambda: tf.get_variable("w", [1]))
        first, second = layer(tf.ones([1, 2])), layer(tf.zeros([1, 2]))
        other()
        self.assertIsNot(first, second)
        self.assertEqual([v.name for v in tf.global_variables()], ["layer/w:0", "layer_1/w:0"])
        self.assertEqual([v.name for v in layer.trainable_variables], ["layer/w:0"])


if __name__ == "__main__":
    unittest.main()
