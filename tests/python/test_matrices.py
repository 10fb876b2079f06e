"""Inverses, linear systems, second derivatives, and gradients that a program gives."""

import unittest

import numpy as np

import headrace as tf

M = np.array([[[4.0, 1.0], [2.0, 3.0]], [[0.0, 2.0], [3.0, 1.0]]])
B = np.arange(1.0, 7.0).reshape(2, 3)


class MatricesTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    def value(self, fetches, feeds=None):
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return session.run(fetches, feeds)

    def close(self, got, expected):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-12)

    def test_matrices_of_a_stack_are_inverted_one_by_one(self):
        inverse, adjoint, determinant = self.value([tf.matrix_inverse(M), tf.linalg.inv(M, adjoint=True), tf.linalg.det(M)])
        self.close(inverse, np.linalg.inv(M))
        self.close(adjoint, np.linalg.inv(M).transpose(0, 2, 1))
        self.close(determinant, [10, -6])
        signs, logs = self.value(tf.linalg.slogdet(M))
        self.close(signs, [1, -1])
        self.close(logs, np.log([10, 6]))

    def test_linear_systems_are_solved(self):
        definite = M[0] @ M[0].T
        got = self.value([tf.matrix_solve(M[1], B), tf.linalg.solve(M[0], B, adjoint=True), tf.linalg.triangular_solve(M, B),
                          tf.cholesky_solve(tf.cholesky(definite), B), tf.linalg.logdet(definite)])
        self.close(got[0], np.linalg.solve(M[1], B))
        self.close(got[1], np.linalg.solve(M[0].T, B))
        self.close(got[2][0], np.linalg.solve(np.tril(M[0]), B))
        self.close(got[3], np.linalg.solve(definite, B))
        self.close(got[4], np.log(100))

    def test_what_has_no_inverse_or_root_is_an_error(self):
        for make, text in ((lambda x: tf.matrix_inverse(x), "Input is not invertible."),
                           (lambda x: tf.matrix_solve(x, [[1.0], [1.0]]), "Input matrix is not invertible."),
                           (lambda x: tf.cholesky(-x), "Cholesky decomposition was not successful. The input might not be valid.")):
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, text):
                self.value(make(tf.constant([[1.0, 1.0], [1.0, 1.0]])))
        with self.assertRaisesRegex(ValueError, "Dimensions must be equal, but are 2 and 3"):
            tf.matrix_inverse(tf.zeros([2, 3]))

    def test_the_gradient_of_a_cholesky_factor_is_symmetric(self):
        x = tf.placeholder(tf.float64, [2, 2])
        start, step = np.array([[4.0, 1.0], [1.0, 3.0]]), 1e-6
        loss = tf.reduce_sum(tf.cholesky(x) * [[1.0, 2.0], [3.0, 4.0]])
        gradient = tf.gradients(loss, x)[0]
        with tf.Session() as session:
            got = session.run(gradient, {x: start})
            for place in ([[1, 0], [0, 0]], [[0, 0], [0, 1]], [[0, 1], [1, 0]]):
                ahead, behind = (session.run(loss, {x: start + np.array(place) * s}) for s in (step, -step))
                self.close(np.sum(got * place), (ahead - behind) / (2 * step))
        self.close(got, got.T)

    def test_hessians_are_the_second_derivatives(self):
        x, y = tf.constant([1.0, 2.0]), tf.Variable([[1.0, 3.0]])
        first, second = self.value(tf.hessians([tf.reduce_sum(x ** 3) * x[0], tf.reduce_prod(y)], [x, y]))
        self.close(first, [[12, 12], [12, 12]])
        self.assertEqual(second.shape, (1, 2, 1, 2))
        self.close(second[0, :, 0], [[0, 1], [1, 0]])
        with self.assertRaisesRegex(ValueError, "None values not supported"):
            tf.hessians(tf.reduce_sum(x * 2), x)
        with self.assertRaisesRegex(NotImplementedError, "the shape of each x must be known"):
            z = tf.placeholder(tf.float32, [None])
            tf.hessians(tf.reduce_sum(z ** 2), z)


class CustomGradientTest(unittest.TestCase):

    def setUp(self):
        tf.reset_default_graph()

    value = MatricesTest.value

    def test_the_given_gradient_takes_the_place_of_the_true_one(self):
        @tf.custom_gradient
        def log1pexp(x):
            e = tf.exp(x)
            return tf.math.log(1 + e), lambda dy: dy * (1 - 1 / (1 + e))

        x = tf.constant([100.0, 0.0])
        y = log1pexp(x)
        self.assertEqual(log1pexp.__name__, "log1pexp")
        np.testing.assert_allclose(self.value(tf.gradients(y * 3, x)[0]), [3, 1.5])
        self.assertEqual(y.shape.as_list(), [2])

    def test_it_can_be_differentiated_again(self):
        @tf.custom_gradient
        def cube(x):
            return x ** 3, lambda dy: dy * x * x  # not 3 x^2: told from the true one

        x = tf.constant([2.0])
        first = tf.gradients(cube(x), x)[0]
        self.assertEqual(self.value([first, tf.gradients(first, x)[0]]), [[4], [4]])

    def test_results_and_arguments_may_be_structures(self):
        seen = []

        @tf.custom_gradient
        def mix(pair, c):
            def grad(da, db, dn):
                seen.append(dn)
                return [[da * 10, db * 100], None]
            return {"a": pair[0] + c, "b": pair[1], "n": tf.shape(c)}, grad

        a, b, c = (tf.constant([float(i)]) for i in range(3))
        made = mix((a, b), c)
        da, db, dc = tf.gradients([made["a"], made["b"] * 2], [a, b, c])
        self.assertIsNone(dc)
        self.assertEqual(seen, [None])  # integers have no gradient
        self.assertEqual(self.value([da, db, made["n"]]), [[10], [200], [1]])

    def test_gradients_of_variables_are_asked_for_by_name(self):
        with tf.variable_scope("scope", use_resource=True):
            @tf.custom_gradient
            def layer(x):
                w = tf.get_variable("w", initializer=[2.0])

                def grad(dy, variables=None):
                    self.assertEqual([v.name for v in variables], ["scope/w:0"])
                    return dy * variables[0], [dy * 7]
                return x * w, grad

            x = tf.constant([3.0])
            y = layer(x)
        w, = tf.trainable_variables()
        self.assertEqual(self.value(tf.gradients(y, [x, w])), [[2], [7]])
        step = tf.train.GradientDescentOptimizer(1.0).minimize(y)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(step)
            self.assertEqual(session.run(w), [-5])

    def test_loops_and_branches_use_it_too(self):
        @tf.custom_gradient
        def double(x):
            return x * 2, lambda dy: dy * 5

        x = tf.constant(1.0)
        looped = tf.while_loop(lambda i, _: i < 3, lambda i, v: (i + 1, double(v)), [0, x])[1]
        chosen = tf.cond(tf.constant(True), lambda: double(x), lambda: x)
        self.assertEqual(self.value([looped, tf.gradients(looped, x)[0], chosen, tf.gradients(chosen, x)[0]]), [8, 125, 2, 5])

    def test_what_does_not_fit_is_refused(self):
        x = tf.constant([1.0])
        with self.assertRaisesRegex(ValueError, "expected to return 1 gradients, but returned 2"):
            tf.custom_gradient(lambda a: (a, lambda dy: (dy, dy)))(x)
        with self.assertRaisesRegex(ValueError, "Incompatible shapes between op input and calculated input gradient"):
            tf.custom_gradient(lambda a: (a, lambda dy: tf.zeros([3])))(x)
        with self.assertRaisesRegex(ValueError, "supports keywords arguments only when eager"):
            tf.custom_gradient(lambda a: (a, lambda dy: dy))(a=x)
        v = tf.get_variable("v", [1])
        with self.assertRaisesRegex(TypeError, "must accept keyword argument 'variables'"):
            tf.custom_gradient(lambda a: (a * v, lambda dy: dy))(x)


if __name__ == "__main__":
    unittest.main()
