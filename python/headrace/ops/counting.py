"""Counts, histograms, orders and differences of values."""

import collections

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor, is_tensor_like
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from . import array, math

_UniqueWithCounts = collections.namedtuple("UniqueWithCounts", ("y", "idx", "count"))
_ListDiff = collections.namedtuple("ListDiff", ("out", "idx"))


def bincount(arr, weights=None, minlength=None, maxlength=None, dtype=dtypes.int32, name=None):
    """How often each number from 0 on occurs, or the sums of its weights."""
    with name_scope(name or "bincount"):
        arr = math.cast(arr, dtypes.int32)
        filled = math.cast(array.size(arr) > 0, dtypes.int32)
        size = filled * (math.reduce_max(arr) + 1)
        if minlength is not None:
            size = math.maximum(math.cast(minlength, dtypes.int32), size)
        if maxlength is not None:
            size = math.minimum(math.cast(maxlength, dtypes.int32), size)
        empty = np.zeros(0, dtypes.as_dtype(dtype).as_numpy_dtype)
        return apply_op("Bincount", arr, size, empty if weights is None else weights)


def confusion_matrix(labels, predictions, num_classes=None, dtype=dtypes.int32, name=None, weights=None):
    """The matrix [label, prediction] of counts, or of sums of weights."""
    with name_scope(name or "confusion_matrix"):
        labels = array.reshape(math.cast(labels, dtypes.int64), [-1])
        predictions = array.reshape(math.cast(predictions, dtypes.int64), [-1])
        if num_classes is None:
            num_classes = math.maximum(math.reduce_max(predictions), math.reduce_max(labels)) + 1
        num_classes = math.cast(num_classes, dtypes.int64)
        counts = array.ones_like(predictions, dtype) if weights is None else math.cast(array.reshape(weights, [-1]), dtype)
        return array.scatter_nd(array.stack([labels, predictions], 1), counts, array.stack([num_classes, num_classes]))


def count_nonzero(input_tensor=None, axis=None, keepdims=None, dtype=dtypes.int64, name=None, reduction_indices=None,
                  keep_dims=None, input=None):
    """How many elements are not zero, over all axes or some."""
    with name_scope(name or "count_nonzero"):
        x = convert_to_tensor(input if input_tensor is None else input_tensor)
        zero = "" if x.dtype.base_dtype is dtypes.string else np.zeros((), x.dtype.as_numpy_dtype)
        return math.reduce_sum(math.cast(math.not_equal(x, zero), dtype), axis, keepdims, reduction_indices=reduction_indices,
                               keep_dims=keep_dims)


def histogram_fixed_width(values, value_range, nbins=100, dtype=dtypes.int32, name=None):
    """How many values fall into each of `nbins` equal parts of the range; the outermost take what lies beyond."""
    with name_scope(name or "histogram_fixed_width"):
        places = histogram_fixed_width_bins(values, value_range, nbins)
        flat = array.reshape(places, [-1])
        return math.unsorted_segment_sum(array.ones_like(flat, dtype), flat, np.int32(nbins))


def histogram_fixed_width_bins(values, value_range, nbins=100, dtype=dtypes.int32, name=None):
    """Into which of `nbins` equal parts of the range each value falls."""
    with name_scope(name or "histogram_bins"):
        values = convert_to_tensor(values)
        low, high = array.unstack(convert_to_tensor(value_range, values.dtype.base_dtype), 2)
        share = math.cast(values - low, dtypes.float64) / math.cast(high - low, dtypes.float64)
        scaled = math.cast(math.floor(share * float(nbins)), dtypes.int32)
        return math.cast(math.minimum(math.maximum(scaled, 0), nbins - 1), dtype)


def unique_with_counts(x, out_idx=dtypes.int32, name=None):
    """(the different values, where each element's is, how often each occurs)."""
    with name_scope(name or "UniqueWithCounts"):
        y, idx = array.unique(x, out_idx)
        count = math.unsorted_segment_sum(array.ones_like(idx), idx, array.size(y))
        return _UniqueWithCounts(y, idx, count)


def setdiff1d(x, y, index_dtype=dtypes.int32, name=None):
    """(the values of x that y does not have, their places in x)."""
    with name_scope(name or "setdiff1d"):
        x = convert_to_tensor(x)
        y = convert_to_tensor(y, x.dtype.base_dtype)
        found = math.reduce_any(math.equal(array.expand_dims(x, 1), array.expand_dims(y, 0)), 1)
        places = array.reshape(array.where(math.logical_not(found)), [-1])
        return _ListDiff(array.gather(x, places), math.cast(places, index_dtype))


listdiff = setdiff1d


def argsort(values, axis=-1, direction="ASCENDING", stable=False, name=None):
    """The places of the values in their order along an axis; equal ones stay in order."""
    with name_scope(name or "argsort"):
        values = convert_to_tensor(values)
        rank = values.shape.rank
        axis = axis % rank
        order = [i for i in range(rank) if i != axis] + [axis]
        rows = values if axis == rank - 1 else array.transpose(values, order)
        if direction not in ("ASCENDING", "DESCENDING"):
            raise ValueError(f"Argument direction should be one of 'ASCENDING' or 'DESCENDING', got {direction}")
        if direction == "ASCENDING":
            kind = rows.dtype
            # Integers are mirrored in their range; their negative may not exist.
            rows = -1 - rows if kind.is_integer and not kind.is_unsigned else (
                np.array(kind.max, kind.as_numpy_dtype) - rows if kind.is_unsigned else -rows)
        count = rows.shape._dims[-1]
        places = apply_op("TopKV2", rows, array.shape(rows)[-1] if count is None else np.int32(count)).indices
        return places if axis == rank - 1 else array.transpose(places, list(np.argsort(order)))


def sort(values, axis=-1, direction="ASCENDING", name=None):
    """The values in their order along an axis."""
    with name_scope(name or "sort"):
        values = convert_to_tensor(values)
        rank = values.shape.rank
        axis = axis % rank
        return array.gather(values, argsort(values, axis, direction), axis=axis, batch_dims=axis) if axis == rank - 1 else \
            _swapped_sort(values, axis, rank, direction)


def _swapped_sort(values, axis, rank, direction):
    order = list(range(rank))
    order[axis], order[-1] = order[-1], order[axis]
    return array.transpose(sort(array.transpose(values, order), -1, direction), order)


def searchsorted(sorted_sequence, values, side="left", out_type=dtypes.int32, name=None):
    """For each value how many elements of its sorted row are below it ("left"), or not above it ("right")."""
    if side not in ("left", "right"):
        raise ValueError(f"side must be either 'right' or 'left'. Saw: {side}")
    with name_scope(name or "searchsorted"):
        rows = array.expand_dims(convert_to_tensor(sorted_sequence), -2)
        values = convert_to_tensor(values, rows.dtype.base_dtype)
        compare = math.less if side == "left" else math.less_equal
        return math.reduce_sum(math.cast(compare(rows, array.expand_dims(values, -1)), out_type), -1)


def roll(input, shift, axis, name=None):
    """The elements moved on by `shift` along the axes, the last ones to the front."""
    with name_scope(name or "roll"):
        x = convert_to_tensor(input)
        shifts = shift if isinstance(shift, (list, tuple)) else [shift]
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if is_tensor_like(axis) or len(shifts) != len(axes):
            raise ValueError(f"roll: shift {shift} and axis {axis} must be numbers, or lists of one length")
        for distance, along in zip(shifts, axes):
            known = x.shape._dims[along]
            extent = array.shape(x)[along] if known is None else known
            places = math.floormod(math.subtract(math.range(extent), distance), extent)
            shape = x.shape
            x = array.gather(x, places, axis=along % shape.rank)
            x.set_shape(shape)
        return x


def space_to_depth(input, block_size, name=None, data_format="NHWC"):
    """Blocks of pixels as channels: [b, h, w, c] becomes [b, h / n, w / n, n * n * c]."""
    if data_format != "NHWC":
        raise NotImplementedError("space_to_depth: NHWC only")
    with name_scope(name or "SpaceToDepth"):
        x = convert_to_tensor(input)
        rows, columns, depth = x.shape.as_list()[1:]
        blocks = array.reshape(x, [-1, rows // block_size, block_size, columns // block_size, block_size, depth])
        turned = array.transpose(blocks, [0, 1, 3, 2, 4, 5])
        return array.reshape(turned, [-1 if x.shape._dims[0] is None else x.shape._dims[0], rows // block_size,
                                      columns // block_size, block_size * block_size * depth])


def depth_to_space(input, block_size, name=None, data_format="NHWC"):
    """Channels as blocks of pixels: [b, h, w, n * n * c] becomes [b, h * n, w * n, c]."""
    if data_format != "NHWC":
        raise NotImplementedError("depth_to_space: NHWC only")
    with name_scope(name or "DepthToSpace"):
        x = convert_to_tensor(input)
        rows, columns, depth = x.shape.as_list()[1:]
        depth //= block_size * block_size
        blocks = array.reshape(x, [-1, rows, columns, block_size, block_size, depth])
        turned = array.transpose(blocks, [0, 1, 3, 2, 4, 5])
        return array.reshape(turned, [-1 if x.shape._dims[0] is None else x.shape._dims[0], rows * block_size,
                                      columns * block_size, depth])
