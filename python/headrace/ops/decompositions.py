"""Inverses, determinants, linear systems and the Cholesky factor of the matrices in the last two axes of a tensor."""

from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from . import math
from .matrix import matrix_diag_part

def matrix_inverse(input, adjoint=False, name=None):
    """The inverses of the matrices, or of their adjoints."""
    return apply_op("MatrixInverse", input, adjoint=adjoint, name=name)


def matrix_determinant(input, name=None):
    """The determinants of the matrices."""
    return apply_op("MatrixDeterminant", input, name=name)


def slogdet(input, name=None):
    """(sign, log_abs_determinant) of the matrices; (0, -infinity) of a singular one."""
    return apply_op("LogMatrixDeterminant", input, name=name)


def logdet(matrix, name=None):
    """log of the determinants of Hermitian positive definite matrices."""
    with name_scope(name or "logdet"):
        diagonal = matrix_diag_part(cholesky(matrix))
        return 2.0 * math.reduce_sum(math.log(math.real(diagonal)), axis=[-1])


def matrix_solve(matrix, rhs, adjoint=False, name=None):
    """The x with matrix x = rhs, or adjoint(matrix) x = rhs."""
    return apply_op("MatrixSolve", matrix, rhs, adjoint=adjoint, name=name)


def matrix_triangular_solve(matrix, rhs, lower=True, adjoint=False, name=None):
    """As matrix_solve, of the lower or upper triangle of the matrix; the other is not read. The batches are broadcast."""
    return apply_op("MatrixTriangularSolve", matrix, rhs, lower=lower, adjoint=adjoint, name=name)


def cholesky(input, name=None):
    """The lower triangular L with L adjoint(L) = input, Hermitian and positive definite; only its lower triangle is read."""
    return apply_op("Cholesky", input, name=name)


def cholesky_solve(chol, rhs, name=None):
    """The x with A x = rhs, where `chol` is the Cholesky factor of A."""
    with name_scope(name or "cholesky_solve"):
        chol = convert_to_tensor(chol, name="chol")
        y = matrix_triangular_solve(chol, rhs, adjoint=False, lower=True)
        return matrix_triangular_solve(chol, y, adjoint=True, lower=True)

