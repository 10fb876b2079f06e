"""Lookups of sparse ids that may be wrong, or missing in whole rows."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from ..sparse import SparseTensor, sparse_fill_empty_rows, sparse_reshape, sparse_retain
from . import array, math
from .embedding import embedding_lookup_sparse


def _retain(sp_ids, sp_weights, kept):
    return sparse_retain(sp_ids, kept), None if sp_weights is None else sparse_retain(sp_weights, kept)


def safe_embedding_lookup_sparse(embedding_weights, sparse_ids, sparse_weights=None, combiner="mean", default_id=None,
                                 name="safe_embedding_lookup_sparse", partition_strategy="div", max_norm=None):
    """For each row of ids (the last axis of `sparse_ids`) the combined rows of a table, which may be partitioned.

    Negative ids are left out, with them those of weight <= 0 (not for "sum"). A row without ids gives the table's row
    `default_id`, or zeros.
    """
    tables = embedding_weights if isinstance(embedding_weights, (list, tuple)) else [embedding_weights]
    if not tables or embedding_weights is None:
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    with name_scope(name):
        shape, rank = sparse_ids.dense_shape, sparse_ids.dense_shape.shape._dims[0]
        if rank != 2:
            rows = math.reduce_prod(shape[:-1])
            sparse_ids = sparse_reshape(sparse_ids, array.stack([rows, shape[-1]]))
        if sparse_weights is not None:
            sparse_weights = SparseTensor(sparse_ids.indices, sparse_weights.values, sparse_ids.dense_shape)
        kept = math.greater_equal(sparse_ids.values, 0)
        if sparse_weights is not None and combiner != "sum":
            kept = math.logical_and(kept, math.greater(sparse_weights.values, 0))
        sparse_ids, sparse_weights = _retain(sparse_ids, sparse_weights, kept)
        sparse_ids, is_empty = sparse_fill_empty_rows(sparse_ids, np.asarray(
            default_id or 0, sparse_ids.dtype.base_dtype.as_numpy_dtype))
        if sparse_weights is not None:
            sparse_weights, _ = sparse_fill_empty_rows(sparse_weights, 1.0)
        result = embedding_lookup_sparse(embedding_weights, sparse_ids, sparse_weights, partition_strategy, None, combiner,
                                         max_norm)
        if default_id is None:
            result = array.where(is_empty, array.zeros_like(result), result)
        if rank == 2:
            return result
        width = list(result.shape._dims[1:])
        final = array.reshape(result, array.concat([math.cast(shape[:-1], dtypes.int32), convert_to_tensor(width)], 0))
        if rank is not None:
            final.set_shape([None] * (rank - 1) + width)
        return final
