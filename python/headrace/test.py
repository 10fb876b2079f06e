"""tf.test: a TestCase that compares tensors, and numeric checks of gradients."""

import contextlib
import os
import re
import shutil
import tempfile
import unittest
from unittest import mock  # noqa: F401 - tf.test.mock

import numpy as np

from .framework import errors
from .framework.convert import is_tensor_like
from .framework.default_graph import reset_default_graph, set_random_seed
from .framework.gradients import gradients
from .framework.session import Session, get_default_session
from .ops.array import placeholder

_temp_dir = None


def get_temp_dir():
    """A directory of this process that is removed at its end."""
    global _temp_dir
    if _temp_dir is None:
        import atexit
        _temp_dir = tempfile.mkdtemp(prefix="headrace_test_")
        atexit.register(shutil.rmtree, _temp_dir, ignore_errors=True)
    return _temp_dir


def is_built_with_cuda():
    """False: everything runs on the CPU."""
    return False


def is_gpu_available(cuda_only=False, min_cuda_compute_capability=None):
    """False: everything runs on the CPU."""
    return False


def gpu_device_name():
    """"": everything runs on the CPU."""
    return ""


def main(argv=None):
    """Runs the tests of the program."""
    unittest.main(argv=argv)


class TestCase(unittest.TestCase):
    """unittest.TestCase with a fresh default graph for each test, sessions, and comparisons of arrays."""

    def setUp(self):
        super().setUp()
        self._cached, self._directory = None, None
        reset_default_graph()
        set_random_seed(87654321)

    def tearDown(self):
        if self._cached is not None:
            self._cached.close()
        super().tearDown()

    def get_temp_dir(self):
        """A directory of this test."""
        if self._directory is None:
            self._directory = os.path.join(get_temp_dir(), re.sub(r"\W+", "_", self.id()))
            os.makedirs(self._directory, exist_ok=True)
        return self._directory

    @contextlib.contextmanager
    def session(self, graph=None, config=None, use_gpu=False, force_gpu=False):
        """A new session, as default session."""
        with Session(graph=graph, config=config) as session:
            yield session

    @contextlib.contextmanager
    def cached_session(self, graph=None, config=None, use_gpu=False, force_gpu=False):
        """The test's one session, as default session; it stays open until the test's end."""
        if self._cached is None:
            self._cached = Session(graph=graph, config=config)
        with self._cached.graph.as_default(), self._cached.as_default():
            yield self._cached

    def test_session(self, graph=None, config=None, use_gpu=False, force_gpu=False):
        """cached_session under its old name, which test runners take for a test."""
        if self.id().endswith(".test_session"):
            self.skipTest("Not a test.")
        return self.cached_session(graph, config, use_gpu, force_gpu)

    def evaluate(self, tensors):
        """The values, in the default session."""
        return (get_default_session() or self._cached).run(tensors)

    def _value(self, value):
        if is_tensor_like(value):
            return self.evaluate(value)
        if isinstance(value, (list, tuple)) and any(is_tensor_like(v) for v in value):
            return np.asarray([self._value(v) for v in value])
        return np.asarray(value)

    def assertAllEqual(self, a, b, msg=None):  # noqa: N802 - unittest's manner
        """Fails unless shapes and elements are equal; NaN equals NaN."""
        np.testing.assert_array_equal(self._value(a), self._value(b), err_msg=msg or "")

    def assertAllClose(self, a, b, rtol=1e-6, atol=1e-6, msg=None):  # noqa: N802
        """Fails unless shapes are equal and elements near, in structures of arrays too."""
        if isinstance(a, dict):
            self.assertEqual(sorted(a), sorted(b), msg)
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol, msg)
            return
        if isinstance(a, (list, tuple)) and len({np.shape(item) for item in a}) > 1:
            self.assertEqual(len(a), len(b), msg)
            for left, right in zip(a, b):
                self.assertAllClose(left, right, rtol, atol, msg)
            return
        a, b = self._value(a), self._value(b)
        self.assertEqual(a.shape, b.shape, msg)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=msg or "")

    def assertAllCloseAccordingToType(self, a, b, rtol=1e-6, atol=1e-6, float_rtol=1e-6, float_atol=1e-6,  # noqa: N802
                                      half_rtol=1e-3, half_atol=1e-3, msg=None):
        """assertAllClose with tolerances of the less exact type."""
        kinds = {self._value(v).dtype for v in (a, b)}
        if np.dtype(np.float16) in kinds:
            rtol, atol = max(rtol, half_rtol), max(atol, half_atol)
        elif np.dtype(np.float32) in kinds:
            rtol, atol = max(rtol, float_rtol), max(atol, float_atol)
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertNotAllEqual(self, a, b, msg=None):  # noqa: N802
        """Fails where assertAllEqual does not."""
        self.assertFalse(np.array_equal(self._value(a), self._value(b)), msg)

    def assertNotAllClose(self, a, b, rtol=1e-6, atol=1e-6, msg=None):  # noqa: N802
        """Fails where assertAllClose does not."""
        a, b = self._value(a), self._value(b)
        self.assertFalse(a.shape == b.shape and np.allclose(a, b, rtol=rtol, atol=atol), msg)

    def assertArrayNear(self, farray1, farray2, err, msg=None):  # noqa: N802
        """Fails unless the elements of two lists differ by at most `err`."""
        self.assertEqual(len(farray1), len(farray2), msg)
        for a, b in zip(farray1, farray2):
            self.assertNear(float(a), float(b), err, msg)

    def assertNear(self, f1, f2, err, msg=None):  # noqa: N802
        """Fails unless the numbers differ by at most `err`."""
        self.assertTrue(f1 == f2 or abs(f1 - f2) <= err, msg or f"{f1} and {f2} differ by more than {err}")

    def assertShapeEqual(self, np_array, tf_tensor, msg=None):  # noqa: N802
        """Fails unless the tensor has the array's shape."""
        self.assertEqual(list(np_array.shape), tf_tensor.get_shape().as_list(), msg)

    def assertAllInRange(self, target, lower_bound, upper_bound):  # noqa: N802
        """Fails unless all elements lie between the bounds."""
        target = self._value(target)
        self.assertTrue(((target >= lower_bound) & (target <= upper_bound)).all(), target)

    def assertDTypeEqual(self, target, expected_dtype):  # noqa: N802
        """Fails unless the array or tensor has the dtype."""
        self.assertEqual(np.dtype(getattr(target.dtype, "as_numpy_dtype", target.dtype)), np.dtype(expected_dtype))

    def assertStartsWith(self, actual, expected_start, msg=None):  # noqa: N802
        """Fails unless the text begins so."""
        self.assertTrue(actual.startswith(expected_start), msg or f"{actual!r} does not start with {expected_start!r}")

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(self, exception_type, expected_err_re_or_predicate):  # noqa: N802
        """Fails unless the block raises such an exception, whose text the expression finds or the predicate accepts."""
        with self.assertRaises(exception_type) as caught:
            yield
        wanted = expected_err_re_or_predicate
        fits = wanted(caught.exception) if callable(wanted) else re.search(wanted, str(caught.exception))
        self.assertTrue(fits, f"unexpected text: {caught.exception}")

    def assertRaisesOpError(self, expected_err_re_or_predicate):  # noqa: N802
        """Fails unless the block raises an OpError that fits."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)


def compute_gradient(x, x_shape, y, y_shape, x_init_value=None, delta=1e-3, init_targets=None, extra_feed_dict=None):
    """The Jacobian of y for x as (of the gradient's graph, of central differences), each [elements of x, elements of y].

    Needs a default session. For a list of x, a list of pairs.
    """
    if isinstance(x, (list, tuple)):
        values = x_init_value or [None] * len(x)
        return [compute_gradient(one, shape, y, y_shape, value, delta, init_targets, extra_feed_dict)
                for one, shape, value in zip(x, x_shape, values)]
    session = get_default_session()
    if init_targets is not None:
        session.run(list(init_targets) if isinstance(init_targets, (list, tuple)) else init_targets)
    kind = np.dtype(x.dtype.base_dtype.as_numpy_dtype)
    start = np.asarray(np.random.random_sample(x_shape) if x_init_value is None else x_init_value, kind)
    feeds = dict(extra_feed_dict or {})
    weights = np.zeros(y_shape, y.dtype.as_numpy_dtype)
    analytic, numeric = np.zeros((start.size, weights.size), kind), np.zeros((start.size, weights.size), kind)
    with y.graph.as_default():
        grad_y = placeholder(y.dtype.base_dtype, weights.shape)
        gradient = gradients(y, x, grad_ys=grad_y)[0]
    for column in range(weights.size):
        weights.flat[column] = 1
        if gradient is not None:
            analytic[:, column] = _dense(session, gradient, {**feeds, x: start, grad_y: weights}, start.shape).ravel()
        weights.flat[column] = 0
    for row in range(start.size):
        sides = []
        for step in (delta, -delta):
            moved = start.copy()
            moved.flat[row] += step
            sides.append(session.run(y, {**feeds, x: moved}))
        numeric[row] = (sides[0] - sides[1]).ravel() / (2 * delta)
    return analytic, numeric


def _dense(session, gradient, feeds, shape):
    if not hasattr(gradient, "indices"):
        return session.run(gradient, feeds)
    values, indices = session.run([gradient.values, gradient.indices], feeds)
    result = np.zeros(shape, values.dtype)
    np.add.at(result, indices, values)
    return result


def compute_gradient_error(x, x_shape, y, y_shape, x_init_value=None, delta=1e-3, init_targets=None, extra_feed_dict=None):
    """The largest difference between the two Jacobians of compute_gradient."""
    pairs = compute_gradient(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    pairs = [pairs] if isinstance(pairs, tuple) else pairs
    return max((np.abs(a - b).max() if a.size else 0.0) for a, b in pairs)
