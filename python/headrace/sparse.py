"""Sparse tensors: the places that hold a value, these values, and the shape of the whole. The surface is tf.sparse too."""

import numpy as np

from .framework import dtypes
from .framework.convert import constant_value_as_shape, convert_to_tensor, is_tensor_like
from .framework.graph import name_scope
from .framework.op_library import apply_op
from .framework.session import SparseTensorValue
from .framework.shape import TensorShape, as_shape
from .ops import array, math


class SparseTensor:
    """`values[i]` stands at `indices[i]` of a tensor of `dense_shape` that is empty elsewhere.

    `indices`: int64 [n, rank]; `values`: [n]; `dense_shape`: int64 [rank]. Can be fetched and fed: a SparseTensorValue.
    """

    def __init__(self, indices, values, dense_shape):
        with name_scope("SparseTensor"):
            self._indices = convert_to_tensor(indices, dtypes.int64, "indices")
            self._values = convert_to_tensor(values, name="values")
            self._dense_shape = convert_to_tensor(dense_shape, dtypes.int64, "shape")
        places, shape = self._indices.shape.with_rank(2), self._dense_shape.shape.with_rank(1)
        places[0:1].assert_is_compatible_with(self._values.shape.with_rank(1))
        places[1:2].assert_is_compatible_with(shape)
        self._shape = constant_value_as_shape(self._dense_shape)

    @classmethod
    def from_value(cls, value):
        """The SparseTensor of a SparseTensorValue; a SparseTensor itself."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, SparseTensorValue):
            raise TypeError(f"Argument sparse_tensor_value={value} is neither a SparseTensor nor SparseTensorValue.")
        return cls(value.indices, np.asarray(value.values), value.dense_shape)

    @property
    def indices(self):
        return self._indices

    @property
    def values(self):
        return self._values

    @property
    def dense_shape(self):
        return self._dense_shape

    @property
    def op(self):
        return self._values.op

    @property
    def graph(self):
        return self._values.graph

    @property
    def name(self):
        return self._values.name

    @property
    def dtype(self):
        return self._values.dtype

    @property
    def shape(self):
        return self._shape

    def get_shape(self):
        return self._shape

    def set_shape(self, shape):
        """Adds what is known of the shape. Raises ValueError when it contradicts."""
        self._shape = self._shape.merge_with(shape)

    def with_values(self, new_values):
        """Other values at the same places."""
        return SparseTensor(self._indices, new_values, self._dense_shape)

    def consumers(self):
        return [op for tensor in (self._indices, self._values, self._dense_shape) for op in tensor.consumers()]

    def eval(self, feed_dict=None, session=None):
        """Its SparseTensorValue: `session.run(self, feed_dict)`, with the default session unless one is given."""
        from .framework.session import _session_for
        return _session_for(self.graph, session, "eval").run(self, feed_dict)

    def _fetch_components(self):
        return (self._indices, self._values, self._dense_shape), SparseTensorValue

    def _map_values(self, function):
        return self.with_values(function(self._values))

    def __mul__(self, other):
        return self.with_values(apply_op("SparseDenseCwiseMul", *_parts(self), other))

    def __truediv__(self, other):
        return self.with_values(apply_op("SparseDenseCwiseDiv", *_parts(self), other))

    def __repr__(self):
        return f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"


def _parts(sp):
    sp = _sparse(sp)
    return sp.indices, sp.values, sp.dense_shape


def _sparse(value, name="sp_input"):
    if isinstance(value, SparseTensorValue):
        return SparseTensor.from_value(value)
    if not isinstance(value, SparseTensor):
        raise TypeError(f"Input {name} must be a SparseTensor, got {value!r}")
    return value


def convert_to_tensor_or_sparse_tensor(value, dtype=None, name=None):
    """A SparseTensor for what is sparse, else convert_to_tensor."""
    if isinstance(value, (SparseTensor, SparseTensorValue)):
        value = SparseTensor.from_value(value)
        if dtype is not None and not value.dtype.is_compatible_with(dtype):
            raise RuntimeError(f"Sparse dtype mismatch. Requested: {dtypes.as_dtype(dtype).name}, actual: {value.dtype.name}")
        return value
    return convert_to_tensor(value, dtype, name)


def sparse_placeholder(dtype, shape=None, name=None):
    """A SparseTensor to be fed with a SparseTensorValue or (indices, values, shape)."""
    def part(what):
        return f"{name}/{what}" if name else None

    rank, extents = None, None
    if is_tensor_like(shape):
        extents = convert_to_tensor(shape, dtypes.int64)
        rank = extents.shape.with_rank(1)._dims[0]
    elif shape is not None:
        shape = as_shape(shape)
        rank = shape.rank
        if shape.is_fully_defined():
            extents = convert_to_tensor(np.asarray(shape.as_list(), np.int64), name=part("shape"))
    if extents is None:
        extents = array.placeholder(dtypes.int64, [rank], name=part("shape"))
    else:
        extents = array.placeholder_with_default(extents, extents.shape, name=part("shape"))
    sparse = SparseTensor(array.placeholder(dtypes.int64, [None, rank], name=part("indices")),
                          array.placeholder(dtype, [None], name=part("values")), extents)
    if isinstance(shape, TensorShape):
        sparse.set_shape(shape)
    return sparse


def from_dense(tensor, name=None):
    """The elements of a dense tensor that are not zero (or empty strings)."""
    with name_scope(name or "dense_to_sparse"):
        tensor = convert_to_tensor(tensor)
        zero = array.zeros_like(tensor) if tensor.dtype is not dtypes.string else ""
        indices = array.where(math.not_equal(tensor, zero))
        return SparseTensor(indices, array.gather_nd(tensor, indices), array.shape(tensor, out_type=dtypes.int64))


def sparse_to_dense(sparse_indices, output_shape, sparse_values, default_value=0, validate_indices=True, name=None):
    """A dense tensor with the values at the places, and `default_value` elsewhere."""
    values = convert_to_tensor(sparse_values)
    shape = convert_to_tensor(output_shape)
    return apply_op("SparseToDense", convert_to_tensor(sparse_indices, shape.dtype) if not is_tensor_like(sparse_indices)
                    else sparse_indices, shape, values, convert_to_tensor(default_value, values.dtype),
                    validate_indices=validate_indices, name=name)


def sparse_tensor_to_dense(sp_input, default_value=None, validate_indices=True, name=None):
    """The sparse tensor as a dense one, `default_value` (0 or "") where it is empty."""
    sp = _sparse(sp_input)
    if default_value is None:
        default_value = "" if sp.dtype is dtypes.string else np.zeros((), sp.dtype.as_numpy_dtype)
    dense = sparse_to_dense(sp.indices, sp.dense_shape, sp.values, default_value, validate_indices, name)
    dense.set_shape(sp.shape)
    return dense


def sparse_reshape(sp_input, shape, name=None):
    """The same elements in another shape; one extent may be -1."""
    sp = _sparse(sp_input)
    with name_scope(name or "SparseReshape"):
        wanted = math.cast(shape, dtypes.int64)
        indices, extents = apply_op("SparseReshape", sp.indices, sp.dense_shape, wanted)
    result = SparseTensor(indices, sp.values, extents)
    known = constant_value_as_shape(wanted)
    if known.rank is not None:
        result._indices.set_shape([None, known.rank])
    return result


def sparse_reorder(sp_input, name=None):
    """The same elements in row-major order of their places."""
    sp = _sparse(sp_input)
    indices, values = apply_op("SparseReorder", *_parts(sp), name=name)
    return SparseTensor(indices, values, array.identity(sp.dense_shape))


def sparse_transpose(sp_input, perm=None, name=None):
    """The sparse tensor with its axes in another order (reversed unless `perm` is given)."""
    sp = _sparse(sp_input)
    with name_scope(name or "SparseTranspose"):
        if perm is None:
            if sp.shape.rank is None:
                raise ValueError("sparse_transpose: the rank must be known unless perm is given")
            perm = list(range(sp.shape.rank))[::-1]
        moved = SparseTensor(array.gather(sp.indices, perm, axis=1), sp.values, array.gather(sp.dense_shape, perm))
        return sparse_reorder(moved)


def sparse_concat(axis, sp_inputs, name=None, expand_nonconcat_dim=False, concat_dim=None, expand_nonconcat_dims=None):
    """The sparse tensors joined along an axis; other extents must agree, or grow with `expand_nonconcat_dims`."""
    axis = concat_dim if axis is None else axis
    inputs = [_sparse(sp) for sp in sp_inputs]
    if len(inputs) == 1:
        return inputs[0]
    shapes = [sp.dense_shape for sp in inputs]
    with name_scope(name or "SparseConcat"):
        if expand_nonconcat_dims or expand_nonconcat_dim:
            largest = math.reduce_max(array.stack(shapes), 0)
            rank = largest.shape._dims[0]
            keep = array.one_hot(axis % rank, rank, True, False, dtype=dtypes.bool_)
            shapes = [array.where(keep, shape, largest) for shape in shapes]
        made = apply_op("SparseConcat", [sp.indices for sp in inputs], [sp.values for sp in inputs], shapes, concat_dim=axis)
    return SparseTensor(*made)


def sparse_slice(sp_input, start, size, name=None):
    """The part that begins at `start` and has at most `size`."""
    return SparseTensor(*apply_op("SparseSlice", *_parts(sp_input), math.cast(start, dtypes.int64),
                                  math.cast(size, dtypes.int64), name=name))


def sparse_split(keyword_required=None, sp_input=None, num_split=None, axis=None, name=None, split_dim=None):
    """So many parts along an axis."""
    axis = split_dim if axis is None else axis
    indices, values, shapes = apply_op("SparseSplit", math.cast(axis, dtypes.int64), *_parts(sp_input), num_split=num_split,
                                       name=name)
    return [SparseTensor(*parts) for parts in zip(indices, values, shapes)]


def sparse_retain(sp_input, to_retain):
    """The elements for which the vector `to_retain` is true."""
    sp = _sparse(sp_input)
    to_retain = convert_to_tensor(to_retain, dtypes.bool_)
    sp.values.shape.assert_is_compatible_with(to_retain.shape)
    kept = array.reshape(array.where(to_retain), [-1])
    return SparseTensor(array.gather(sp.indices, kept), array.gather(sp.values, kept), array.identity(sp.dense_shape))


def sparse_reset_shape(sp_input, new_shape=None):
    """The same elements in the smallest shape that holds them, or in `new_shape`."""
    sp = _sparse(sp_input)
    if new_shape is None:
        shape = math.maximum(math.reduce_max(sp.indices, 0) + 1, np.int64(0))
    else:
        shape = math.cast(new_shape, dtypes.int64)
    return SparseTensor(array.identity(sp.indices), array.identity(sp.values), shape)


def sparse_fill_empty_rows(sp_input, default_value, name=None):
    """(with `default_value` at column 0 of each empty row, a bool vector that says which rows were empty)."""
    sp = _sparse(sp_input)
    made = apply_op("SparseFillEmptyRows", *_parts(sp), convert_to_tensor(default_value, sp.dtype.base_dtype), name=name)
    return SparseTensor(made[0], made[1], sp.dense_shape), made[2]


def sparse_tensor_dense_matmul(sp_a, b, adjoint_a=False, adjoint_b=False, name=None):
    """The matrix product of a sparse and a dense matrix."""
    sp = _sparse(sp_a)
    return apply_op("SparseTensorDenseMatMul", *_parts(sp), convert_to_tensor(b, sp.dtype.base_dtype), adjoint_a=adjoint_a,
                    adjoint_b=adjoint_b, name=name)


def sparse_add(a, b, threshold=None, thresh=None):
    """a + b, of two sparse tensors, or of a sparse and a dense one (then dense)."""
    threshold = thresh if threshold is None else threshold
    sparse_inputs = (SparseTensor, SparseTensorValue)
    if not isinstance(a, sparse_inputs) and not isinstance(b, sparse_inputs):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if isinstance(a, sparse_inputs) and isinstance(b, sparse_inputs):
        a, b = _sparse(a), _sparse(b)
        limit = convert_to_tensor(threshold or 0, a.dtype.real_dtype)
        return SparseTensor(*apply_op("SparseAdd", *_parts(a), *_parts(b), limit))
    if isinstance(b, sparse_inputs):
        a, b = b, a
    return math.add(sparse_tensor_to_dense(a, validate_indices=False), b)


def sparse_reduce_sum(sp_input, axis=None, keepdims=None, reduction_axes=None, keep_dims=None, name=None):
    """The dense sum along axes (all of them)."""
    sp = _sparse(sp_input)
    axis = reduction_axes if axis is None else axis
    if axis is None:
        axis = math.range(array.size(sp.dense_shape)) if sp.shape.rank is None else np.arange(sp.shape.rank, dtype=np.int32)
    return apply_op("SparseReduceSum", *_parts(sp), math.cast(array.reshape(axis, [-1]), dtypes.int32),
                    keep_dims=bool(keepdims or keep_dims), name=name)


def _segment(op_type, doc):
    def reduce(data, indices, segment_ids, name=None, num_segments=None):
        if num_segments is not None:
            return apply_op(op_type + "WithNumSegments", data, indices, segment_ids, num_segments, name=name)
        return apply_op(op_type, data, indices, segment_ids, name=name)

    reduce.__doc__ = doc
    return reduce


sparse_segment_sum = _segment("SparseSegmentSum", "The sums of the rows `indices` of `data`, by ascending segment.")
sparse_segment_mean = _segment("SparseSegmentMean", "The means of the rows `indices` of `data`, by ascending segment.")
sparse_segment_sqrt_n = _segment("SparseSegmentSqrtN", "As sparse_segment_sum, divided by the root of the number of rows.")


def sparse_merge(sp_ids, sp_values, vocab_size, name=None, already_sorted=False):
    """A sparse tensor whose last axis are the ids: sp_values[i] stands where sp_ids[i] says, below `vocab_size`.

    Of several ids and sizes, one axis each.
    """
    if isinstance(vocab_size, (list, tuple)) != isinstance(sp_ids, (list, tuple)):
        raise TypeError("vocab_size has to be a list of Tensors or Python ints when sp_ids is a list, and the other way round")
    if not isinstance(sp_ids, (list, tuple)):
        sp_ids, vocab_size = [sp_ids], [vocab_size]
    if len(sp_ids) != len(vocab_size):
        raise ValueError(f"sp_ids and vocab_size have to have equal lengths: {len(sp_ids)} and {len(vocab_size)}")
    first, values = _sparse(sp_ids[0]), _sparse(sp_values)
    with name_scope(name or "SparseMerge"):
        columns = [array.expand_dims(math.cast(_sparse(ids).values, dtypes.int64), 1) for ids in sp_ids]
        sizes = [array.reshape(math.cast(size, dtypes.int64), [1]) for size in vocab_size]
        indices = array.concat([first.indices[:, :-1]] + columns, 1)
        result = SparseTensor(indices, values.values, array.concat([first.dense_shape[:-1]] + sizes, 0))
        return result if already_sorted else sparse_reorder(result)


def sparse_to_indicator(sp_input, vocab_size, name=None):
    """A dense bool tensor that is true where the last axis' ids of `sp_input` say."""
    sp = _sparse(sp_input)
    with name_scope(name or "SparseToIndicator"):
        present = sp.with_values(array.fill(array.shape(sp.values), True))
        merged = sparse_merge(sp, present, vocab_size)
        dense = sparse_to_dense(merged.indices, merged.dense_shape, merged.values, False, validate_indices=False)
        return dense


def serialize_sparse(sp_input, name=None, out_type=dtypes.string):
    """The three parts as a vector of three serialized tensors."""
    return apply_op("SerializeSparse", *_parts(sp_input), out_type=out_type, name=name)


def serialize_many_sparse(sp_input, name=None, out_type=dtypes.string):
    """One vector of three for each slice along the first axis."""
    return apply_op("SerializeManySparse", *_parts(sp_input), out_type=out_type, name=name)


def deserialize_sparse(serialized_sparse, dtype, rank=None, name=None):
    """What serialize_sparse made; of a batch of them, one sparse tensor with the batch's axes first."""
    indices, values, shape = apply_op("DeserializeSparse", serialized_sparse, dtype=dtype, name=name)
    indices.set_shape([None, rank])
    shape.set_shape([rank])
    return SparseTensor(indices, values, shape)


def deserialize_many_sparse(serialized_sparse, dtype, rank=None, name=None):
    """What serialize_many_sparse made, as one sparse tensor."""
    indices, values, shape = apply_op("DeserializeManySparse", serialized_sparse, dtype=dtype, name=name)
    indices.set_shape([None, rank])
    shape.set_shape([rank])
    return SparseTensor(indices, values, shape)


def edit_distance(hypothesis, truth, normalize=True, name="edit_distance"):
    """How many insertions, deletions, substitutions make each sequence of one SparseTensor that of another, by its length."""
    for sparse, what in ((hypothesis, "Hypothesis"), (truth, "Truth")):
        if not isinstance(sparse, (SparseTensor, SparseTensorValue)):
            raise TypeError(f"{what} must be a SparseTensor.")
    hypothesis, truth = SparseTensor.from_value(hypothesis), SparseTensor.from_value(truth)
    return apply_op("EditDistance", hypothesis.indices, hypothesis.values, hypothesis.dense_shape, truth.indices, truth.values,
                    truth.dense_shape, normalize=normalize, name=name)


# The names under tf.sparse.
placeholder = sparse_placeholder
to_dense = sparse_tensor_to_dense
reshape = sparse_reshape
reorder = sparse_reorder
transpose = sparse_transpose
concat = sparse_concat
slice = sparse_slice  # noqa: A001 - TensorFlow's name
split = sparse_split
retain = sparse_retain
reset_shape = sparse_reset_shape
fill_empty_rows = sparse_fill_empty_rows
matmul = sparse_dense_matmul = sparse_tensor_dense_matmul
add = sparse_add
reduce_sum = sparse_reduce_sum
segment_sum, segment_mean, segment_sqrt_n = sparse_segment_sum, sparse_segment_mean, sparse_segment_sqrt_n
merge = sparse_merge
to_indicator = sparse_to_indicator
