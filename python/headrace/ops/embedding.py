"""Rows of tables looked up by ids."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from . import array, math
from .rows import dynamic_partition


def embedding_lookup(params, ids, partition_strategy="mod", name=None, validate_indices=True, max_norm=None):
    """The rows `ids` of a table, which may lie in several parts.

    Part p of n has the ids with id % n == p ("mod"), or one run of ids ("div": the first parts have one more).
    """
    if not isinstance(params, (list, tuple)):
        params = list(params) if hasattr(params, "_variable_list") else [params]
    if not params:
        raise ValueError("Need at least one param")
    with name_scope(name or "embedding_lookup") as scope:
        ids = convert_to_tensor(ids, name="ids")
        params = [p if hasattr(p, "sparse_read") else convert_to_tensor(p) for p in params]
        if len(params) == 1:
            return _clip_rows(array.gather(params[0], ids, name=scope if max_norm is None else None), max_norm)
        return _clip_rows(_partitioned_lookup(params, ids, partition_strategy), max_norm)


def _clip_rows(rows, max_norm):
    if max_norm is None:
        return rows
    lengths = math.sqrt(math.reduce_sum(math.square(rows), -1, True))
    return rows * (max_norm / math.maximum(lengths, max_norm))


def _partitioned_lookup(params, ids, strategy):
    parts = len(params)
    flat = array.reshape(ids, [-1])
    positions = math.range(array.size(flat))
    count = convert_to_tensor(parts, flat.dtype.base_dtype)
    if strategy == "mod":
        owner, inner = flat % count, flat // count
    elif strategy == "div":
        sizes = [p.shape._dims[0] for p in params]
        total = sum(sizes)
        per, extra = total // parts, total % parts
        owner = math.maximum(flat // (per + 1), (flat - extra) // per)
        inner = array.where(owner < extra, flat % (per + 1), (flat - extra) % per)
    else:
        raise ValueError(f"Unrecognized partition strategy: {strategy}")
    owner = math.cast(owner, dtypes.int32)
    wanted = dynamic_partition(inner, owner, parts)
    places = dynamic_partition(positions, owner, parts)
    found = []
    for param, rows in zip(params, wanted):
        found.append(array.gather(param, rows))
    stitched = apply_op("ParallelDynamicStitch", places, found)
    width = params[0].shape._dims[1:]
    result = array.reshape(stitched, array.concat([array.shape(ids), np.asarray(width, np.int32)], 0))
    result.set_shape(list(ids.shape._dims or []) + list(width) if ids.shape.rank is not None else None)
    return result


def embedding_lookup_sparse(params, sp_ids, sp_weights, partition_strategy="mod", name=None, combiner=None, max_norm=None):
    """For each row of the sparse `sp_ids`: the sum, mean or sqrtn of its ids' rows, weighted by `sp_weights` (or None)."""
    combiner = combiner or "mean"
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner}")
    with name_scope(name or "embedding_lookup_sparse"):
        segments = math.cast(sp_ids.indices[:, 0], dtypes.int32)
        ids, places = array.unique(sp_ids.values)
        rows = embedding_lookup(params, ids, partition_strategy, max_norm=max_norm)
        if sp_weights is None:
            op = {"sum": "SparseSegmentSum", "mean": "SparseSegmentMean", "sqrtn": "SparseSegmentSqrtN"}[combiner]
            return apply_op(op, rows, places, segments)
        weights = math.cast(sp_weights.values, rows.dtype.base_dtype)
        column = array.reshape(weights, array.concat([array.shape(weights), np.ones(rows.shape.rank - 1, np.int32)], 0))
        total = math.segment_sum(array.gather(rows, places) * column, segments)
        if combiner == "sum":
            return total
        share = math.segment_sum(column if combiner == "mean" else math.square(column), segments)
        return math.div_no_nan(total, share if combiner == "mean" else math.sqrt(share))
