"""Reading records: Example messages, CSV, raw bytes and whole files. What programs call tf.parse_example and tf.io.*."""

import collections

import numpy as np

from .framework import dtypes
from .framework.convert import convert_to_tensor, is_tensor_like
from .framework.graph import name_scope
from .framework.op_library import apply_op
from .framework.shape import TensorShape, as_shape
from .ops import array
from .sparse import SparseTensor, sparse_merge


class VarLenFeature(collections.namedtuple("VarLenFeature", ["dtype"])):
    """A feature with any number of values: parsed to a SparseTensor."""


class FixedLenFeature(collections.namedtuple("FixedLenFeature", ["shape", "dtype", "default_value"])):
    """A feature of a fixed shape; without `default_value` each example must have it."""

    def __new__(cls, shape, dtype, default_value=None):
        return super().__new__(cls, shape, dtype, default_value)


class FixedLenSequenceFeature(collections.namedtuple("FixedLenSequenceFeature",
                                                     ["shape", "dtype", "allow_missing", "default_value"])):
    """A feature with any number of items of a shape: parsed to a dense tensor, padded with `default_value`."""

    def __new__(cls, shape, dtype, allow_missing=False, default_value=None):
        return super().__new__(cls, shape, dtype, allow_missing, default_value)


class SparseFeature(collections.namedtuple("SparseFeature", ["index_key", "value_key", "dtype", "size", "already_sorted"])):
    """A sparse row in two features: the places (one key for each axis) and the values."""

    def __new__(cls, index_key, value_key, dtype, size, already_sorted=False):
        return super().__new__(cls, index_key, value_key, dtype, size, already_sorted)


class RaggedFeature:
    """Not there: tf.VarLenFeature gives the same values as a SparseTensor."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError("tf.io.RaggedFeature is not there: use tf.io.VarLenFeature, which gives a SparseTensor")


class _Plan:
    """What ParseExampleV2 is asked for, sorted by keys as TensorFlow's clients do."""

    def __init__(self, features):
        self.keys = sorted(features)
        self.sparse = {}  # key -> dtype
        self.dense = {}  # key -> (dtype, shape, default tensor)
        self.merged = {}  # key -> SparseFeature
        for key in self.keys:
            self._add(key, features[key])

    def _add(self, key, feature):
        if isinstance(feature, VarLenFeature):
            self._add_sparse(key, feature.dtype)
        elif isinstance(feature, SparseFeature):
            self._add_merged(key, feature)
        elif isinstance(feature, FixedLenFeature):
            self._add_dense(key, feature)
        elif isinstance(feature, FixedLenSequenceFeature):
            self._add_sequence(key, feature)
        else:
            raise ValueError(f"Invalid feature {key}:{feature}.")

    def _add_sparse(self, key, dtype):
        if not dtype:
            raise ValueError(f"Missing type for feature {key}. Received feature={dtype!r}")
        dtype = dtypes.as_dtype(dtype)
        if self.sparse.setdefault(key, dtype) is not dtype:
            raise ValueError(f"Conflicting type {self.sparse[key].name} vs {dtype.name} for feature {key}.")

    def _add_merged(self, key, feature):
        keys = feature.index_key if isinstance(feature.index_key, (list, tuple)) else [feature.index_key]
        for index_key in keys:
            self._add_sparse(index_key, dtypes.int64)
        self._add_sparse(feature.value_key, feature.dtype)
        self.merged[key] = feature

    def _add_dense(self, key, feature):
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}. Received feature={feature}.")
        dtype, shape = dtypes.as_dtype(feature.dtype), as_shape(feature.shape)
        if not shape.is_fully_defined():
            raise ValueError(f"All dimensions of shape for feature {key} need to be known but received {shape}.")
        if feature.default_value is None:
            default = np.zeros(0, object if dtype is dtypes.string else dtype.as_numpy_dtype)
        else:
            default = array.reshape(convert_to_tensor(feature.default_value, dtype), shape.as_list())
        self.dense[key] = dtype, shape, convert_to_tensor(default, dtype, name="key_" + "".join(
            c if c.isalnum() or c == "_" else "_" for c in key))

    def _add_sequence(self, key, feature):
        if not feature.allow_missing:
            raise ValueError("Unsupported: FixedLenSequenceFeature requires allow_missing to be True. Received "
                             f"feature={feature} for key={key}.")
        dtype, shape = dtypes.as_dtype(feature.dtype), TensorShape([None]).concatenate(feature.shape)
        padding = feature.default_value
        if padding is None:
            padding = "" if dtype is dtypes.string else 0
        self.dense[key] = dtype, shape, convert_to_tensor(padding, dtype)

    def parse(self, serialized, names, name):
        """The features of scalars or vectors of serialized examples, by key."""
        serialized = convert_to_tensor(serialized, dtypes.string)
        sparse_keys, dense_keys = sorted(self.sparse), sorted(self.dense)
        types, shapes, defaults = zip(*[self.dense[key] for key in dense_keys]) if dense_keys else ((), (), ())
        indices, values, extents, dense, _, _ = apply_op(
            "ParseExampleV2", serialized, _strings(names or []), _strings(sparse_keys), _strings(dense_keys), _strings([]),
            list(defaults), num_sparse=len(sparse_keys), sparse_types=[self.sparse[key] for key in sparse_keys],
            ragged_value_types=[], ragged_split_types=[], dense_shapes=list(shapes), Tdense=list(types), name=name)
        found = dict(zip(dense_keys, dense))
        found.update((key, SparseTensor(*parts)) for key, parts in zip(sparse_keys, zip(indices, values, extents)))
        return self._merge(found)

    def _merge(self, found):
        made = {}
        for key, feature in self.merged.items():
            ids = feature.index_key
            ids = [found[k] for k in ids] if isinstance(ids, (list, tuple)) else found[ids]
            size = list(feature.size) if isinstance(feature.size, (list, tuple)) else feature.size
            made[key] = sparse_merge(ids, found[feature.value_key], size, already_sorted=feature.already_sorted)
        return {key: made.get(key, found.get(key)) for key in self.keys}


class _ContextPlan(_Plan):
    """What a SequenceExample's context is asked for."""

    def _add(self, key, feature):
        if not isinstance(feature, (VarLenFeature, FixedLenFeature)):
            raise ValueError(f"Unsupported {type(feature).__name__} {feature} for key '{key}'")
        super()._add(key, feature)


class _ListPlan(_Plan):
    """What the feature lists of a SequenceExample are asked for."""

    def __init__(self, features):
        self.may_be_missing = {}  # dense key -> whether
        super().__init__(features)

    def _add(self, key, feature):
        if not isinstance(feature, (VarLenFeature, FixedLenSequenceFeature)):
            raise ValueError(f"Unsupported {type(feature).__name__} {feature} for key '{key}'")
        super()._add(key, feature)

    def _add_sequence(self, key, feature):
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}. Received feature={feature}.")
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}. Received feature={feature}.")
        if feature.default_value is not None:
            raise ValueError(f"Value feature_list.dense_defaults[{key}] must be None")
        self.dense[key] = dtypes.as_dtype(feature.dtype), as_shape(feature.shape), None
        self.may_be_missing[key] = bool(feature.allow_missing)


def _strings(items):
    return items if is_tensor_like(items) else np.asarray(items, dtype=object)


def _parse(serialized, features, names, name, default_name):
    if not features:
        raise ValueError(f"Argument `features` cannot be None or empty. Got {features}")
    with name_scope(name or default_name):
        if default_name == "ParseExample":
            return _Plan(features).parse(serialized, names, name or "ParseExampleV2")
        with name_scope("ParseExample"):
            return _Plan(features).parse(serialized, names, "ParseExampleV2")


def parse_example(serialized, features, name=None, example_names=None):
    """The features of a vector of serialized Example messages: {key: tensor or SparseTensor}."""
    return _parse(serialized, features, example_names, name, "ParseExample")


def parse_single_example(serialized, features, name=None, example_names=None):
    """The features of one serialized Example message: {key: tensor or SparseTensor}."""
    serialized = convert_to_tensor(serialized, dtypes.string)
    serialized.shape.assert_has_rank(0)
    return _parse(serialized, features, example_names, name, "ParseSingleExample")


def _parse_sequences(serialized, context_features, sequence_features, names, name):
    """(context, feature lists, lengths of the dense ones), each by key."""
    if not (context_features or sequence_features):
        raise ValueError("Both `context_features` and `sequence_features` argument are None, but at least one should have values.")
    context, lists = _ContextPlan(context_features or {}), _ListPlan(sequence_features or {})
    sparse, dense = sorted(context.sparse), sorted(context.dense)
    list_sparse, list_dense = sorted(lists.sparse), sorted(lists.dense)
    outputs = apply_op(
        "ParseSequenceExampleV2", serialized, _strings([] if names is None else names), _strings(sparse), _strings(dense),
        _strings([]), _strings(list_sparse), _strings(list_dense), _strings([]),
        np.array([lists.may_be_missing[key] for key in list_dense], dtype=bool), [context.dense[key][2] for key in dense],
        Ncontext_sparse=len(sparse), Nfeature_list_sparse=len(list_sparse), Nfeature_list_dense=len(list_dense),
        context_sparse_types=[context.sparse[key] for key in sparse], Tcontext_dense=[context.dense[key][0] for key in dense],
        context_dense_shapes=[context.dense[key][1] for key in dense],
        feature_list_sparse_types=[lists.sparse[key] for key in list_sparse],
        feature_list_dense_types=[lists.dense[key][0] for key in list_dense],
        feature_list_dense_shapes=[lists.dense[key][1] for key in list_dense], context_ragged_value_types=[],
        context_ragged_split_types=[], feature_list_ragged_value_types=[], feature_list_ragged_split_types=[],
        name=name or "ParseSequenceExampleV2")
    found = {key: SparseTensor(*parts) for key, parts in zip(sparse, zip(*outputs[:3]))}
    found.update(zip(dense, outputs[3]))
    found_lists = {key: SparseTensor(*parts) for key, parts in zip(list_sparse, zip(*outputs[6:9]))}
    found_lists.update(zip(list_dense, outputs[9]))
    return found, found_lists, dict(zip(list_dense, outputs[10]))


def parse_sequence_example(serialized, context_features=None, sequence_features=None, example_names=None, name=None):
    """The features of a vector of serialized SequenceExample messages: (context, feature lists, lengths), each by key.

    A FixedLenSequenceFeature gives [messages, most rows, shape], filled up with zeros or empty strings, and its number of rows in
    each message; a VarLenFeature a SparseTensor of [messages, most rows, most values].
    """
    with name_scope(name or "ParseSequenceExample"), name_scope(name or "ParseSequenceExample"):
        return _parse_sequences(serialized, context_features, sequence_features, example_names, name)


def parse_single_sequence_example(serialized, context_features=None, sequence_features=None, example_name=None, name=None):
    """The features of one serialized SequenceExample message: (context, feature lists), each by key."""
    serialized = convert_to_tensor(serialized, dtypes.string)
    serialized.shape.assert_has_rank(0)
    with name_scope(name or "ParseSingleSequenceExample"), name_scope(name or "ParseSequenceExample"):
        return _parse_sequences(serialized, context_features, sequence_features, example_name, name)[:2]


def decode_json_example(*args, **kwargs):
    raise NotImplementedError("tf.io.decode_json_example is not there: write serialized Example messages")


def decode_csv(records, record_defaults, field_delim=",", use_quote_delim=True, name=None, na_value="", select_cols=None):
    """The columns of CSV lines: a list of tensors of `records`' shape. A default without elements makes its column required."""
    if select_cols is not None and any(a >= b for a, b in zip(select_cols, select_cols[1:])):
        raise ValueError("`select_cols` is not strictly increasing.")
    if select_cols is not None and select_cols and select_cols[0] < 0:
        raise ValueError("`select_cols` contains negative values.")
    if select_cols is not None and len(select_cols) != len(record_defaults):
        raise ValueError("Length of `select_cols` and `record_defaults` must match.")
    defaults = [_csv_default(default) for default in record_defaults]
    return apply_op("DecodeCSV", records, defaults, field_delim=field_delim, use_quote_delim=use_quote_delim,
                    na_value=na_value, select_cols=list(select_cols or []), name=name)


def _csv_default(default):
    if isinstance(default, (type, dtypes.DType)):
        dtype = dtypes.as_dtype(default)
        return np.zeros(0, object if dtype is dtypes.string else dtype.as_numpy_dtype)
    return convert_to_tensor(default)


def decode_raw(input_bytes=None, out_type=None, little_endian=True, name=None, bytes=None):  # noqa: A002
    """The bytes of strings (of equal length) as numbers, along a new last axis."""
    return apply_op("DecodeRaw", bytes if input_bytes is None else input_bytes, out_type=out_type, little_endian=little_endian,
                    name=name)


def string_to_number(string_tensor=None, out_type=dtypes.float32, name=None, input=None):
    """The numbers that strings spell."""
    return apply_op("StringToNumber", input if string_tensor is None else string_tensor, out_type=out_type, name=name)


def parse_tensor(serialized, out_type, name=None):
    """The tensor of a serialized TensorProto message."""
    return apply_op("ParseTensor", serialized, out_type=out_type, name=name)


def serialize_tensor(tensor, name=None):
    """A tensor as a serialized TensorProto message."""
    return apply_op("SerializeTensor", tensor, name=name)


def read_file(filename, name=None):
    """The whole content of a file."""
    return apply_op("ReadFile", filename, name=name)


def write_file(filename, contents, name=None):
    """An operation that writes a file (and the directories above it)."""
    return apply_op("WriteFile", filename, contents, name=name)


def matching_files(pattern, name=None):
    """The names of the files that match one or several patterns, sorted."""
    return apply_op("MatchingFiles", pattern, name=name)
