"""Slices, x[...]: of tensors parts, of variables also places to assign to."""

import builtins

import numpy as np

from ..framework import dtypes
from ..framework.convert import constant, convert_to_tensor, dtype_of, is_tensor_like
from ..framework.graph import Tensor, name_scope
from ..framework.op_library import apply_op
from ..framework.variables import Variable, _Assigned
from . import array


def strided_slice(input_, begin, end, strides=None, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0,
                  shrink_axis_mask=0, var=None, name=None):
    """Every `strides`-th element from begin to end, axis by axis; see Python's slices for the masks' meaning.

    With a variable as `var` the result has a method `assign`.
    """
    if strides is None:
        strides = np.ones(len(begin), np.int32)
    parts = [array._extents(p) for p in (begin, end, strides)]
    masks = dict(begin_mask=begin_mask, end_mask=end_mask, ellipsis_mask=ellipsis_mask, new_axis_mask=new_axis_mask,
                 shrink_axis_mask=shrink_axis_mask)
    return _assignable(apply_op("StridedSlice", input_, *parts, name=name, **masks), var, parts, masks)


def _getitem(x, key):
    """x[...] as numpy has it: numbers, slices, `...`, None (a new axis); also a bool tensor as a mask."""
    if isinstance(key, (Tensor, Variable)) and key.dtype.base_dtype is dtypes.bool_:
        return array.boolean_mask(x, key)
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
    with name_scope("strided_slice") as scope:
        parts = [_index_vector(part, n) for part, n in ((begin, "stack"), (end, "stack_1"), (strides, "stack_2"))]
        if any(p.dtype.base_dtype is dtypes.int64 for p in parts):
            parts = [p if p.dtype.base_dtype is dtypes.int64 else apply_op("Cast", p, DstT=dtypes.int64) for p in parts]
        part = apply_op("StridedSlice", x, *parts, name=scope, **masks)
    if part.shape.rank is None:
        part.set_shape(_part_shape(convert_to_tensor(x).shape, keys))
    return _assignable(part, x, parts, masks)


def _assignable(part, variable, parts, masks):
    """The part of a variable's value, with a method `assign`; of other tensors just the part."""
    if isinstance(variable, Variable):
        default = part.op.name + "/_assign"
        part.assign = lambda value, name=None: _assign(variable, parts, masks, value, name, default)
    return part


def _assign(variable, parts, masks, value, name, default):
    """Sets that part of the variable when it runs, to a value that is broadcast to it; the result is the variable after that."""
    with name_scope(None):  # the default name is a full one
        value = convert_to_tensor(value, variable.dtype, name="value")
        if variable.handle.dtype.base_dtype is not dtypes.resource:
            return apply_op("StridedSliceAssign", variable, *parts, value, name=name or default, **masks)
        changed = apply_op("ResourceStridedSliceAssign", variable.handle, *parts, value, name=name or default, **masks)
        return _Assigned(variable, changed)


def _part_shape(whole, keys):
    """What is known of the shape of x[keys] where some indices are tensors."""
    if whole.rank is None:
        return None
    used = sum(1 for key in keys if key is not None and key is not Ellipsis)
    rest, dims, result = whole.rank - used, list(whole._dims), []
    for key in (*keys, *([] if Ellipsis in [k for k in keys if not is_tensor_like(k)] else [Ellipsis])):
        if key is None:
            result.append(1)
        elif key is Ellipsis:
            result += dims[:rest]
            dims = dims[rest:]
        else:
            extent = dims.pop(0)
            if isinstance(key, builtins.slice):
                result.append(extent if key.start is None and key.stop is None and key.step in (None, 1, -1) else None)
    return result


def _index_vector(items, name):
    if any(is_tensor_like(item) for item in items):
        known = dtype_of(items)
        return convert_to_tensor([item if is_tensor_like(item) else int(item) for item in items], known, name=name)
    return constant(np.asarray(items, np.int32), name=name)


for _cls in (Tensor, Variable, _Assigned):
    _cls.__getitem__ = _getitem
