"""Convolutions."""

from .. import nn
from ..framework.op_library import apply_op
from ..ops import array, initializers
from .base import InputSpec, Layer


def numbers(value, count, what):
    """A tuple of `count` ints from one int, or from a list of so many."""
    if isinstance(value, int):
        return (value,) * count
    value = tuple(int(v) for v in value)
    if len(value) != count:
        raise ValueError(f"The `{what}` argument must be a tuple of {count} integers. Received: {value}")
    return value


def channels_first(data_format):
    """Whether the channel axis comes second. Raises ValueError for an unknown name."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError("The `data_format` argument must be one of \"channels_first\", \"channels_last\". "
                         f"Received: {data_format}")
    return data_format == "channels_first"


def spatial(values, first):
    """[1, *values, 1], or [1, 1, *values] for channels first."""
    return [1, 1, *values] if first else [1, *values, 1]


class _Conv(Layer):
    """Base of the convolutions over `rank` axes. Variables: kernel, bias."""

    rank = 2

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format="channels_last", dilation_rate=1,
                 activation=None, use_bias=True, kernel_initializer=None, bias_initializer=initializers.zeros_initializer(),
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, trainable=True, name=None, **kwargs):
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.kernel_size = int(filters), numbers(kernel_size, self.rank, "kernel_size")
        self.strides = numbers(strides, self.rank, "strides")
        self.dilation_rate = numbers(dilation_rate, self.rank, "dilation_rate")
        if padding.lower() not in ("valid", "same"):
            raise ValueError(f"The `padding` argument must be one of \"valid\", \"same\". Received: {padding}")
        self.padding, self.data_format, self._first = padding.lower(), data_format, channels_first(data_format)
        self.activation, self.use_bias = activation, use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _axis(self):
        return 1 if self._first else -1

    @property
    def _format(self):
        return "NCHW" if self._first else "NHWC"

    def _kernel_shape(self, channels):
        return [*self.kernel_size, channels, self.filters]

    def build(self, input_shape):
        channels = self._channels(input_shape, self._axis)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._axis: channels})
        self.kernel = self.add_variable("kernel", self._kernel_shape(channels), initializer=self.kernel_initializer,
                                        regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self._add_bias()

    def _add_bias(self):
        self.bias = self.add_variable("bias", [self.filters], initializer=self.bias_initializer,
                                      regularizer=self.bias_regularizer,
                                      constraint=self.bias_constraint) if self.use_bias else None

    def _finish(self, outputs):
        if self.use_bias:
            outputs = nn.bias_add(outputs, self.bias, data_format=self._format)
        return outputs if self.activation is None else self.activation(outputs)


class Conv2D(_Conv):
    """Convolution of [batch, height, width, channels] (or channels second)."""

    def call(self, inputs):
        return self._finish(nn.conv2d(inputs, self.kernel, spatial(self.strides, self._first), self.padding.upper(),
                                      data_format=self._format, dilations=spatial(self.dilation_rate, self._first)))


class Conv1D(_Conv):
    """Convolution of [batch, width, channels] (or channels second)."""

    rank = 1

    def call(self, inputs):
        axis = 2 if self._first else 1
        wide = nn.conv2d(array.expand_dims(inputs, axis), array.expand_dims(self.kernel, 0),
                         spatial((1, *self.strides), self._first), self.padding.upper(), data_format=self._format,
                         dilations=spatial((1, *self.dilation_rate), self._first))
        outputs = array.squeeze(wide, [axis])
        if self.use_bias:
            outputs = outputs + (array.reshape(self.bias, [1, -1, 1]) if self._first else self.bias)
        return outputs if self.activation is None else self.activation(outputs)


class Conv2DTranspose(_Conv):
    """The transpose of a convolution: its output has the extents of what the convolution would take. The kernel is
    [height, width, filters, channels]."""

    def _kernel_shape(self, channels):
        return [*self.kernel_size, self.filters, channels]

    def _extent(self, extent, axis):
        """The output's extent along a spatial axis: of an int, or of a tensor."""
        extent = extent * self.strides[axis]
        return extent if self.padding == "same" else extent + max(self.kernel_size[axis] - self.strides[axis], 0)

    def call(self, inputs):
        places = (2, 3) if self._first else (1, 2)
        extents, known = array.shape(inputs), inputs.shape._dims
        sizes = [self._extent(extents[p] if known[p] is None else known[p], i) for i, p in enumerate(places)]
        batch = extents[0] if known[0] is None else known[0]
        shape = [batch, self.filters, *sizes] if self._first else [batch, *sizes, self.filters]
        outputs = nn.conv2d_transpose(inputs, self.kernel, shape, spatial(self.strides, self._first), self.padding.upper(),
                                      data_format=self._format)
        static = [None if known[p] is None else self._extent(known[p], i) for i, p in enumerate(places)]
        outputs.set_shape([known[0], self.filters, *static] if self._first else [known[0], *static, self.filters])
        return self._finish(outputs)


class SeparableConv2D(_Conv):
    """Each channel convolved by itself, then a 1 x 1 convolution. Variables: depthwise_kernel, pointwise_kernel, bias."""

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format="channels_last", dilation_rate=1,
                 depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer=None, pointwise_initializer=None,
                 bias_initializer=initializers.zeros_initializer(), depthwise_regularizer=None, pointwise_regularizer=None,
                 bias_regularizer=None, activity_regularizer=None, trainable=True, name=None, **kwargs):
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
                         activity_regularizer=activity_regularizer, trainable=trainable, name=name, **kwargs)
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer, self.pointwise_initializer = depthwise_initializer, pointwise_initializer
        self.depthwise_regularizer, self.pointwise_regularizer = depthwise_regularizer, pointwise_regularizer

    def build(self, input_shape):
        channels = self._channels(input_shape, self._axis)
        self.depthwise_kernel = self.add_variable(
            "depthwise_kernel", [*self.kernel_size, channels, self.depth_multiplier], initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer)
        self.pointwise_kernel = self.add_variable(
            "pointwise_kernel", [1, 1, channels * self.depth_multiplier, self.filters], initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer)
        self._add_bias()

    def call(self, inputs):
        separate = apply_op("DepthwiseConv2dNative", inputs, self.depthwise_kernel,
                            strides=spatial(self.strides, self._first), padding=self.padding.upper(),
                            data_format=self._format, dilations=spatial(self.dilation_rate, self._first),
                            name="separable_conv2d/depthwise")
        return self._finish(nn.conv2d(separate, self.pointwise_kernel, [1, 1, 1, 1], "VALID", data_format=self._format,
                                      name="separable_conv2d"))


def conv2d(inputs, filters, kernel_size, strides=(1, 1), padding="valid", data_format="channels_last", dilation_rate=(1, 1),
           activation=None, use_bias=True, kernel_initializer=None, bias_initializer=initializers.zeros_initializer(),
           kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
           bias_constraint=None, trainable=True, name=None, reuse=None):
    """activation(convolution with `filters` kernels + bias)."""
    return Conv2D(filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, kernel_initializer,
                  bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
                  bias_constraint, trainable, name, _scope=name, _reuse=reuse)(inputs)


def conv1d(inputs, filters, kernel_size, strides=1, padding="valid", data_format="channels_last", dilation_rate=1,
           activation=None, use_bias=True, kernel_initializer=None, bias_initializer=initializers.zeros_initializer(),
           kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
           bias_constraint=None, trainable=True, name=None, reuse=None):
    """activation(convolution over one axis with `filters` kernels + bias)."""
    return Conv1D(filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, kernel_initializer,
                  bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
                  bias_constraint, trainable, name, _scope=name, _reuse=reuse)(inputs)


def conv2d_transpose(inputs, filters, kernel_size, strides=(1, 1), padding="valid", data_format="channels_last",
                     activation=None, use_bias=True, kernel_initializer=None,
                     bias_initializer=initializers.zeros_initializer(), kernel_regularizer=None, bias_regularizer=None,
                     activity_regularizer=None, kernel_constraint=None, bias_constraint=None, trainable=True, name=None,
                     reuse=None):
    """activation(the transpose of a convolution + bias)."""
    return Conv2DTranspose(filters, kernel_size, strides, padding, data_format, 1, activation, use_bias, kernel_initializer,
                           bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
                           bias_constraint, trainable, name, _scope=name, _reuse=reuse)(inputs)


def separable_conv2d(inputs, filters, kernel_size, strides=(1, 1), padding="valid", data_format="channels_last",
                     dilation_rate=(1, 1), depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer=None,
                     pointwise_initializer=None, bias_initializer=initializers.zeros_initializer(), depthwise_regularizer=None,
                     pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, trainable=True, name=None,
                     reuse=None):
    """activation(each channel convolved by itself, then mixed by a 1 x 1 convolution, + bias)."""
    return SeparableConv2D(filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier, activation,
                           use_bias, depthwise_initializer, pointwise_initializer, bias_initializer, depthwise_regularizer,
                           pointwise_regularizer, bias_regularizer, activity_regularizer, trainable, name, _scope=name,
                           _reuse=reuse)(inputs)
