"""Blocks of pixels as batches, and back."""

import numpy as np

from ..framework.convert import constant_value, convert_to_tensor
from ..framework.graph import name_scope
from . import array


def _known(value, what):
    known = constant_value(value)
    if known is None:
        raise NotImplementedError(f"{what} has to be known when the graph is built")
    return np.asarray(known).tolist()


def space_to_batch_nd(input, block_shape, paddings, name=None):
    """Pads the axes after the first, then makes blocks of `block_shape` a part of the batch."""
    with name_scope(name or "SpaceToBatchND"):
        x = convert_to_tensor(input)
        block, paddings = _known(block_shape, "block_shape"), _known(paddings, "paddings")
        rest = x.shape.rank - 1 - len(block)
        x = array.pad(x, [[0, 0]] + paddings + [[0, 0]] * rest)
        extents = [array.shape(x)[i] if d is None else d for i, d in enumerate(x.shape._dims)]
        split, order, merged = [extents[0]], [], [extents[0] * int(np.prod(block))]
        for i, size in enumerate(block):
            split += [extents[i + 1] // size, size]
            order.append(2 * i + 2)
            merged.append(extents[i + 1] // size)
        inner = extents[1 + len(block):]
        order += [0] + [2 * i + 1 for i in range(len(block))] + [1 + 2 * len(block) + i for i in range(rest)]
        return array.reshape(array.transpose(array.reshape(x, split + inner), order), merged + inner)


def batch_to_space_nd(input, block_shape, crops, name=None):
    """Parts of the batch as blocks of `block_shape` in the axes after the first, which are then cropped."""
    with name_scope(name or "BatchToSpaceND"):
        x = convert_to_tensor(input)
        block, crops = _known(block_shape, "block_shape"), _known(crops, "crops")
        count, rest = len(block), x.shape.rank - 1 - len(block)
        extents = [array.shape(x)[i] if d is None else d for i, d in enumerate(x.shape._dims)]
        batch, inner = extents[0] // int(np.prod(block)), extents[1 + count:]
        order, merged = [count], [batch]
        for i, size in enumerate(block):
            order += [count + 1 + i, i]
            merged.append(extents[1 + i] * size)
        order += [1 + 2 * count + i for i in range(rest)]
        x = array.transpose(array.reshape(x, block + [batch] + extents[1:]), order)
        x = array.reshape(x, merged + inner)
        begin = [0] + [before for before, _ in crops] + [0] * rest
        size = [-1] + [extent - before - after for extent, (before, after) in zip(merged[1:], crops)] + [-1] * rest
        return array.slice(x, begin, size)


def space_to_batch(input, paddings, block_size=None, name=None, block_shape=None):
    """space_to_batch_nd over height and width, with square blocks (or the given `block_shape`)."""
    return space_to_batch_nd(input, [block_size] * 2 if block_shape is None else block_shape, paddings, name or "SpaceToBatch")


def batch_to_space(input, crops, block_size=None, name=None, block_shape=None):
    """batch_to_space_nd over height and width, with square blocks (or the given `block_shape`)."""
    return batch_to_space_nd(input, [block_size] * 2 if block_shape is None else block_shape, crops, name or "BatchToSpace")
