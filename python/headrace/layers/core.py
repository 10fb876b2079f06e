"""Dense, dropout, flatten."""

from .. import nn
from ..framework.convert import is_tensor_like
from ..ops import array, initializers, math
from ..ops.control_flow import smart_cond
from .base import InputSpec, Layer


class Dense(Layer):
    """activation(inputs x kernel + bias), over the last axis. Variables: kernel [inputs, units], bias [units]."""

    def __init__(self, units, activation=None, use_bias=True, kernel_initializer=None,
                 bias_initializer=initializers.zeros_initializer(), kernel_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, kernel_constraint=None, bias_constraint=None, trainable=True, name=None, **kwargs):
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self.units, self.activation, self.use_bias = int(units), activation, use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape):
        width = self._channels(input_shape, -1)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: width})
        self.kernel = self.add_variable("kernel", [width, self.units], initializer=self.kernel_initializer,
                                        regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.bias = self.add_variable("bias", [self.units], initializer=self.bias_initializer,
                                      regularizer=self.bias_regularizer,
                                      constraint=self.bias_constraint) if self.use_bias else None

    def call(self, inputs):
        if inputs.shape.rank not in (2, None):
            outputs = math.tensordot(inputs, self.kernel, [[inputs.shape.rank - 1], [0]])
        else:
            outputs = math.matmul(inputs, self.kernel)
        if self.use_bias:
            outputs = nn.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)


def dense(inputs, units, activation=None, use_bias=True, kernel_initializer=None,
          bias_initializer=initializers.zeros_initializer(), kernel_regularizer=None, bias_regularizer=None,
          activity_regularizer=None, kernel_constraint=None, bias_constraint=None, trainable=True, name=None, reuse=None):
    """activation(inputs x kernel + bias), over the last axis."""
    return Dense(units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                 activity_regularizer, kernel_constraint, bias_constraint, trainable, name, _scope=name, _reuse=reuse)(inputs)


class Dropout(Layer):
    """Zeros the share `rate` of the elements while training, and scales the rest up by 1 / (1 - rate)."""

    def __init__(self, rate=0.5, noise_shape=None, seed=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def call(self, inputs, training=False):
        return smart_cond(training, lambda: self._dropped(inputs), lambda: array.identity(inputs))

    def _dropped(self, inputs):
        if not is_tensor_like(self.rate) and self.rate == 1:
            return array.zeros_like(inputs)
        return nn.dropout(inputs, rate=self.rate, noise_shape=self.noise_shape, seed=self.seed)


def dropout(inputs, rate=0.5, noise_shape=None, seed=None, training=False, name=None):
    """Zeros the share `rate` of the elements where `training` (a bool, or a bool tensor) is true."""
    return Dropout(rate, noise_shape, seed, name, _scope=name)(inputs, training=training)


class Flatten(Layer):
    """[batch, ...] as [batch, everything else]."""

    def __init__(self, data_format="channels_last", **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        rank = inputs.shape.rank
        if self.data_format == "channels_first" and rank is not None and rank > 2:
            inputs = array.transpose(inputs, [0, *range(2, rank), 1])
        if rank == 1:
            return array.expand_dims(inputs, -1)
        rest = None if rank is None else inputs.shape[1:].num_elements()
        if rest is not None and inputs.shape._dims[0] is None:
            return array.reshape(inputs, [-1, rest])
        if rest is not None:
            return array.reshape(inputs, [inputs.shape._dims[0], rest])
        extents = array.shape(inputs)
        flat = array.reshape(inputs, array.stack([extents[0], math.reduce_prod(extents[1:])]))
        flat.set_shape([None if rank is None else inputs.shape._dims[0], None])
        return flat


def flatten(inputs, name=None, data_format="channels_last"):
    """[batch, ...] as [batch, everything else]."""
    return Flatten(data_format, name=name, _scope=name)(inputs)
