"""Random tensors: TensorFlow's Philox streams, equal at equal seeds."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import get_seed, name_scope, set_random_seed  # noqa: F401 - part of this module's surface
from ..framework.op_library import apply_op
from .array import _extents


def random_uniform(shape, minval=0, maxval=None, dtype=dtypes.float32, seed=None, name=None):
    """Numbers between minval (included) and maxval (excluded; 1 for floats)."""
    dtype = dtypes.as_dtype(dtype)
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    with name_scope(name or "random_uniform") as scope:
        seed1, seed2 = get_seed(seed)
        if dtype.is_integer:
            return apply_op("RandomUniformInt", _extents(shape), convert_to_tensor(minval, dtype, name="min"),
                            convert_to_tensor(maxval, dtype, name="max"), seed=seed1, seed2=seed2, name=scope)
        if type(minval) in (int, float) and type(maxval) in (int, float) and (minval, maxval) == (0, 1):
            return apply_op("RandomUniform", _extents(shape), dtype=dtype, seed=seed1, seed2=seed2)
        low = convert_to_tensor(minval, dtype, name="min")
        high = convert_to_tensor(maxval, dtype, name="max")
        numbers = apply_op("RandomUniform", _extents(shape), dtype=dtype, seed=seed1, seed2=seed2)
        width = apply_op("Sub", high, low, name="sub")
        return apply_op("AddV2", apply_op("Mul", numbers, width, name="mul"), low, name=scope)


def _normal(op_type, shape, mean, stddev, dtype, seed, name):
    dtype = dtypes.as_dtype(dtype)
    with name_scope(name) as scope:
        seed1, seed2 = get_seed(seed)
        mean = convert_to_tensor(mean, dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype, name="stddev")
        numbers = apply_op(op_type, _extents(shape), dtype=dtype, seed=seed1, seed2=seed2)
        return apply_op("AddV2", apply_op("Mul", numbers, stddev, name="mul"), mean, name=scope)


def random_normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """Normally distributed numbers."""
    return _normal("RandomStandardNormal", shape, mean, stddev, dtype, seed, name or "random_normal")


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """Normally distributed numbers, none farther than two standard deviations from the mean."""
    return _normal("TruncatedNormal", shape, mean, stddev, dtype, seed, name or "truncated_normal")


def random_shuffle(value, seed=None, name=None):
    """The rows in a random order."""
    seed1, seed2 = get_seed(seed)
    return apply_op("RandomShuffle", value, seed=seed1, seed2=seed2, name=name)


def multinomial(logits, num_samples, seed=None, name=None, output_dtype=None):
    """Class numbers drawn with probabilities softmax(logits), [batch, num_samples]."""
    seed1, seed2 = get_seed(seed)
    return apply_op("Multinomial", logits, np.int32(num_samples), seed=seed1, seed2=seed2,
                    output_dtype=output_dtype or dtypes.int64, name=name or "multinomial/Multinomial")


categorical = multinomial


def random_crop(value, size, seed=None, name=None):
    """A part of the given extents at a random place."""
    from .array import shape as shape_of, slice as slice_
    with name_scope(name or "random_crop") as scope:
        value = convert_to_tensor(value)
        size = convert_to_tensor(size, dtypes.int32)
        limit = apply_op("AddV2", apply_op("Sub", shape_of(value), size), 1)
        drawn = random_uniform([value.shape.rank], 0, 2**31 - 1, dtypes.int32, seed)
        return slice_(value, apply_op("FloorMod", drawn, limit), size, name=scope)
