"""Matrices in the last two axes of a tensor: diagonals, bands, identities."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import constant, convert_to_tensor, is_tensor_like
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from . import array, math


def _extents(x):
    """The extents of the last two axes, as ints where they are known."""
    known = x.shape._dims
    dynamic = None if None not in known[-2:] else array.shape(x)
    return [known[i] if known[i] is not None else dynamic[i] for i in (-2, -1)]


def _places(x):
    """Column vector of row numbers and row vector of column numbers of the matrices of x."""
    rows, columns = _extents(x)
    return array.expand_dims(math.range(rows), 1), array.expand_dims(math.range(columns), 0)


def matrix_transpose(a, name="matrix_transpose", conjugate=False):
    """The last two axes swapped."""
    a = convert_to_tensor(a)
    axes = list(range(a.shape.rank))
    axes[-2:] = [axes[-1], axes[-2]]
    return array.transpose(a, axes, name, conjugate)


def matrix_diag_part(input, name=None):
    """The diagonals of the matrices in the last two axes."""
    x = convert_to_tensor(input)
    rows, columns = x.shape._dims[-2:]
    if rows is None or columns is None:
        extents = array.shape(x)
        rows, columns = extents[-2], extents[-1]
        count = apply_op("Minimum", rows, columns)
        places = apply_op("Range", 0, count, 1)
    else:
        places = np.arange(min(rows, columns), dtype=np.int32)
    flat = array.reshape(x, array.concat([array.shape(x)[:-2], [-1]], 0))
    return array.gather(flat, places * (columns + 1), axis=-1, name=name)


def matrix_diag(diagonal, name=None):
    """Matrices [..., n, n] with the vectors [..., n] on their diagonals."""
    with name_scope(name or "matrix_diag") as scope:
        x = convert_to_tensor(diagonal)
        count = x.shape._dims[-1]
        order = math.range(array.shape(x)[-1] if count is None else count)
        on_diagonal = math.equal(array.expand_dims(order, 1), array.expand_dims(order, 0))
        return apply_op("SelectV2", on_diagonal, array.expand_dims(x, -1), np.zeros((), x.dtype.as_numpy_dtype), name=scope)


def matrix_band_part(input, num_lower, num_upper, name=None):
    """The matrices with zeros below the given number of subdiagonals and above that of superdiagonals (-1: all are kept)."""
    return apply_op("MatrixBandPart", input, num_lower, num_upper, name=name or "matrix_band_part")


def matrix_set_diag(input, diagonal, name=None):
    """The matrices with other diagonals [..., min(rows, columns)]."""
    with name_scope(name or "matrix_set_diag") as scope:
        x = convert_to_tensor(input)
        diagonal = convert_to_tensor(diagonal, x.dtype.base_dtype)
        rows, columns = _places(x)
        count = array.shape(diagonal)[-1]
        spread = array.gather(diagonal, array.reshape(math.minimum(rows, count - 1), [-1]), axis=-1)
        return apply_op("SelectV2", math.equal(rows, columns), array.expand_dims(spread, -1), x, name=scope)


def diag(diagonal, name=None):
    """A tensor [..., ...] with `diagonal` where both halves of the position are equal."""
    x = convert_to_tensor(diagonal)
    extents = array.shape(x)
    square = matrix_diag(array.reshape(x, [-1]))
    result = array.reshape(square, array.concat([extents, extents], 0), name=name or "Diag")
    if x.shape.rank is not None:
        result.set_shape(x.shape.concatenate(x.shape))
    return result


def diag_part(input, name=None):
    """The elements where both halves of the position are equal."""
    x = convert_to_tensor(input)
    half = x.shape[:x.shape.rank // 2]
    count = half.num_elements()
    if count is None:
        raise ValueError(f"diag_part: the shape must be known, got {x.shape}")
    return array.reshape(matrix_diag_part(array.reshape(x, [count, count])), half, name=name)


def eye(num_rows, num_columns=None, batch_shape=None, dtype=dtypes.float32, name=None):
    """Ones on the diagonal, zeros elsewhere."""
    num_columns = num_rows if num_columns is None else num_columns
    if is_tensor_like(num_rows) or is_tensor_like(num_columns) or is_tensor_like(batch_shape):
        with name_scope(name or "eye"):
            rows, columns = array.expand_dims(math.range(num_rows), 1), array.expand_dims(math.range(num_columns), 0)
            made = math.cast(math.equal(rows, columns), dtype)
            if batch_shape is None:
                return made
            return array.broadcast_to(made, array.concat([batch_shape, array.shape(made)], 0))
    made = np.eye(num_rows, num_columns, dtype=dtypes.as_dtype(dtype).as_numpy_dtype)
    if batch_shape is not None:
        made = np.broadcast_to(made, tuple(batch_shape) + made.shape).copy()
    return constant(made, dtype, name=name or "eye")


def trace(x, name=None):
    """The sums of the diagonals of the last two axes."""
    with name_scope(name or "Trace") as scope:
        return math.reduce_sum(matrix_diag_part(x), [-1], name=scope)


def norm(tensor, ord="euclidean", axis=None, keepdims=None, name=None, keep_dims=None):
    """A norm over all axes, one (of vectors) or two (of matrices): "euclidean" ("fro"), 1, infinity, of vectors any p > 0."""
    keep = bool(keepdims if keepdims is not None else keep_dims)
    of_matrices = isinstance(axis, (list, tuple)) and len(axis) == 2
    if not of_matrices and (ord == "fro" or not (ord == "euclidean" or isinstance(ord, (int, float)) and ord > 0)):
        raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
    if of_matrices and ord not in ("euclidean", "fro", 1, np.inf):
        raise ValueError(f"'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, inf], got {ord}")
    with name_scope(name or "norm"):
        x = convert_to_tensor(tensor)
        size = math.abs(x)
        if ord in ("euclidean", "fro") or ord == 2:
            return math.sqrt(math.reduce_sum(math.square(size), axis, keep))
        if of_matrices:
            rank = x.shape.rank
            summed, largest = (a % rank for a in (axis if ord == 1 else reversed(axis)))
            total = math.reduce_max(math.reduce_sum(size, [summed], True), [largest], True)
            return total if keep else array.squeeze(total, [summed, largest])
        if ord == np.inf:
            return math.reduce_max(size, axis, keep)
        if ord == 1:
            return math.reduce_sum(size, axis, keep)
        power = np.asarray(ord, size.dtype.as_numpy_dtype)
        return math.pow(math.reduce_sum(math.pow(size, power), axis, keep), 1 / power)


def matvec(a, b, transpose_a=False, adjoint_a=False, a_is_sparse=False, b_is_sparse=False, name=None):
    """Products of the matrices [..., n, m] and the vectors [..., m]."""
    with name_scope(name or "MatVec") as scope:
        b = convert_to_tensor(b)
        product = math.matmul(a, array.expand_dims(b, -1), transpose_a=transpose_a, adjoint_a=adjoint_a)
        return array.squeeze(product, [-1], name=scope)


def cross(a, b, name=None):
    """The cross products of vectors with three elements."""
    with name_scope(name or "Cross"):
        a, b = convert_to_tensor(a), convert_to_tensor(b)
        (a0, a1, a2), (b0, b1, b2) = array.unstack(a, 3, -1), array.unstack(b, 3, -1)
        return array.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], -1)
