"""Shapes, slices, joins and constants."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import constant, convert_to_tensor, dtype_of, is_tensor_like, make_array
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from ..framework.shape import Dimension, TensorShape, as_shape


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


def _numbers(value, dtype=dtypes.int32):
    """A small list of integers, nested or with tensors in it, as a tensor or an array."""
    if isinstance(value, (list, tuple)):
        try:
            return np.asarray(value, dtype.as_numpy_dtype)
        except NotImplementedError:  # there are tensors in it
            return convert_to_tensor(value, dtype)
    return value if is_tensor_like(value) else np.asarray(value, dtype.as_numpy_dtype)


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
        perm = _numbers(perm)
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
    sizes = _numbers(num_or_size_splits)
    count = num or convert_to_tensor(sizes).shape._dims[0]
    return apply_op("SplitV", value, sizes, np.int32(axis), num_split=count, name=name)


def slice(input_, begin, size, name=None):  # noqa: A001
    """The part that begins at `begin` and has the extents `size` (-1: the rest)."""
    return apply_op("Slice", input_, _extents(begin), _extents(size), name=name)


def gather(params, indices, validate_indices=None, name=None, axis=None, batch_dims=0):
    """The slices of `params` at `indices`, along `axis` (after the batch axes where it is None)."""
    axis = batch_dims if axis is None else axis
    if hasattr(params, "sparse_read") and not is_tensor_like(axis) and axis == 0 and batch_dims == 0:
        return params.sparse_read(indices, name)
    return apply_op("GatherV2", params, indices, axis if is_tensor_like(axis) else np.int32(axis),
                    batch_dims=batch_dims, name=name)


def batch_gather(params, indices, name=None):
    """The elements of each batch of `params` at its indices: gather with all axes of `indices` but the last as batches."""
    indices = convert_to_tensor(indices)
    with name_scope(name or "BatchGather"):
        return gather(params, indices, batch_dims=indices.shape.rank - 1)


def gather_nd(params, indices, name=None, batch_dims=0):
    """The elements or slices of `params` at the positions in the last axis of `indices`."""
    return apply_op("GatherNd", params, indices, name=name)


def _tensor_scatter(op_type, what):
    def function(tensor, indices, updates, name=None):
        return apply_op(op_type, tensor, indices, updates, name=name)

    function.__doc__ = f"The tensor with `updates` {what} at the positions `indices`."
    return function


tensor_scatter_update = tensor_scatter_nd_update = _tensor_scatter("TensorScatterUpdate", "put")
tensor_scatter_add = tensor_scatter_nd_add = _tensor_scatter("TensorScatterAdd", "added")
tensor_scatter_sub = tensor_scatter_nd_sub = _tensor_scatter("TensorScatterSub", "subtracted")


def identity_n(input, name=None):
    """The tensors themselves, at once."""
    return apply_op("IdentityN", [convert_to_tensor(t) for t in input], name=name)


def is_tensor(x):
    """Whether `x` is a tensor of the graph, or stands for one."""
    return is_tensor_like(x)


def scatter_nd(indices, updates, shape, name=None):
    """Zeros of the given shape, with `updates` added at the positions `indices`."""
    indices = convert_to_tensor(indices)
    shape = _numbers(shape, indices.dtype)
    return apply_op("ScatterNd", indices, updates, shape, name=name)


def tile(input, multiples, name=None):
    """`input` repeated so many times along each axis."""
    return apply_op("Tile", input, _extents(multiples), name=name)


def pad(tensor, paddings, mode="CONSTANT", name=None, constant_values=0):
    """With elements before and after, axis by axis; mode CONSTANT, REFLECT or SYMMETRIC."""
    mode = mode.upper()
    paddings = _numbers(paddings)
    if mode == "CONSTANT":
        if not is_tensor_like(constant_values) and constant_values == 0:
            return apply_op("Pad", tensor, paddings, name=name)
        return apply_op("PadV2", tensor, paddings, constant_values, name=name)
    if mode not in ("REFLECT", "SYMMETRIC"):
        raise ValueError(f"Value of argument `mode` expected to be one of CONSTANT, REFLECT or SYMMETRIC, got {mode}")
    return _mirrored(convert_to_tensor(tensor), paddings, mode == "REFLECT", name or "MirrorPad")


def _mirrored(tensor, paddings, reflect, name):
    """Padded with its own elements, mirrored at the edge element (reflect) or at the edge."""
    if is_tensor_like(paddings):
        raise NotImplementedError("pad: REFLECT and SYMMETRIC take paddings that are known when the graph is built")
    with name_scope(name):
        result = tensor
        for axis, (before, after) in enumerate(paddings.tolist()):
            if not before and not after:
                continue
            extent = tensor.shape._dims[axis]
            extent = shape(tensor)[axis] if extent is None else np.int32(extent)
            last = extent - 1
            places = apply_op("Range", np.int32(-before), extent + np.int32(after), np.int32(1))
            if reflect:
                places = last - apply_op("Abs", last - apply_op("Abs", places))
            else:
                inside = apply_op("SelectV2", apply_op("Less", places, 0), -1 - places, places)
                places = apply_op("SelectV2", apply_op("Greater", inside, last), 2 * extent - 1 - inside, inside)
            result = gather(result, places, axis=axis)
        return result


def reverse(tensor, axis, name=None):
    """The order turned round along the axes."""
    axis = _numbers([axis] if isinstance(axis, int) else axis)
    return apply_op("ReverseV2", tensor, axis, name=name)


reverse_v2 = reverse


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
        given = on_value if on_value is not None else off_value
        dtype = dtypes.float32 if given is None else dtype_of(given) or make_array(given)[1]
    plain = bool if dtypes.as_dtype(dtype) is dtypes.bool_ else int
    on_value = plain(1) if on_value is None else on_value
    off_value = plain(0) if off_value is None else off_value
    return apply_op("OneHot", indices, depth, convert_to_tensor(on_value, dtype, name="on_value"),
                    convert_to_tensor(off_value, dtype, name="off_value"), axis=-1 if axis is None else axis,
                    name=name or "one_hot")


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


def invert_permutation(x, name=None):
    """y with y[x[i]] = i."""
    return apply_op("InvertPermutation", x, name=name)


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


def guarantee_const(input, name=None):
    return identity(input, name)


newaxis = None
