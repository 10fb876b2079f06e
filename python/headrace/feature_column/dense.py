"""Columns that make numbers of ids: embeddings and indicators."""

import dataclasses
import math as _math
import typing

from ..framework import dtypes
from ..framework.graph import get_default_graph
from ..framework.variable_scope import get_variable
from ..ops import array, initializers, math
from ..ops.safe_embedding import safe_embedding_lookup_sparse
from ..sparse import sparse_merge, sparse_tensor_to_dense
from .columns import CategoricalColumn, DenseColumn


@dataclasses.dataclass(frozen=True)
class EmbeddingColumn(DenseColumn):
    categorical_column: CategoricalColumn
    dimension: int
    combiner: str
    initializer: typing.Any
    max_norm: typing.Optional[float]
    trainable: bool
    shared_name: typing.Optional[str] = None

    @property
    def name(self):
        return f"{self.categorical_column.name}_{'shared_' if self.shared_name else ''}embedding"

    @property
    def _var_scope_name(self):
        return self.shared_name or self.name

    @property
    def parse_example_spec(self):
        return self.categorical_column.parse_example_spec

    @property
    def variable_shape(self):
        return (self.dimension,)

    def transform(self, inputs):
        return self.categorical_column.ids_and_weights(inputs)

    def dense(self, inputs, weight_collections, trainable):
        ids, weights = inputs.get(self)
        table = self._table(weight_collections, trainable)
        return safe_embedding_lookup_sparse(table, ids, weights, self.combiner, name=f"{self.name}_weights",
                                            max_norm=self.max_norm)

    def _table(self, weight_collections, trainable):
        shape = [self.categorical_column.num_buckets, self.dimension]
        graph = get_default_graph()
        if self.shared_name and graph.get_collection(self.shared_name):
            table = graph.get_collection(self.shared_name)[0]
            if table.shape.as_list() != shape:
                raise ValueError(f"Shared embedding collection {self.shared_name} contains variable {table.name} of unexpected "
                                 f"shape {table.shape}. Expected shape is {shape}.")
            return table
        table = get_variable("embedding_weights", shape, dtypes.float32, self.initializer,
                             trainable=self.trainable and trainable, collections=weight_collections)
        if self.shared_name:
            graph.add_to_collection(self.shared_name, table)
        return table


def _checked_embedding(dimension, combiner, initializer, ckpt_to_load_from, what):
    if dimension is None or dimension < 1:
        raise ValueError(f"Invalid dimension {dimension}.")
    if ckpt_to_load_from is not None:
        raise NotImplementedError("ckpt_to_load_from is not there: restore the table with tf.train.Saver({name: variable})")
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner}")
    if initializer is not None and not callable(initializer):
        raise ValueError(f"initializer must be callable if specified. {what}")
    return initializer or initializers.truncated_normal_initializer(0.0, 1 / _math.sqrt(dimension))


def embedding_column(categorical_column, dimension, combiner="mean", initializer=None, ckpt_to_load_from=None,
                     tensor_name_in_ckpt=None, max_norm=None, trainable=True, use_safe_embedding_lookup=True):
    """The ids' rows of a trained table with `dimension` columns, combined for each example."""
    initializer = _checked_embedding(dimension, combiner, initializer, ckpt_to_load_from,
                                     f"Embedding of column_name: {categorical_column.name}")
    return EmbeddingColumn(categorical_column, dimension, combiner, initializer, max_norm, trainable)


def shared_embedding_columns(categorical_columns, dimension, combiner="mean", initializer=None,
                             shared_embedding_collection_name=None, ckpt_to_load_from=None, tensor_name_in_ckpt=None,
                             max_norm=None, trainable=True, use_safe_embedding_lookup=True):
    """Embedding columns, one for each of the given ones, of one and the same table."""
    initializer = _checked_embedding(dimension, combiner, initializer, ckpt_to_load_from, "Shared embedding")
    columns = sorted(categorical_columns, key=lambda column: column.name)
    for column in columns[1:]:
        if column.num_buckets != columns[0].num_buckets:
            raise ValueError("To use shared_embedding_column, all categorical_columns must have the same number of buckets. "
                             f"Given column: {columns[0]} with buckets: {columns[0].num_buckets} does not match column: "
                             f"{column} with buckets: {column.num_buckets}")
    name = shared_embedding_collection_name or "_".join(c.name for c in columns) + "_shared_embedding"
    return [EmbeddingColumn(column, dimension, combiner, initializer, max_norm, trainable, name)
            for column in categorical_columns]


@dataclasses.dataclass(frozen=True)
class IndicatorColumn(DenseColumn):
    categorical_column: CategoricalColumn

    @property
    def name(self):
        return f"{self.categorical_column.name}_indicator"

    @property
    def parse_example_spec(self):
        return self.categorical_column.parse_example_spec

    @property
    def variable_shape(self):
        return (self.categorical_column.num_buckets,)

    def transform(self, inputs):
        ids, weights = self.categorical_column.ids_and_weights(inputs)
        buckets = self.categorical_column.num_buckets
        if weights is not None:
            merged = sparse_merge(ids, weights, buckets)
            valid = math.greater_equal(merged.indices[:, -1], 0)
            return array.scatter_nd(array.boolean_mask(merged.indices, valid), array.boolean_mask(merged.values, valid),
                                    merged.dense_shape)
        counts = array.one_hot(sparse_tensor_to_dense(ids, -1), buckets, 1.0, 0.0)
        counts = math.reduce_sum(counts, -2)
        counts.set_shape([None, buckets])
        return counts

    def dense(self, inputs, weight_collections, trainable):
        return inputs.get(self)


def indicator_column(categorical_column):
    """How often each id occurs in an example (or the sum of its weights)."""
    return IndicatorColumn(categorical_column)
