"""Pooling."""

from .. import nn
from ..ops import array
from .base import InputSpec, Layer
from .convolution import channels_first, numbers, spatial


class _Pooling(Layer):
    """Base of the poolings over `rank` axes."""

    rank = 2
    _pool = None

    def __init__(self, pool_size, strides, padding="valid", data_format="channels_last", name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.pool_size = numbers(pool_size, self.rank, "pool_size")
        self.strides = numbers(pool_size if strides is None else strides, self.rank, "strides")
        self.padding, self.data_format, self._first = padding.upper(), data_format, channels_first(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        axis = 2 if self._first else 1
        if self.rank == 1:
            inputs = array.expand_dims(inputs, axis)
        ones = (1,) * (2 - self.rank)
        outputs = type(self)._pool(inputs, spatial(ones + self.pool_size, self._first), spatial(ones + self.strides, self._first),
                                   self.padding, data_format="NCHW" if self._first else "NHWC")
        return array.squeeze(outputs, [axis]) if self.rank == 1 else outputs


class MaxPooling2D(_Pooling):
    """The largest value of each window."""

    _pool = staticmethod(nn.max_pool)


class AveragePooling2D(_Pooling):
    """The mean of each window."""

    _pool = staticmethod(nn.avg_pool)


class MaxPooling1D(MaxPooling2D):
    """The largest value of each window, over one axis."""

    rank = 1


class AveragePooling1D(AveragePooling2D):
    """The mean of each window, over one axis."""

    rank = 1


def max_pooling2d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """The largest value of each window."""
    return MaxPooling2D(pool_size, strides, padding, data_format, name, _scope=name)(inputs)


def average_pooling2d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """The mean of each window."""
    return AveragePooling2D(pool_size, strides, padding, data_format, name, _scope=name)(inputs)


def max_pooling1d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """The largest value of each window, over one axis."""
    return MaxPooling1D(pool_size, strides, padding, data_format, name, _scope=name)(inputs)


def average_pooling1d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """The mean of each window, over one axis."""
    return AveragePooling1D(pool_size, strides, padding, data_format, name, _scope=name)(inputs)
