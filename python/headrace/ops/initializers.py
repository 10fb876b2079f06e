"""Initializers: callables (shape, dtype) -> tensor for new variables."""

import math

import numpy as np

from ..framework import convert, dtypes
from ..framework.variables import global_variables_initializer, local_variables_initializer, variables_initializer
from . import array, random


class Initializer:
    """Base of all. `dtype` is what a call without one uses."""

    dtype = dtypes.float32

    def __call__(self, shape, dtype=None, partition_info=None):
        raise NotImplementedError

    def get_config(self):
        return {k: v for k, v in self.__dict__.items() if not k.startswith("_")}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def _type(self, dtype):
        return dtypes.as_dtype(dtype or self.dtype)


class Zeros(Initializer):
    """Zeros."""

    def __init__(self, dtype=dtypes.float32):
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        return array.zeros(shape, self._type(dtype))


class Ones(Initializer):
    """Ones."""

    def __init__(self, dtype=dtypes.float32):
        self.dtype = dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        return array.ones(shape, self._type(dtype))


class Constant(Initializer):
    """One value everywhere, or an array that is reshaped."""

    def __init__(self, value=0, dtype=dtypes.float32, verify_shape=False):
        self.value = value
        self.dtype = dtypes.as_dtype(dtype)
        self._verify = verify_shape

    def __call__(self, shape, dtype=None, partition_info=None, verify_shape=None):
        return convert.constant(self.value, self._type(dtype), shape, verify_shape=bool(verify_shape or self._verify))


class RandomUniform(Initializer):
    """Uniform between minval and maxval."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None, dtype=dtypes.float32):
        self.minval, self.maxval, self.seed, self.dtype = minval, maxval, seed, dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        return random.random_uniform(shape, self.minval, self.maxval, self._type(dtype), self.seed)


class RandomNormal(Initializer):
    """Normal with mean and stddev."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None, dtype=dtypes.float32):
        self.mean, self.stddev, self.seed, self.dtype = mean, stddev, seed, dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        return random.random_normal(shape, self.mean, self.stddev, self._type(dtype), self.seed)


class TruncatedNormal(Initializer):
    """Normal with mean and stddev, cut at two standard deviations."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None, dtype=dtypes.float32):
        self.mean, self.stddev, self.seed, self.dtype = mean, stddev, seed, dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        return random.truncated_normal(shape, self.mean, self.stddev, self._type(dtype), self.seed)


class random_normal_initializer(RandomNormal):
    """Normal with mean 0 and stddev 1 unless told otherwise."""

    def __init__(self, mean=0.0, stddev=1.0, seed=None, dtype=dtypes.float32):
        super().__init__(mean, stddev, seed, dtype)


class truncated_normal_initializer(TruncatedNormal):
    """Normal with mean 0 and stddev 1 unless told otherwise, cut at two standard deviations."""

    def __init__(self, mean=0.0, stddev=1.0, seed=None, dtype=dtypes.float32):
        super().__init__(mean, stddev, seed, dtype)


class random_uniform_initializer(RandomUniform):
    """Uniform between 0 and 1 unless told otherwise; of integers up to `maxval`."""

    def __init__(self, minval=0.0, maxval=None, seed=None, dtype=dtypes.float32):
        super().__init__(minval, maxval, seed, dtype)


class VarianceScaling(Initializer):
    """Random with a variance of scale / n, n being the inputs ("fan_in"), outputs ("fan_out") or their mean ("fan_avg").

    Source: Glorot and Bengio 2010, He et al. 2015.
    """

    def __init__(self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None, dtype=dtypes.float32):
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be a positive float. Received: {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Argument `mode` should be one of ('fan_in', 'fan_out', 'fan_avg'). Received: {mode}")
        distribution = {"normal": "truncated_normal"}.get(distribution.lower(), distribution.lower())
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(f"Argument `distribution` is unknown: {distribution}")
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.seed, self.dtype = seed, dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        dtype = self._type(dtype)
        shape = [int(d) for d in shape]
        fan_in, fan_out = _fans(getattr(partition_info, "full_shape", None) or shape)
        scale = self.scale / max(1.0, {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode])
        if self.distribution == "truncated_normal":
            # The constant is the standard deviation of a standard normal cut at two standard deviations.
            return random.truncated_normal(shape, 0.0, math.sqrt(scale) / .87962566103423978, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.random_normal(shape, 0.0, math.sqrt(scale), dtype, self.seed)
        limit = math.sqrt(3.0 * scale)
        return random.random_uniform(shape, -limit, limit, dtype, self.seed)


def _fans(shape):
    if len(shape) < 1:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    if len(shape) == 2:
        return shape[0], shape[1]
    field = int(np.prod(shape[:-2]))
    return shape[-2] * field, shape[-1] * field


class GlorotUniform(VarianceScaling):
    """Uniform within sqrt(6 / (inputs + outputs))."""

    def __init__(self, seed=None, dtype=dtypes.float32):
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype)


class GlorotNormal(VarianceScaling):
    """Normal with a variance of 2 / (inputs + outputs)."""

    def __init__(self, seed=None, dtype=dtypes.float32):
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype)


def he_normal(seed=None):
    return VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


def he_uniform(seed=None):
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


def lecun_normal(seed=None):
    return VarianceScaling(1.0, "fan_in", "truncated_normal", seed)


def lecun_uniform(seed=None):
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


class UniformUnitScaling(VarianceScaling):
    """Uniform within factor * sqrt(3 / inputs)."""

    def __init__(self, factor=1.0, seed=None, dtype=dtypes.float32):
        super().__init__(factor * factor, "fan_in", "uniform", seed, dtype)


class Identity(Initializer):
    """Ones on the diagonal of a matrix, times `gain`."""

    def __init__(self, gain=1.0, dtype=dtypes.float32):
        self.gain, self.dtype = gain, dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        return convert.constant(self.gain * np.eye(*[int(d) for d in shape]), self._type(dtype))


class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, times `gain`, drawn when the graph is built."""

    def __init__(self, gain=1.0, seed=None, dtype=dtypes.float32):
        self.gain, self.seed, self.dtype = gain, seed, dtypes.as_dtype(dtype)

    def __call__(self, shape, dtype=None, partition_info=None):
        shape = [int(d) for d in shape]
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        drawn = np.random.default_rng(self.seed).standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(drawn)
        q = q * np.sign(np.diag(r))
        return convert.constant((self.gain * (q if rows >= columns else q.T)).reshape(shape), self._type(dtype))


zeros_initializer, ones_initializer, constant_initializer = Zeros, Ones, Constant
glorot_uniform_initializer, glorot_normal_initializer = GlorotUniform, GlorotNormal
variance_scaling_initializer, uniform_unit_scaling_initializer = VarianceScaling, UniformUnitScaling
orthogonal_initializer, identity_initializer = Orthogonal, Identity
zeros, ones, random_normal, random_uniform, truncated_normal = Zeros, Ones, random_normal_initializer, \
    random_uniform_initializer, truncated_normal_initializer
constant, variance_scaling, orthogonal, identity, glorot_uniform, glorot_normal = Constant, VarianceScaling, Orthogonal, \
    Identity, GlorotUniform, GlorotNormal
uniform_unit_scaling = UniformUnitScaling
global_variables, local_variables, variables = global_variables_initializer, local_variables_initializer, variables_initializer


def tables_initializer(name="init_all_tables"):
    """An operation that fills all tables."""
    from .. import lookup
    return lookup.tables_initializer(name)
