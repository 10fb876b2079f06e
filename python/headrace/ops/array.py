"""Shapes, slices, joins and constants."""

import builtins

import numpy as np

from ..framework import dtypes
from ..framework.convert import constant, convert_to_tensor, dtype_of, is_tensor_like
from ..framework.graph import Tensor, get_default_graph, name_scope
from ..framework.op_library import apply_op
from ..framework.shape import Dimension, TensorShape, as_shape
from ..framework.variables import Variable, _Assigned


def _extents(shape):
    """A shape argument as a tensor or an int32/int64 array."""
    if is_tensor_like(shape):
        return shape
    if isinstance(shape, (list, tuple)) and any(is_tensor_like(item) for item in shape):
        return convert_to_tensor(shape, dtypes.int32 if dtype_of(shape) is not dtypes.int64 else dtypes.int64)
    if isinstance(shape, TensorShape):
        shape = shape.as_list()
    array = np.asarray([int(d) for d in shape] if isinstance(shape, (list, tuple)) else shape, dtype=np.int64)
    return array.astype(np.int32) if array.size == 0 or np.abs(array).max() < 2**31 else array


def identity(input, name=None):
    """The same value as an operation of its own."""
    return apply_op("Identity", input, name=name)


def stop_gradient(input, name=None):
    """The same value, through which no gradient flows."""
    return apply_op("StopGradient", input, name=name)


def placeholder(dtype, shape=None, name=None):
    """A tensor that every step has to be fed."""
    return apply_op("Placeholder", dtype=dtype, shape=as_shape(shape), name=name)


def placeholder_with_default(input, shape, name=None):
    """A tensor that a step may be fed; else it is `input`."""
    return apply_op("PlaceholderWithDefault", input, shape=as_shape(shape), name=name)


def shape(input, name=None, out_type=dtypes.int32):
    """The extents, as a vector; a constant where they are known."""
    if hasattr(input, "dense_shape"):
        from .math import cast
        return cast(input.dense_shape, out_type, name)
    input = convert_to_tensor(input)
    if input.shape.is_fully_defined():
        return constant(input.shape.as_list(), out_type, name=name or "Shape")
    return apply_op("Shape", input, out_type=out_type, name=name)


def shape_n(input, out_type=dtypes.int32, name=None):
    return apply_op("ShapeN", input, out_type=out_type, name=name)


def size(input, name=None, out_type=dtypes.int32):
    """The number of elements."""
    x = convert_to_tensor(input)
    if x.shape.is_fully_defined():
        return constant(x.shape.num_elements(), out_type, name=name or "Size")
    return apply_op("Size", x, out_type=out_type, name=name)


def rank(input, name=None):
    """The number of axes."""
    x = convert_to_tensor(input)
    return constant(x.shape.rank, dtypes.int32, name=name or "Rank") if x.shape.rank is not None else apply_op(
        "Rank", x, name=name)


def reshape(tensor, shape, name=None):
    """The same elements under another shape; one extent may be -1."""
    return apply_op("Reshape", tensor, _extents(shape), name=name)


def expand_dims(input, axis=None, name=None, dim=None):
    """A new axis of extent 1 before `axis`."""
    axis = dim if axis is None else axis
    return apply_op("ExpandDims", input, axis if is_tensor_like(axis) else np.int32(axis), name=name)


def squeeze(input, axis=None, name=None, squeeze_dims=None):
    """Without the axes of extent 1: all, or those of `axis`."""
    axis = squeeze_dims if axis is None else axis
    axis = [] if axis is None else [axis] if isinstance(axis, int) else list(axis)
    return apply_op("Squeeze", input, squeeze_dims=axis, name=name)


def transpose(a, perm=None, name="transpose", conjugate=False):
    """Axes in the order `perm`; reversed without it."""
    a = convert_to_tensor(a)
    if perm is None:
        if a.shape.rank is not None:
            perm = np.arange(a.shape.rank - 1, -1, -1, dtype=np.int32)
        else:
            count = rank(a)
            perm = apply_op("Sub", apply_op("Sub", count, 1), apply_op("Range", 0, count, 1))
    elif not is_tensor_like(perm):
        perm = np.asarray(perm, dtype=np.int32)
    return apply_op("ConjugateTranspose" if conjugate and a.dtype.is_complex else "Transpose", a, perm, name=name)


def concat(values, axis, name="concat"):
    """Tensors joined along an axis. TensorFlow's old order `concat(axis, values)` is understood too."""
    if isinstance(values, int) and isinstance(axis, (list, tuple)):
        values, axis = axis, values
    if not isinstance(values, (list, tuple)):
        values = [values]
    if len(values) == 1:
        return identity(values[0], name)
    return apply_op("ConcatV2", list(values), axis if is_tensor_like(axis) else np.int32(axis), name=name)


def stack(values, axis=0, name="stack"):
    """Tensors of one shape along a new axis."""
    return apply_op("Pack", [v for v in values] if not isinstance(values, (list, tuple)) else list(values), axis=axis, name=name)


pack = stack


def unstack(value, num=None, axis=0, name="unstack"):
    """The slices along an axis, as a list."""
    value = convert_to_tensor(value)
    if num is None:
        if value.shape.rank is None:
            raise ValueError("Cannot infer argument `num` from shape <unknown>")
        num = value.shape._dims[axis]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {value.shape}")
    return apply_op("Unpack", value, num=num, axis=axis, name=name)


unpack = unstack


def split(value, num_or_size_splits, axis=0, num=None, name="split"):
    """Parts along an axis: so many equal ones, or of the given sizes."""
    value = convert_to_tensor(value)
    if isinstance(num_or_size_splits, (int, Dimension)):
        return apply_op("Split", np.int32(axis) if not is_tensor_like(axis) else axis, value,
                        num_split=int(num_or_size_splits), name=name)
    sizes = num_or_size_splits if is_tensor_like(num_or_size_splits) else np.asarray(num_or_size_splits, np.int32)
    count = num or convert_to_tensor(sizes).shape._dims[0]
    return apply_op("SplitV", value, sizes, np.int32(axis), num_split=count, name=name)


def slice(input_, begin, size, name=None):  # noqa: A001
    """The part that begins at `begin` and has the extents `size` (-1: the rest)."""
    return apply_op("Slice", input_, _extents(begin), _extents(size), name=name)


def strided_slice(input_, begin, end, strides=None, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0,
                  shrink_axis_mask=0, var=None, name=None):
    """Every `strides`-th element from begin to end, axis by axis; see Python's slices for the masks' meaning."""
    if strides is None:
        strides = np.ones(len(begin), np.int32)
    return apply_op("StridedSlice", input_, _extents(begin), _extents(end), _extents(strides), begin_mask=begin_mask,
                    end_mask=end_mask, ellipsis_mask=ellipsis_mask, new_axis_mask=new_axis_mask,
                    shrink_axis_mask=shrink_axis_mask, name=name)


def _getitem(x, key):
    """x[...] as numpy has it: numbers, slices, `...`, None (a new axis); also a bool tensor as a mask."""
    if isinstance(key, (Tensor, Variable)) and key.dtype.base_dtype is dtypes.bool_:
        return boolean_mask(x, key)
    keys = key if isinstance(key, tuple) else (key,)
    begin, end, strides = [], [], []
    masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    for i, item in enumerate(keys):
        bit = 1 << i
        first, last, step = 0, 0, 1
        if isinstance(item, builtins.slice):
            if item.step is not None:
                step = item.step
            first, last = (0 if item.start is None else item.start), (0 if item.stop is None else item.stop)
            masks["begin_mask"] |= bit if item.start is None else 0
            masks["end_mask"] |= bit if item.stop is None else 0
        elif item is Ellipsis:
            masks["ellipsis_mask"] |= bit
        elif item is None:
            masks["new_axis_mask"] |= bit
        elif isinstance(item, (int, np.integer)) or is_tensor_like(item):
            first, last = item, item + 1
            masks["shrink_axis_mask"] |= bit
        else:
            raise TypeError("Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 "
                            f"tensors are valid indices, got {item!r}")
        begin.append(first)
        end.append(last)
        strides.append(step)
    with get_default_graph().name_scope("strided_slice") as scope:
        parts = [_index_vector(part, n) for part, n in ((begin, "stack"), (end, "stack_1"), (strides, "stack_2"))]
        wide = any(convert_dtype(p) is dtypes.int64 for p in parts)
        if wide:
            parts = [apply_op("Cast", p, DstT=dtypes.int64) if convert_dtype(p) is not dtypes.int64 else p for p in parts]
        return apply_op("StridedSlice", x, *parts, name=scope, **masks)


def convert_dtype(tensor):
    return tensor.dtype.base_dtype


def _index_vector(items, name):
    if any(is_tensor_like(item) for item in items):
        known = dtype_of(items)
        return convert_to_tensor([item if is_tensor_like(item) else int(item) for item in items], known, name=name)
    return constant(np.asarray(items, np.int32), name=name)


for _cls in (Tensor, Variable, _Assigned):
    _cls.__getitem__ = _getitem


def gather(params, indices, validate_indices=None, name=None, axis=None, batch_dims=0):
    """The slices of `params` at `indices`, along `axis` (0)."""
    if hasattr(params, "sparse_read") and (axis is None or axis == 0) and batch_dims == 0:
        return params.sparse_read(indices, name)
    return apply_op("GatherV2", params, indices, np.int32(axis or 0) if not is_tensor_like(axis) else axis,
                    batch_dims=batch_dims, name=name)


def gather_nd(params, indices, name=None, batch_dims=0):
    """The elements or slices of `params` at the positions in the last axis of `indices`."""
    return apply_op("GatherNd", params, indices, name=name)


def scatter_nd(indices, updates, shape, name=None):
    """Zeros of the given shape, with `updates` added at the positions `indices`."""
    indices = convert_to_tensor(indices)
    shape = shape if is_tensor_like(shape) else np.asarray(shape, indices.dtype.as_numpy_dtype)
    return apply_op("ScatterNd", indices, updates, shape, name=name)


def tile(input, multiples, name=None):
    """`input` repeated so many times along each axis."""
    return apply_op("Tile", input, _extents(multiples), name=name)


def repeat(input, repeats, axis=None, name=None):
    """Each element repeated so many times."""
    x = convert_to_tensor(input)
    if axis is None:
        x, axis = reshape(x, [-1]), 0
    axis = axis % x.shape.rank
    expanded = expand_dims(x, axis + 1)
    multiples = [1] * (x.shape.rank + 1)
    multiples[axis + 1] = repeats
    dims = [-1 if d is None else d for d in x.shape._dims]
    dims[axis] = dims[axis] * repeats if dims[axis] >= 0 else -1
    return reshape(tile(expanded, multiples), dims, name)


def pad(tensor, paddings, mode="CONSTANT", name=None, constant_values=0):
    """With elements before and after, axis by axis; mode CONSTANT, REFLECT or SYMMETRIC."""
    mode = mode.upper()
    paddings = paddings if is_tensor_like(paddings) else np.asarray(paddings, np.int32)
    if mode == "CONSTANT":
        if not is_tensor_like(constant_values) and constant_values == 0:
            return apply_op("Pad", tensor, paddings, name=name)
        return apply_op("PadV2", tensor, paddings, constant_values, name=name)
    if mode not in ("REFLECT", "SYMMETRIC"):
        raise ValueError(f"Value of argument `mode` expected to be one of CONSTANT, REFLECT or SYMMETRIC, got {mode}")
    return apply_op("MirrorPad", tensor, paddings, mode=mode, name=name)


def reverse(tensor, axis, name=None):
    """The order turned round along the axes."""
    axis = axis if is_tensor_like(axis) else np.atleast_1d(np.asarray(axis, np.int32))
    return apply_op("ReverseV2", tensor, axis, name=name)


reverse_v2 = reverse


def reverse_sequence(input, seq_lengths=None, seq_axis=None, batch_axis=None, name=None, seq_dim=None, batch_dim=None):
    """Each sequence turned round in its first `seq_lengths[i]` places."""
    seq_axis = (seq_dim or 0) if seq_axis is None else seq_axis
    batch_axis = (batch_dim or 0) if batch_axis is None else batch_axis
    with name_scope(name or "ReverseSequence"):
        x = convert_to_tensor(input)
        order = [batch_axis, seq_axis] + [i for i in builtins.range(x.shape.rank) if i not in (batch_axis, seq_axis)]
        lengths = expand_dims(apply_op("Cast", convert_to_tensor(seq_lengths), DstT=dtypes.int32), 1)
        rows = transpose(x, order)
        places = expand_dims(apply_op("Range", 0, shape(rows)[1], 1), 0)
        turned = apply_op("SelectV2", apply_op("Less", places, lengths), lengths - 1 - places,
                          apply_op("BroadcastTo", places, shape(rows)[:2]))
        result = transpose(gather(rows, turned, axis=1, batch_dims=1), list(np.argsort(order)))
        result.set_shape(x.shape)
        return result


def fill(dims, value, name=None):
    """A tensor of the given extents with `value` everywhere."""
    return apply_op("Fill", _extents(dims), value, name=name)


def _filled(dims, value, dtype, name):
    dtype = dtypes.as_dtype(dtype).base_dtype
    known = None if is_tensor_like(dims) or isinstance(dims, (list, tuple)) and any(
        is_tensor_like(d) for d in dims) else as_shape(dims)
    value = "" if dtype is dtypes.string and not value else bool(value) if dtype is dtypes.bool_ else value
    if known is not None and known.is_fully_defined() and known.num_elements() < 1000:
        array = np.full(known.as_list(), value, dtype=dtype.as_numpy_dtype)
        return constant(array, dtype, name=name)
    with name_scope(name) as scope:
        return apply_op("Fill", _extents(dims), constant(value, dtype), name=scope)


def zeros(shape, dtype=dtypes.float32, name="zeros"):
    """Zeros of the given shape."""
    return _filled(shape, 0, dtype, name)


def ones(shape, dtype=dtypes.float32, name="ones"):
    """Ones of the given shape."""
    return _filled(shape, 1, dtype, name)


def zeros_like(tensor, dtype=None, name=None, optimize=True):
    """Zeros of the shape (and, unless given, the type) of `tensor`."""
    x = convert_to_tensor(tensor)
    dtype = x.dtype.base_dtype if dtype is None else dtypes.as_dtype(dtype)
    if x.shape.is_fully_defined() and dtype is not dtypes.variant:
        return zeros(x.shape, dtype, name or "zeros_like")
    if dtype is x.dtype.base_dtype:
        return apply_op("ZerosLike", x, name=name)
    return zeros(shape_of(x), dtype, name or "zeros_like")


def ones_like(tensor, dtype=None, name=None, optimize=True):
    """Ones of the shape (and, unless given, the type) of `tensor`."""
    x = convert_to_tensor(tensor)
    dtype = x.dtype.base_dtype if dtype is None else dtypes.as_dtype(dtype)
    return ones(x.shape if x.shape.is_fully_defined() else shape_of(x), dtype, name or "ones_like")


shape_of = shape


def one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    """A new axis of extent `depth` with `on_value` (1) at the index and `off_value` (0) elsewhere."""
    if dtype is None:
        dtype = dtype_of(on_value) or dtype_of(off_value) or dtypes.float32
    on_value = 1 if on_value is None else on_value
    off_value = 0 if off_value is None else off_value
    return apply_op("OneHot", indices, depth, convert_to_tensor(on_value, dtype, name="on_value"),
                    convert_to_tensor(off_value, dtype, name="off_value"), axis=-1 if axis is None else axis, name=name)


def where(condition, x=None, y=None, name=None):
    """Without x and y: the positions of the true elements. With them: x where true, else y.

    A vector condition picks whole rows, as in TensorFlow 1.
    """
    if x is None and y is None:
        return apply_op("Where", convert_to_tensor(condition), name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return apply_op("Select", condition, x, y, name=name)


def where_v2(condition, x=None, y=None, name=None):
    """As where, but all three are broadcast together."""
    if x is None and y is None:
        return where(condition, name=name)
    return apply_op("SelectV2", condition, x, y, name=name)


def boolean_mask(tensor, mask, name="boolean_mask", axis=None):
    """The elements (or slices) where `mask` is true."""
    with name_scope(name):
        tensor, mask = convert_to_tensor(tensor), convert_to_tensor(mask)
        axis = axis or 0
        masked_rank = mask.shape.rank
        if masked_rank is None:
            raise ValueError("Number of mask dimensions must be specified, even if some dimensions are None.")
        extents = shape(tensor)
        count = apply_op("Prod", extents[axis:axis + masked_rank], np.array([0], np.int32), keep_dims=True)
        flat = reshape(tensor, concat([extents[:axis], count, extents[axis + masked_rank:]], 0))
        rows = squeeze(where(reshape(mask, [-1])), axis=[1])
        return gather(flat, rows, axis=axis)


def unique(x, out_idx=dtypes.int32, name=None):
    """The different values in the order of their first occurrence, and where each element's is."""
    return apply_op("Unique", x, out_idx=out_idx, name=name)


def unique_with_counts(x, out_idx=dtypes.int32, name=None):
    return apply_op("UniqueWithCounts", x, out_idx=out_idx, name=name)


def invert_permutation(x, name=None):
    """y with y[x[i]] = i."""
    return apply_op("InvertPermutation", x, name=name)


def dynamic_partition(data, partitions, num_partitions, name=None):
    """Rows sorted into so many tensors by their number in `partitions`."""
    return apply_op("DynamicPartition", data, partitions, num_partitions=num_partitions, name=name)


def dynamic_stitch(indices, data, name=None):
    """Rows put together from several tensors at the given indices."""
    return apply_op("DynamicStitch", list(indices), list(data), name=name)


def broadcast_to(input, shape, name=None):
    """`input` repeated to the given shape."""
    return apply_op("BroadcastTo", input, _extents(shape), name=name)


def broadcast_static_shape(shape_x, shape_y):
    """The shape that two shapes broadcast to."""
    return TensorShape(list(np.broadcast_shapes(tuple(shape_x.as_list()), tuple(shape_y.as_list()))))


def broadcast_dynamic_shape(shape_x, shape_y):
    return apply_op("BroadcastArgs", shape_x, shape_y)


def bitcast(input, type, name=None):
    """The same bytes as elements of another type."""
    return apply_op("Bitcast", input, type=type, name=name)


def sequence_mask(lengths, maxlen=None, dtype=dtypes.bool_, name=None):
    """True for the first `lengths[i]` of `maxlen` positions."""
    with name_scope(name or "SequenceMask"):
        lengths = convert_to_tensor(lengths)
        kind = lengths.dtype.as_numpy_dtype
        if maxlen is None:
            maxlen = apply_op("Max", lengths, np.arange(lengths.shape.rank, dtype=np.int32))
        positions = apply_op("Range", kind(0), maxlen if is_tensor_like(maxlen) else kind(maxlen), kind(1))
        mask = apply_op("Less", positions, expand_dims(lengths, -1))
        return mask if dtypes.as_dtype(dtype) is dtypes.bool_ else apply_op("Cast", mask, DstT=dtype)


def meshgrid(*args, indexing="xy", name="meshgrid"):
    """Coordinate matrices from coordinate vectors, as numpy's."""
    with name_scope(name):
        count = len(args)
        outputs = []
        for i, x in enumerate(args):
            dims = [1] * count
            dims[i] = -1
            outputs.append(reshape(stack(x) if isinstance(x, list) else x, dims))
        sizes = [size(x) for x in args]
        if indexing == "xy" and count > 1:
            swap = [1, 0] + list(builtins.range(2, count))
            outputs = [transpose(x, swap) for x in outputs]
            sizes[0], sizes[1] = sizes[1], sizes[0]
        return [broadcast_to(x, stack(sizes)) for x in outputs]


def guarantee_const(input, name=None):
    return identity(input, name)


newaxis = None
