"""Images, matrices, counts and tf.test, by examples that are worked out by hand. The conformance checks compare all of it."""

import headrace as tf
import numpy as np

IMAGE = np.arange(12, dtype=np.float32).reshape(2, 2, 3)


class Functions(tf.test.TestCase):

    def value(self, tensor):
        with self.session() as session:
            return session.run(tensor)

    def test_images_are_resized(self):
        x = np.float32([0, 2]).reshape(1, 1, 2, 1)
        for method, expected in (("bilinear", [0, 1, 2, 2]), ("nearest", [0, 0, 2, 2])):
            self.assertAllClose(self.value(tf.image.resize_images(x, [1, 4], method)).ravel(), expected)

    def test_images_are_flipped_or_not(self):
        flipped = self.value([tf.image.random_flip_left_right(IMAGE, seed=i) for i in range(20)])
        kinds = {f.tobytes() for f in flipped}
        self.assertEqual(kinds, {IMAGE.tobytes(), np.ascontiguousarray(IMAGE[:, ::-1]).tobytes()})

    def test_standardization_gives_mean_0_and_deviation_1(self):
        got = self.value(tf.image.per_image_standardization(IMAGE))
        self.assertAllClose([got.mean(), got.std()], [0, 1], atol=1e-5)

    def test_crops_and_padding_keep_the_middle(self):
        self.assertAllEqual(self.value(tf.image.resize_image_with_crop_or_pad(np.ones((1, 1, 1), np.float32), 3, 3))[..., 0],
                            [[0, 0, 0], [0, 1, 0], [0, 0, 0]])
        with self.assertRaises(ValueError):
            tf.image.crop_to_bounding_box(IMAGE, 1, 1, 2, 2)

    def test_coded_images_come_back(self):
        image = (IMAGE * 20).astype(np.uint8)
        self.assertAllEqual(self.value(tf.image.decode_png(tf.image.encode_png(image))), image)

    def test_matrices(self):
        m = np.float32([[1, 2], [3, 4]])
        got = self.value([tf.linalg.diag_part(m), tf.linalg.diag([1.0, 2.0]), tf.trace(m), tf.matrix_band_part(m, 0, -1),
                          tf.einsum("ij,jk->ik", m, m), tf.norm(m), tf.linalg.matvec(m, [1.0, 1.0])])
        for a, b in zip(got, ([1, 4], [[1, 0], [0, 2]], 5, [[1, 2], [0, 4]], m @ m, np.sqrt(30), [3, 7])):
            self.assertAllClose(a, np.float32(b))
        with self.assertRaisesRegex(NotImplementedError, "of the decompositions there are the Cholesky factor and the inverse"):
            tf.linalg.svd(m)

    def test_the_gamma_function_and_angles(self):
        got = self.value([tf.lgamma(5.0), tf.digamma(1.0), tf.polygamma(1.0, 1.0), tf.zeta(2.0, 1.0), tf.lbeta([2.0, 3.0]),
                          tf.atan2(y=1.0, x=-1.0), tf.asinh(2.0), tf.acosh(2.0), tf.atanh(0.5), tf.math.xlogy(0.0, 0.0),
                          tf.math.xdivy(0.0, 0.0), tf.math.xlog1py(2.0, 1.0), tf.math.multiply_no_nan(np.float32("nan"), 0.0)])
        np.testing.assert_allclose(got, [np.log(24), -np.euler_gamma, np.pi ** 2 / 6, np.pi ** 2 / 6, -np.log(12), np.pi * 3 / 4,
                                         np.arcsinh(2), np.arccosh(2), np.arctanh(0.5), 0, 0, 2 * np.log(2), 0], rtol=1e-6)
        x = tf.constant([0.5, 3.0])
        first = tf.gradients(tf.lgamma(x), x)[0]
        np.testing.assert_allclose(self.value(tf.gradients(first, x)[0]), self.value(tf.polygamma(1.0, x)))

    def test_counts_and_orders(self):
        got = self.value([tf.math.bincount([1, 1, 3]), tf.confusion_matrix([0, 1], [1, 1]), tf.count_nonzero([0, 2, 3]),
                          tf.sort([3, 1, 2]), tf.argsort([3, 1, 2]), tf.roll([1, 2, 3], 1, 0), tf.setdiff1d([1, 2, 3], [2]).out,
                          tf.searchsorted([1, 3, 5], [0, 3, 9])])
        for a, b in zip(got, ([0, 2, 0, 1], [[0, 1], [0, 1]], 2, [1, 2, 3], [1, 2, 0], [3, 1, 2], [1, 3], [0, 1, 3])):
            self.assertAllEqual(a, b)

    def test_gradients_are_checked_numerically(self):
        with self.session():
            x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
            start = np.float32([[1, 2], [3, 4]])
            self.assertLess(tf.test.compute_gradient_error(x, [2, 2], tf.square(x), [2, 2], start, delta=1e-2), 1e-2)
            wrong = tf.square(x) + tf.stop_gradient(x)
            self.assertGreater(tf.test.compute_gradient_error(x, [2, 2], wrong, [2, 2], start, delta=1e-2), 0.5)

    def test_branches_and_loops_have_gradients_for_what_they_capture(self):
        x = tf.constant([2.0])
        looped = tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * x), [0, x])[1]
        chosen = tf.case([(x[0] > 5.0, lambda: x * 2), (x[0] > 1.0, lambda: x * 3)], default=lambda: x)
        self.assertAllClose(self.value(tf.gradients(looped, x) + tf.gradients(chosen, x)), [[32.0], [3.0]])

    def test_failing_operations_are_recognized(self):
        with self.session() as session, self.assertRaisesOpError("not finite"):
            session.run(tf.check_numerics(np.float32([np.nan]), "not finite"))


if __name__ == "__main__":
    tf.test.main()
