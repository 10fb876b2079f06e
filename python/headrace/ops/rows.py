"""Rows sorted, repeated, masked and put together."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor, is_tensor_like
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from . import array, math


def dynamic_partition(data, partitions, num_partitions, name=None):
    """Rows sorted into so many tensors by their number in `partitions`."""
    return apply_op("DynamicPartition", data, partitions, num_partitions=num_partitions, name=name)


def dynamic_stitch(indices, data, name=None):
    """Rows put together from several tensors at the given indices."""
    return apply_op("DynamicStitch", list(indices), list(data), name=name)


def sequence_mask(lengths, maxlen=None, dtype=dtypes.bool_, name=None):
    """True for the first `lengths[i]` of `maxlen` positions."""
    with name_scope(name or "SequenceMask"):
        lengths = convert_to_tensor(lengths)
        kind = lengths.dtype.as_numpy_dtype
        if maxlen is None:
            maxlen = apply_op("Max", lengths, np.arange(lengths.shape.rank, dtype=np.int32))
        positions = apply_op("Range", kind(0), maxlen if is_tensor_like(maxlen) else kind(maxlen), kind(1))
        mask = apply_op("Less", positions, array.expand_dims(lengths, -1))
        return mask if dtypes.as_dtype(dtype) is dtypes.bool_ else apply_op("Cast", mask, DstT=dtype)


def reverse_sequence(input, seq_lengths=None, seq_axis=None, batch_axis=None, name=None, seq_dim=None, batch_dim=None):
    """Each sequence turned round in its first `seq_lengths[i]` places."""
    seq_axis = (seq_dim or 0) if seq_axis is None else seq_axis
    batch_axis = (batch_dim or 0) if batch_axis is None else batch_axis
    with name_scope(name or "ReverseSequence"):
        x = convert_to_tensor(input)
        order = [batch_axis, seq_axis] + [i for i in range(x.shape.rank) if i not in (batch_axis, seq_axis)]
        lengths = array.expand_dims(apply_op("Cast", convert_to_tensor(seq_lengths), DstT=dtypes.int32), 1)
        rows = array.transpose(x, order)
        places = array.expand_dims(apply_op("Range", 0, array.shape(rows)[1], 1), 0)
        turned = apply_op("SelectV2", apply_op("Less", places, lengths), lengths - 1 - places,
                          apply_op("BroadcastTo", places, array.shape(rows)[:2]))
        result = array.transpose(array.gather(rows, turned, axis=1, batch_dims=1), list(np.argsort(order)))
        result.set_shape(x.shape)
        return result


def meshgrid(*args, indexing="xy", name="meshgrid"):
    """Coordinate matrices from coordinate vectors, as numpy's."""
    with name_scope(name):
        count = len(args)
        outputs = []
        for i, x in enumerate(args):
            dims = [1] * count
            dims[i] = -1
            outputs.append(array.reshape(array.stack(x) if isinstance(x, list) else x, dims))
        sizes = [array.size(x) for x in args]
        if indexing == "xy" and count > 1:
            swap = [1, 0] + list(range(2, count))
            outputs = [array.transpose(x, swap) for x in outputs]
            sizes[0], sizes[1] = sizes[1], sizes[0]
        return [array.broadcast_to(x, array.stack(sizes)) for x in outputs]


def repeat(input, repeats, axis=None, name=None):
    """Each element repeated so many times."""
    x = convert_to_tensor(input)
    if axis is None:
        x, axis = array.reshape(x, [-1]), 0
    axis = axis % x.shape.rank
    expanded = array.expand_dims(x, axis + 1)
    multiples = [1] * (x.shape.rank + 1)
    multiples[axis + 1] = repeats
    dims = [-1 if d is None else d for d in x.shape._dims]
    dims[axis] = dims[axis] * repeats if dims[axis] >= 0 else -1
    return array.reshape(array.tile(expanded, multiples), dims, name)


def _over_counts(public_name, scope_name, root):
    def function(data, segment_ids, num_segments, name=None):
        with name_scope(name or scope_name):
            data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
            total = math.unsorted_segment_sum(data, segment_ids, num_segments)
            ones = array.ones(array.shape(segment_ids), data.dtype.base_dtype)
            count = math.maximum(math.unsorted_segment_sum(ones, segment_ids, num_segments), 1)
            count = math.sqrt(count) if root else count
            inner = data.shape.rank - segment_ids.shape.rank
            return total / array.reshape(count, array.concat([array.shape(count), np.ones(inner, np.int32)], 0))

    function.__name__ = function.__qualname__ = public_name
    function.__doc__ = f"Sums of rows with equal ids over {'the root of ' if root else ''}their number (at least 1)."
    return function


unsorted_segment_mean = _over_counts("unsorted_segment_mean", "UnsortedSegmentMean", False)
unsorted_segment_sqrt_n = _over_counts("unsorted_segment_sqrt_n", "UnsortedSegmentSqrtN", True)
