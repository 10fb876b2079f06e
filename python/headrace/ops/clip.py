"""Values and gradients kept within bounds."""

from ..framework.convert import convert_to_tensor
from ..framework.graph import IndexedSlices, name_scope
from ..framework.op_library import apply_op
from . import array, math


def _values(t):
    return t.values if isinstance(t, IndexedSlices) else convert_to_tensor(t)


def _like(t, values):
    return IndexedSlices(values, t.indices, t.dense_shape) if isinstance(t, IndexedSlices) else values


def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    """Element-wise, not below the minimum and not above the maximum."""
    with name_scope(name or "clip_by_value") as scope:
        values = _values(t)
        low = math.minimum(values, convert_to_tensor(clip_value_max, values.dtype.base_dtype))
        return _like(t, math.maximum(low, convert_to_tensor(clip_value_min, values.dtype.base_dtype), name=scope))


def clip_by_norm(t, clip_norm, axes=None, name=None):
    """Scaled down where the l2 norm (over `axes`) is above `clip_norm`."""
    with name_scope(name or "clip_by_norm") as scope:
        values = _values(t)
        total = math.reduce_sum(math.square(values), axes, True)
        positive = math.greater(total, array.zeros_like(total))
        safe = array.where(positive, total, array.ones_like(total))
        length = array.where(positive, math.sqrt(safe), total)
        clip_norm = math.cast(clip_norm, values.dtype.base_dtype)
        return _like(t, math.truediv(values * clip_norm, math.maximum(length, clip_norm), name=scope))


def global_norm(t_list, name=None):
    """The l2 norm of all tensors together."""
    with name_scope(name or "global_norm"):
        halves = [apply_op("L2Loss", _values(t)) for t in t_list if t is not None]
        return math.sqrt(math.reduce_sum(array.stack(halves)) * 2.0, name="global_norm")


def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    """(the tensors scaled down together where their global norm is above `clip_norm`, that norm)."""
    norm = global_norm(t_list) if use_norm is None else use_norm
    with name_scope(name or "clip_by_global_norm"):
        scale = clip_norm * math.minimum(1.0 / norm, 1.0 / convert_to_tensor(clip_norm, norm.dtype))
        return [None if t is None else _like(t, _values(t) * scale) for t in t_list], norm


def clip_by_average_norm(t, clip_norm, name=None):
    """Scaled down where the norm divided by the number of elements is above `clip_norm`."""
    with name_scope(name or "clip_by_average_norm"):
        values = _values(t)
        count = math.cast(array.size(values), values.dtype.base_dtype)
        inverse = math.rsqrt(math.reduce_sum(math.square(values)))
        return values * clip_norm * math.minimum(inverse * count, 1.0 / clip_norm)
