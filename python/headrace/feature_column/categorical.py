"""Columns of numbers and of ids, straight from features."""

import dataclasses
import typing

import numpy as np

from .. import lookup
from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.op_library import apply_op
from ..ops import array, math
from ..parsing import FixedLenFeature, VarLenFeature
from ..sparse import SparseTensor
from ..strings import as_string, string_to_hash_bucket_fast
from .columns import CategoricalColumn, DenseColumn, to_sparse

_DEFAULT_CROSS_KEY = 0xDECAFCAFFE


@dataclasses.dataclass(frozen=True)
class NumericColumn(DenseColumn):
    key: str
    shape: tuple
    default_value: typing.Any
    dtype: typing.Any
    normalizer_fn: typing.Any

    @property
    def name(self):
        return self.key

    @property
    def parse_example_spec(self):
        return {self.key: FixedLenFeature(self.shape, self.dtype, self.default_value)}

    @property
    def variable_shape(self):
        return self.shape

    def transform(self, inputs):
        value = inputs.get(self.key)
        if isinstance(value, SparseTensor):
            raise ValueError("The corresponding Tensor of numerical column must be a Tensor. SparseTensor is not supported. "
                             f"key: {self.key}")
        if self.normalizer_fn is not None:
            value = self.normalizer_fn(value)
        return math.cast(value, dtypes.float32)

    def dense(self, inputs, weight_collections, trainable):
        return inputs.get(self)


def numeric_column(key, shape=(1,), default_value=None, dtype=dtypes.float32, normalizer_fn=None):
    """The feature `key` as numbers, after normalizer_fn where one is given."""
    _check_key(key)
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    for extent in shape:
        if not isinstance(extent, int):
            raise TypeError(f"shape dimensions must be integer. shape: {shape}, key: {key}")
        if extent < 1:
            raise ValueError(f"shape dimensions must be greater than 0. shape: {shape}, key: {key}")
    dtype = dtypes.as_dtype(dtype)
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype}, key: {key}")
    if default_value is not None:
        if np.shape(default_value) not in ((), shape):
            raise ValueError(f"The shape of default_value must be equal to given shape. default_value: {default_value}, shape: "
                             f"{shape}, key: {key}")
        default_value = _as_tuples(np.broadcast_to(np.asarray(default_value, dtype.as_numpy_dtype), shape).tolist())
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    return NumericColumn(key, shape, default_value, dtype, normalizer_fn)


def _as_tuples(value):
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value


def _check_key(key):
    if not isinstance(key, str):
        raise ValueError(f"key must be a string. Got: type {type(key)}, key {key}.")


@dataclasses.dataclass(frozen=True)
class BucketizedColumn(DenseColumn, CategoricalColumn):
    source_column: NumericColumn
    boundaries: tuple

    @property
    def name(self):
        return f"{self.source_column.name}_bucketized"

    @property
    def parse_example_spec(self):
        return self.source_column.parse_example_spec

    @property
    def variable_shape(self):
        return (*self.source_column.shape, len(self.boundaries) + 1)

    @property
    def num_buckets(self):
        return (len(self.boundaries) + 1) * self.source_column.shape[0]

    def transform(self, inputs):
        return apply_op("Bucketize", inputs.get(self.source_column), boundaries=list(self.boundaries))

    def dense(self, inputs, weight_collections, trainable):
        return array.one_hot(math.cast(inputs.get(self), dtypes.int64), len(self.boundaries) + 1, 1.0, 0.0)

    def ids_and_weights(self, inputs):
        buckets = inputs.get(self)
        batch, width = array.shape(buckets)[0], self.source_column.shape[0]
        rows = array.reshape(array.tile(array.expand_dims(math.range(batch), 1), [1, width]), [-1])
        columns = array.tile(math.range(width), array.reshape(batch, [1]))
        # Each place of the source has buckets of its own.
        ids = array.reshape(buckets, [-1]) + (len(self.boundaries) + 1) * columns
        indices = math.cast(array.transpose(array.stack([rows, columns])), dtypes.int64)
        shape = math.cast(array.stack([batch, convert_to_tensor(width)]), dtypes.int64)
        return SparseTensor(indices, math.cast(ids, dtypes.int64), shape), None


def bucketized_column(source_column, boundaries):
    """A numeric column's numbers by the interval between ascending boundaries that they fall into."""
    if not isinstance(source_column, NumericColumn):
        raise ValueError(f"source_column must be a column generated with numeric_column(). Given: {source_column}")
    if len(source_column.shape) > 1:
        raise ValueError(f"source_column must be one-dimensional column. Given: {source_column}")
    if not boundaries or any(a >= b for a, b in zip(boundaries, boundaries[1:])):
        raise ValueError("boundaries must be a sorted list.")
    return BucketizedColumn(source_column, tuple(boundaries))


@dataclasses.dataclass(frozen=True)
class _KeyedColumn(CategoricalColumn):
    key: str

    @property
    def name(self):
        return self.key

    @property
    def parse_example_spec(self):
        return {self.key: VarLenFeature(self.dtype)}

    def transform(self, inputs):
        sparse = to_sparse(inputs.get(self.key))
        return self._ids(sparse)

    def _check_kind(self, sparse):
        if self.dtype.is_integer != sparse.dtype.is_integer:
            raise ValueError(f"Column dtype and SparseTensors dtype must be compatible. key: {self.key}, column dtype: "
                             f"{self.dtype}, tensor dtype: {sparse.dtype}")
        if sparse.dtype.base_dtype is not dtypes.string and not sparse.dtype.is_integer:
            raise ValueError(f"{self.key}: the values must be strings or integers, not {sparse.dtype}")


@dataclasses.dataclass(frozen=True)
class HashedColumn(_KeyedColumn):
    hash_bucket_size: int
    dtype: typing.Any

    @property
    def num_buckets(self):
        return self.hash_bucket_size

    def _ids(self, sparse):
        self._check_kind(sparse)
        text = sparse.values if self.dtype is dtypes.string else as_string(sparse.values)
        return sparse.with_values(string_to_hash_bucket_fast(text, self.hash_bucket_size, name="lookup"))


def categorical_column_with_hash_bucket(key, hash_bucket_size, dtype=dtypes.string):
    """The feature's strings or integers by a hash of them."""
    _check_key(key)
    if hash_bucket_size is None:
        raise ValueError(f"hash_bucket_size must be set. key: {key}")
    if hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be at least 1. hash_bucket_size: {hash_bucket_size}, key: {key}")
    return HashedColumn(key, hash_bucket_size, _id_dtype(dtype, key))


def _id_dtype(dtype, key):
    dtype = dtypes.as_dtype(dtype)
    if dtype is not dtypes.string and not dtype.is_integer:
        raise ValueError(f"dtype must be string or integer. dtype: {dtype}. column_name: {key}")
    return dtype


@dataclasses.dataclass(frozen=True)
class IdentityColumn(_KeyedColumn):
    number_buckets: int
    default_value: typing.Optional[int]
    dtype = dtypes.int64

    @property
    def num_buckets(self):
        return self.number_buckets

    def _ids(self, sparse):
        if not sparse.dtype.is_integer:
            raise ValueError(f"Invalid input, not integer. key: {self.key} dtype: {sparse.dtype}")
        ids = math.cast(sparse.values, dtypes.int64)
        if self.default_value is not None:
            outside = math.logical_or(math.less(ids, 0), math.greater_equal(ids, self.number_buckets))
            ids = array.where(outside, array.fill(array.shape(ids), np.int64(self.default_value)), ids)
        return sparse.with_values(ids)


def categorical_column_with_identity(key, num_buckets, default_value=None):
    """The feature's integers, each its own id; those outside become `default_value`."""
    _check_key(key)
    if num_buckets < 1:
        raise ValueError(f"num_buckets {num_buckets} < 1, column_name {key}")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise ValueError(f"default_value {default_value} not in range [0, {num_buckets}), column_name {key}")
    return IdentityColumn(key, num_buckets, default_value)


@dataclasses.dataclass(frozen=True)
class VocabularyColumn(_KeyedColumn):
    source: typing.Any  # a file's name, or a tuple of the values
    size: int
    dtype: typing.Any
    default_value: int
    num_oov_buckets: int

    @property
    def num_buckets(self):
        return self.size + self.num_oov_buckets

    def _ids(self, sparse):
        self._check_kind(sparse)
        stored = dtypes.int64 if self.dtype.is_integer else self.dtype
        name = f"{self.key}_lookup"
        if isinstance(self.source, tuple):
            table = lookup.index_table_from_tensor(np.asarray(self.source, object if stored is dtypes.string else np.int64),
                                                   self.num_oov_buckets, self.default_value, dtype=stored, name=name)
        else:
            table = lookup.index_table_from_file(self.source, self.num_oov_buckets, self.size, self.default_value,
                                                 key_dtype=stored, name=name)
        return table.lookup(math.cast(sparse, stored) if stored is not dtypes.string else sparse)


def _check_default(key, default_value, num_oov_buckets):
    if num_oov_buckets and default_value not in (None, -1):
        raise ValueError(f"Can't specify both num_oov_buckets and default_value in {key}.")
    if num_oov_buckets < 0:
        raise ValueError(f"Invalid num_oov_buckets {num_oov_buckets} in {key}.")


def categorical_column_with_vocabulary_list(key, vocabulary_list, dtype=None, default_value=-1, num_oov_buckets=0):
    """The feature's values by their places in a list; others become `default_value`, or go to buckets behind it."""
    _check_key(key)
    if vocabulary_list is None or len(vocabulary_list) < 1:
        raise ValueError(f"vocabulary_list {vocabulary_list} must be non-empty, column_name: {key}")
    vocabulary_list = tuple(item.item() if isinstance(item, np.generic) else item for item in vocabulary_list)
    if len(set(vocabulary_list)) != len(vocabulary_list):
        raise ValueError(f"Duplicate keys in vocabulary_list {vocabulary_list}, column_name: {key}")
    is_text = isinstance(vocabulary_list[0], (str, bytes))
    found = dtypes.string if is_text else dtypes.as_dtype(np.asarray(vocabulary_list).dtype)
    dtype = _id_dtype(found if dtype is None else dtype, key)
    if dtype.is_integer != found.is_integer:
        raise ValueError(f"dtype {dtype} and vocabulary dtype {found} do not match, column_name: {key}")
    _check_default(key, default_value, num_oov_buckets)
    return VocabularyColumn(key, vocabulary_list, len(vocabulary_list), dtype, default_value, num_oov_buckets)


def categorical_column_with_vocabulary_file(key, vocabulary_file, vocabulary_size=None, num_oov_buckets=0, default_value=None,
                                            dtype=dtypes.string):
    """The feature's values by their lines in a file; others become `default_value` (-1), or go to buckets behind it."""
    _check_key(key)
    if not vocabulary_file:
        raise ValueError(f"Missing vocabulary_file in {key}.")
    if vocabulary_size is None:
        with open(vocabulary_file, "rb") as lines:
            vocabulary_size = sum(1 for _ in lines)
    if vocabulary_size < 1:
        raise ValueError(f"Invalid vocabulary_size in {key}.")
    _check_default(key, default_value, num_oov_buckets)
    return VocabularyColumn(key, vocabulary_file, vocabulary_size, _id_dtype(dtype, key),
                            -1 if default_value is None else default_value, num_oov_buckets)


@dataclasses.dataclass(frozen=True)
class WeightedColumn(CategoricalColumn):
    categorical_column: CategoricalColumn
    weight_feature_key: str
    dtype: typing.Any

    @property
    def name(self):
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def parse_example_spec(self):
        spec = dict(self.categorical_column.parse_example_spec)
        feature = VarLenFeature(self.dtype)
        if spec.setdefault(self.weight_feature_key, feature) != feature:
            raise ValueError(f"Parse config {spec[self.weight_feature_key]} already exists for {self.weight_feature_key}.")
        return spec

    @property
    def num_buckets(self):
        return self.categorical_column.num_buckets

    def transform(self, inputs):
        weights = inputs.get(self.weight_feature_key)
        if not self.dtype.is_compatible_with(weights.dtype.base_dtype):
            raise ValueError(f"Bad dtype, expected {self.dtype}, but got {weights.dtype}.")
        if not isinstance(weights, SparseTensor):
            weights = to_sparse(weights, 0)
        return self.categorical_column.ids_and_weights(inputs)[0], math.cast(weights, dtypes.float32)

    def ids_and_weights(self, inputs):
        return inputs.get(self)


def weighted_categorical_column(categorical_column, weight_feature_key, dtype=dtypes.float32):
    """A categorical column with a weight for each id, from another feature."""
    dtype = dtypes.as_dtype(dtype)
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype {dtype} is not convertible to float.")
    return WeightedColumn(categorical_column, weight_feature_key, dtype)


@dataclasses.dataclass(frozen=True)
class CrossedColumn(CategoricalColumn):
    keys: tuple
    hash_bucket_size: int
    hash_key: typing.Optional[int]

    def _leaves(self):
        for key in self.keys:
            yield from key._leaves() if isinstance(key, CrossedColumn) else (key,)

    @property
    def name(self):
        return "_X_".join(sorted(key if isinstance(key, str) else key.name for key in self._leaves()))

    @property
    def parse_example_spec(self):
        spec = {}
        for key in self.keys:
            spec.update({key: VarLenFeature(dtypes.string)} if isinstance(key, str) else key.parse_example_spec)
        return spec

    @property
    def num_buckets(self):
        return self.hash_bucket_size

    def transform(self, inputs):
        sparse, dense = [], []
        for key in self._leaves():
            value = inputs.get(key) if isinstance(key, str) else _unweighted(self, key, inputs)
            kind = value.dtype.base_dtype
            if kind is not dtypes.string:
                if not kind.is_integer:
                    raise ValueError(f"{self.name}: only strings and integers can be crossed, {key} is {kind}")
                value = math.cast(value, dtypes.int64)
            (sparse if isinstance(value, SparseTensor) else dense).append(value)
        made = apply_op("SparseCross", [s.indices for s in sparse], [s.values for s in sparse], [s.dense_shape for s in sparse],
                        dense, hashed_output=True, num_buckets=self.hash_bucket_size,
                        hash_key=_DEFAULT_CROSS_KEY if self.hash_key is None else self.hash_key, out_type=dtypes.int64,
                        internal_type=dtypes.int64)
        return SparseTensor(*made)


def _unweighted(column, key, inputs):
    ids, weights = key.ids_and_weights(inputs)
    if weights is not None:
        raise ValueError(f"crossed_column does not support weight_tensor, but the given column populates weight_tensor. Given "
                         f"column: {key.name}")
    return ids


def crossed_column(keys, hash_bucket_size, hash_key=None):
    """Combinations of features or categorical columns, by a hash of them."""
    if not hash_bucket_size or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be > 1. hash_bucket_size: {hash_bucket_size}")
    if not keys or len(keys) < 2:
        raise ValueError(f"keys must be a list with length > 1. Given: {keys}")
    for key in keys:
        if not isinstance(key, (str, CategoricalColumn)):
            raise ValueError(f"Unsupported key type. All keys must be either string, or categorical column except "
                             f"HashedCategoricalColumn. Given: {key}")
        if isinstance(key, HashedColumn):
            raise ValueError("categorical_column_with_hash_bucket is not supported for crossing. Hashing before crossing will "
                             f"increase probability of collision. Instead, use the feature name as a string. Given: {key}")
    return CrossedColumn(tuple(keys), hash_bucket_size, hash_key)
