"""From Python values to tensors of the graph, and to numpy arrays where values are known."""

import numpy as np

from .._native import native
from . import dtypes
from .graph import IndexedSlices, Tensor, get_default_graph
from .shape import Dimension, TensorShape, as_shape


def _leaf_bytes(value):
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, np.bytes_)):
        return bytes(value)
    raise TypeError(f"Expected binary or unicode string, got {value!r}")


def native_value(array, dtype):
    """A numpy array as the native side takes it."""
    if dtype is dtypes.string:
        return [_leaf_bytes(item) for item in array.ravel().tolist()], list(array.shape)
    return array


def make_native_tensor(array, dtype):
    return native.Tensor.make(native_value(array, dtype), dtype.as_datatype_enum)


# What native code gives under another type: as 16 bits, and as numpy's longlong, which is not np.int64.
_VIEWED = frozenset([dtypes.bfloat16, dtypes.int64, dtypes.uint64])


def to_numpy(value, dtype):
    """What the native side returned as a numpy array (object arrays of bytes for strings)."""
    if dtype is dtypes.string:
        items, shape = value
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array.reshape(shape)
    if dtype in _VIEWED:
        return value.view(dtype.as_numpy_dtype)
    return value


def _plain(value):
    """Without Dimensions, shapes and the like."""
    if isinstance(value, TensorShape):
        return value.as_list()
    if isinstance(value, Dimension) and not isinstance(value, int):
        raise ValueError(f"Cannot convert an unknown Dimension to a Tensor: {value}")
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def make_array(value, dtype=None):
    """The numpy array for a constant: Python floats are float32, Python ints int32 (int64 where they do not fit)."""
    if isinstance(value, np.ndarray) or np.isscalar(value) and isinstance(value, np.generic):
        array = np.asarray(value)
        given = True
    else:
        value = _plain(value)
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise ValueError(f"Argument must be a dense tensor: {value!r} - {error}") from None
        given = isinstance(value, list) and _has_numpy(value)
    if array.dtype.kind in "OSU":
        if dtype is not None and dtype.base_dtype is not dtypes.string:
            raise TypeError(f"Cannot convert {value!r} to EagerTensor of dtype {dtype.name}")
        if array.dtype.kind == "S" and not isinstance(value, np.ndarray):
            array = np.asarray(value, dtype=object)
        elif array.dtype.kind == "O" and any(isinstance(item, (list, tuple)) or item is None for item in array.ravel()):
            raise ValueError(f"Argument must be a dense tensor, not {value!r}")
        for item in array.ravel().tolist():
            _leaf_bytes(item)
        return array, dtypes.string
    if dtype is None:
        if array.dtype == np.float64 and not given:
            array = array.astype(np.float32)
        elif array.dtype == np.int64 and not given:
            narrow = array.astype(np.int32)
            array = narrow if np.array_equal(narrow, array) else array
        return np.ascontiguousarray(array).reshape(array.shape), dtypes.as_dtype(array.dtype)
    dtype = dtype.base_dtype
    if dtype is dtypes.string and array.size == 0 and not given:
        return array.astype(object), dtype
    if dtype is dtypes.string:
        raise TypeError(f"Expected string, got {value!r} of type '{type(value).__name__}' instead.")
    wanted = np.dtype(dtype.as_numpy_dtype)
    if not given and array.size:
        if wanted.kind in "iu" and array.dtype.kind in "fc" or array.dtype.kind == "b" and wanted.kind != "b" \
                or array.dtype.kind == "c" and wanted.kind != "c" or wanted.kind == "b" and array.dtype.kind not in "b":
            raise TypeError(f"Expected {dtype.name}, got {value!r} of type '{type(value).__name__}' instead.")
    if wanted.kind in "iu" and array.dtype.kind in "iu" and not given and array.size:
        limits = np.iinfo(wanted)
        if array.min() < limits.min or array.max() > limits.max:
            raise ValueError(f"Tensor value {value!r} does not fit {dtype.name}")
    array = array.astype(wanted, copy=False)
    if dtype is dtypes.bfloat16:
        array = array.view(np.uint16)
    return np.ascontiguousarray(array).reshape(array.shape), dtype


def _has_numpy(value):
    for item in value:
        if isinstance(item, (np.ndarray, np.generic)):
            return True
        if isinstance(item, list) and _has_numpy(item):
            return True
    return False


def constant(value, dtype=None, shape=None, name="Const", verify_shape=False):
    """A tensor that holds `value`. With `shape`, a scalar (or the last element) fills it up, as in TensorFlow 1."""
    graph = get_default_graph()
    array, known = make_array(value, None if dtype is None else dtypes.as_dtype(dtype))
    if shape is not None:
        wanted = tuple(as_shape(shape).as_list())
        if array.shape != wanted:
            if verify_shape:
                raise TypeError(f"Expected Tensor's shape: {wanted}, got {array.shape}.")
            size = int(np.prod(wanted, dtype=np.int64))
            if array.size > size or array.size == 0 and size > 0:
                raise ValueError(f"Too many elements provided. Needed at most {size}, but received {array.size}")
            flat = array.ravel()
            array = np.concatenate([flat, np.repeat(flat[-1:], size - array.size)]).reshape(wanted)
    tensor = native.Tensor.make(native_value(array, known), known.as_datatype_enum)
    op = graph.create_op("Const", (), {"value": tensor, "dtype": known.as_datatype_enum}, name)
    return op.outputs[0]


def is_tensor_like(value):
    """True for what already is a tensor of the graph, or stands for one (variables)."""
    return isinstance(value, (Tensor, IndexedSlices)) or hasattr(value, "_as_tensor")


def _contains_tensor(value):
    return any(is_tensor_like(item) or isinstance(item, (list, tuple)) and _contains_tensor(item) for item in value)


def dtype_of(value):
    """The dtype of a tensor, variable or numpy array, else None."""
    if is_tensor_like(value):
        return value.dtype.base_dtype
    if isinstance(value, (np.ndarray, np.generic)):
        return dtypes.as_dtype(value.dtype)
    if isinstance(value, (list, tuple)):
        for item in value:
            found = dtype_of(item)
            if found is not None:
                return found
    return None


def convert_to_tensor(value, dtype=None, name=None, preferred_dtype=None, dtype_hint=None):
    """`value` as a Tensor: itself, a variable's value, or a constant. Raises TypeError or ValueError where it cannot be."""
    dtype = None if dtype is None else dtypes.as_dtype(dtype)
    as_tensor = getattr(value, "_as_tensor", None)
    if as_tensor is not None:
        value = as_tensor(dtype, name)
    if isinstance(value, Tensor):
        if dtype is not None and not dtype.is_compatible_with(value.dtype):
            raise ValueError(f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype {value.dtype.name}: "
                             f"{value!r}")
        return value
    if isinstance(value, IndexedSlices):
        return _densify(value, name)
    if isinstance(value, (list, tuple)) and _contains_tensor(value):
        return _pack(value, dtype, name)
    hint = preferred_dtype or dtype_hint
    if dtype is None and hint is not None:
        try:
            return constant(value, hint, name=name or "Const")
        except (TypeError, ValueError):
            pass
    if value is None:
        raise ValueError("None values not supported.")
    try:
        return constant(value, dtype, name=name or "Const")
    except TypeError:
        if isinstance(value, (str, bytes, bool, int, float, complex, list, tuple, np.ndarray, np.generic)):
            raise
        raise TypeError(f"Failed to convert object of type {type(value)} to Tensor. Contents: {value}. Consider casting "
                        "elements to a supported type.") from None


def _pack(values, dtype, name):
    known = dtype or dtype_of(values)
    parts = [convert_to_tensor(item, known) for item in values]
    return get_default_graph().create_op("Pack", parts, {"axis": 0}, name or "packed").outputs[0]


def _densify(slices, name):
    from .op_library import apply_op
    if slices.dense_shape is None:
        raise ValueError(f"Tensor conversion requested for IndexedSlices without dense_shape: {slices}")
    return apply_op("UnsortedSegmentSum", slices.values, slices.indices, _first_dim(slices.dense_shape), name=name)


def _first_dim(dense_shape):
    from .op_library import apply_op
    one = np.array([1], np.int32)
    return apply_op("StridedSlice", dense_shape, np.array([0], np.int32), one, one, shrink_axis_mask=1)


def constant_value(tensor):
    """The value of a constant tensor as a numpy array, or None when only a step could tell."""
    if not isinstance(tensor, Tensor):
        as_tensor = getattr(tensor, "_as_tensor", None)
        return None if as_tensor is not None else np.asarray(_plain(tensor))
    if tensor.op.type == "Const":
        value = tensor.op._node.attr("value")
        return to_numpy(value.value(), dtypes.as_dtype(value.dtype))
    if tensor.op.type == "Shape":
        shape = tensor.op.inputs[0].shape
        if shape.is_fully_defined():
            return np.array(shape.as_list(), tensor.dtype.as_numpy_dtype)
    if tensor.op.type in ("Pack",):
        parts = [constant_value(t) for t in tensor.op.inputs]
        if all(p is not None for p in parts):
            return np.stack(parts, tensor.op.get_attr("axis"))
    if tensor.op.type == "Cast":
        inner = constant_value(tensor.op.inputs[0])
        return None if inner is None else inner.astype(tensor.dtype.as_numpy_dtype)
    return None


def constant_value_as_shape(tensor):
    """The shape that a vector of extents means, as far as it is known."""
    if isinstance(tensor, (list, tuple, TensorShape)) and not _contains_tensor(list(tensor) if not isinstance(tensor, TensorShape) else []):
        return as_shape(tensor)
    value = constant_value(tensor)
    if value is not None:
        return TensorShape([None if d < 0 else int(d) for d in np.atleast_1d(value)])
    if isinstance(tensor, Tensor) and tensor.op.type == "Pack":
        parts = [constant_value(t) for t in tensor.op.inputs]
        return TensorShape([None if p is None or p < 0 else int(p) for p in parts])
    rank = tensor.shape._dims[0] if isinstance(tensor, Tensor) and tensor.shape.rank == 1 else None
    return TensorShape(None if rank is None else [None] * rank)
