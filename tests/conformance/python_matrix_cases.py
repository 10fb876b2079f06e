"""Inverses, linear systems and second derivatives that TensorFlow's module has too, in the form of python_cases.py."""

import numpy as np

RANDOM = np.random.default_rng(5)
A = (RANDOM.standard_normal((2, 4, 4)) + 3 * np.eye(4)).astype(np.float64)
B = RANDOM.standard_normal((2, 4, 3))
V = RANDOM.standard_normal(3)
W = RANDOM.standard_normal((2, 2))
CASES = {}


def smooth(name, function, *arguments):
    CASES[name] = (function, arguments)


def _definite(t, x):
    return t.matmul(x, x, transpose_b=True) + t.eye(4, dtype=t.float64)


def _column(b):
    return b[:, :1]


smooth("inverse", lambda t, x: [t.matrix_inverse(x), t.linalg.inv(x, adjoint=True), t.linalg.inv(t.cast(x, t.float32))], A)
smooth("determinant", lambda t, x: [t.matrix_determinant(x), t.linalg.det(-x)], A)
smooth("log of the determinant", lambda t, x: [t.linalg.slogdet(x)[1], t.linalg.slogdet(-x).log_abs_determinant,
                                               t.linalg.logdet(_definite(t, x))], A)
smooth("solve", lambda t, x, b: [t.matrix_solve(x, b), t.linalg.solve(x, b, adjoint=True)], A, B)
for _lower in (True, False):
    smooth(f"triangular solve {_lower}", lambda t, x, b, low=_lower: [
        t.matrix_triangular_solve(x, b, lower=low), t.linalg.triangular_solve(x, b, low, True)], A, B)
smooth("triangular solve of one matrix", lambda t, x, b: t.linalg.triangular_solve(x, b), A[0], B)
smooth("cholesky", lambda t, x: [t.cholesky(_definite(t, x)), t.linalg.cholesky(t.cast(_definite(t, x), t.float32))], A)
smooth("cholesky of a matrix", lambda t, x: t.cholesky(_definite(t, x)), A[0])
smooth("cholesky solve", lambda t, x, b: [t.cholesky_solve(t.cholesky(_definite(t, x)), b),
                                          t.linalg.cholesky_solve(t.linalg.cholesky(_definite(t, x)), b)], A, B)
smooth("gaussian density", lambda t, x, b: t.reduce_sum(t.square(t.matrix_triangular_solve(t.cholesky(_definite(t, x)), b))) +
       t.reduce_sum(t.log(t.matrix_diag_part(t.cholesky(_definite(t, x))))), A, B)
smooth("second derivative of an inverse", lambda t, x: t.gradients(t.reduce_sum(t.matrix_inverse(x) ** 2), x)[0], A)
smooth("hessian of a vector", lambda t, x: t.hessians(t.reduce_sum(x ** 3) * x[0] + t.reduce_prod(t.sin(x)), x), V)
smooth("hessian of a matrix", lambda t, x: t.hessians([t.reduce_sum(t.exp(t.matmul(x, x))), x[0, 1] ** 3], [x]), W)
smooth("hessian of two", lambda t, x, y: t.hessians(t.reduce_sum(x ** 2) * t.reduce_sum(t.tanh(y)), [x, y]), V, W)
