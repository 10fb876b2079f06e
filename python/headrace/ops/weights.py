"""Weights of losses and metrics: scalars, or of the values' rank with extents that are 1 or equal to the values'."""

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import get_default_graph
from . import array, check, math


def without_last_axis(x, other, more=0):
    """`x` without its last axis, of extent 1, when it has more axes than `other` by more than `more`; told from the shapes,
    or at run time where they do not tell."""
    rank, others = x.shape.rank, other.shape.rank
    if rank == 0 or rank is not None and x.shape._dims[-1] not in (None, 1):
        return x
    if rank is not None and others is not None:
        return array.squeeze(x, [-1]) if rank == others + more + 1 else x
    surplus = math.cast(math.equal(array.rank(x), array.rank(other) + (more + 1)), dtypes.int32)
    return array.reshape(x, array.shape(x)[:array.rank(x) - surplus])


def _check_known(weights, values):
    """Raises ValueError where known extents contradict; returns whether all is known."""
    if weights.shape.rank == 0:
        return True
    if weights.shape.rank is None or values.shape.rank is None:
        return False
    problem = f"weights can not be broadcast to values. values.rank={values.shape.rank}. weights.rank={weights.shape.rank}. " \
              f"values.shape={values.shape}. weights.shape={weights.shape}."
    if weights.shape.rank != values.shape.rank:
        raise ValueError(problem)
    for extent, wanted in zip(weights.shape._dims, values.shape._dims):
        if extent not in (None, 1) and wanted is not None and extent != wanted:
            raise ValueError(problem)
    return all(e == 1 or e is not None and e == w for e, w in zip(weights.shape._dims, values.shape._dims))


def _assertion(weights, values):
    """The operation that asserts at run time what shapes do not tell."""
    ours, theirs = array.shape(weights), array.shape(values)
    told = ["weights can not be broadcast to values.", ours, theirs]
    fits = True
    if weights.shape.rank is None or values.shape.rank is None:
        rank, wanted = array.rank(weights), array.rank(values)
        fits = math.logical_or(math.equal(rank, 0), math.equal(rank, wanted))
        ours = array.concat([array.ones([math.maximum(wanted - rank, 0)], dtypes.int32), ours], 0)
    extents_fit = math.reduce_all(math.logical_or(math.equal(ours, 1), math.equal(ours, theirs)))
    return check.Assert(math.logical_and(fits, extents_fit), told)


def broadcast_weights(weights, values, spread=True):
    """The weights at the shape of the values, or with `spread` False as they are; checked. Raises ValueError for what
    cannot fit."""
    weights, values = convert_to_tensor(weights), convert_to_tensor(values)
    dependencies = [] if _check_known(weights, values) else [_assertion(weights, values)]
    if spread and (weights.shape.rank != values.shape.rank or not weights.shape.is_fully_defined()
                   or weights.shape != values.shape):
        with get_default_graph().control_dependencies(dependencies):
            return math.multiply(weights, array.ones_like(values, weights.dtype), name="broadcast_weights")
    if not dependencies:
        return weights
    with get_default_graph().control_dependencies(dependencies):
        return array.identity(weights)
