"""Batch normalization."""

import numpy as np

from .. import nn
from ..framework import dtypes
from ..framework.convert import constant_value, convert_to_tensor, is_tensor_like
from ..framework.graph import get_default_graph
from ..ops import array, initializers, math
from ..ops.control_flow import smart_cond
from .base import InputSpec, Layer


class BatchNormalization(Layer):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, for each channel.

    In training the mean and variance are the batch's, and `updates` moves the moving averages; else they are the moving ones.
    Variables: gamma, beta, moving_mean, moving_variance. `fused` (None: where possible) takes one op for it, of 4-D inputs.
    Source: Ioffe and Szegedy 2015.
    """

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True,
                 beta_initializer=initializers.zeros_initializer(), gamma_initializer=initializers.ones_initializer(),
                 moving_mean_initializer=initializers.zeros_initializer(),
                 moving_variance_initializer=initializers.ones_initializer(), beta_regularizer=None, gamma_regularizer=None,
                 beta_constraint=None, gamma_constraint=None, renorm=False, renorm_clipping=None, renorm_momentum=0.99,
                 fused=None, trainable=True, virtual_batch_size=None, adjustment=None, name=None, **kwargs):
        super().__init__(trainable, name, **kwargs)
        for what, given in (("renorm", renorm), ("virtual_batch_size", virtual_batch_size), ("adjustment", adjustment)):
            if given:
                raise NotImplementedError(f"batch_normalization: {what} is not there")
        if isinstance(axis, (list, tuple)) and len(axis) != 1:
            raise NotImplementedError("batch_normalization: there is one axis only")
        self.axis = axis[0] if isinstance(axis, (list, tuple)) else axis
        self.momentum, self.epsilon, self.center, self.scale, self.fused = momentum, epsilon, center, scale, fused
        self.beta_initializer, self.gamma_initializer = beta_initializer, gamma_initializer
        self.moving_mean_initializer, self.moving_variance_initializer = moving_mean_initializer, moving_variance_initializer
        self.beta_regularizer, self.gamma_regularizer = beta_regularizer, gamma_regularizer
        self.beta_constraint, self.gamma_constraint = beta_constraint, gamma_constraint

    def build(self, input_shape):
        if input_shape.rank is None:
            raise ValueError("Input has undefined rank")
        self.axis = self.axis % input_shape.rank
        channels = self._channels(input_shape, self.axis)
        self.input_spec = InputSpec(ndim=input_shape.rank, axes={self.axis: channels})
        can_fuse = input_shape.rank == 4 and self.axis in (1, 3)
        if self.fused and not can_fuse:
            raise ValueError("Fused batch normalization takes 4-D inputs with axis 1 or 3 only")
        self.fused = can_fuse if self.fused is None else self.fused
        kind = dtypes.float32 if self._dtype in (dtypes.float16, dtypes.bfloat16) else self._dtype
        self.gamma = self.add_variable("gamma", [channels], kind, self.gamma_initializer, self.gamma_regularizer,
                                       constraint=self.gamma_constraint) if self.scale else None
        self.beta = self.add_variable("beta", [channels], kind, self.beta_initializer, self.beta_regularizer,
                                      constraint=self.beta_constraint) if self.center else None
        self.moving_mean = self.add_variable("moving_mean", [channels], kind, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_variable("moving_variance", [channels], kind, self.moving_variance_initializer,
                                                 trainable=False)

    def call(self, inputs, training=False):
        training = training if is_tensor_like(training) else bool(training)
        known = constant_value(training) if is_tensor_like(training) else training
        outputs, mean, variance = (self._fused if self.fused else self._plain)(inputs, training)
        if known is None or known:
            moved = [self._moved(self.moving_mean, mean, training), self._moved(self.moving_variance, variance, training)]
            self.add_update(moved)
        return outputs

    def _moved(self, moving, value, training):
        """The operation moving -= (moving - value) * (1 - momentum), and nothing outside of training."""
        with get_default_graph().name_scope("AssignMovingAvg"), get_default_graph().colocate_with(moving.op):
            rate = convert_to_tensor(1.0 - self.momentum, moving.dtype.base_dtype, name="decay")
            if is_tensor_like(training):
                rate = rate * math.cast(training, moving.dtype.base_dtype)
            return moving.assign_sub((moving - value) * rate, read_value=False)

    def _fused(self, inputs, training):
        channels = inputs.shape._dims[self.axis]
        kind = self.moving_mean.dtype.as_numpy_dtype
        gamma = self.gamma if self.scale else np.ones(channels, kind)
        beta = self.beta if self.center else np.zeros(channels, kind)
        data_format = "NCHW" if self.axis == 1 else "NHWC"

        def of_batch():
            return nn.fused_batch_norm(inputs, gamma, beta, epsilon=self.epsilon, data_format=data_format)

        def of_moving():
            return nn.fused_batch_norm(inputs, gamma, beta, self.moving_mean, self.moving_variance, self.epsilon, data_format,
                                       is_training=False)

        return smart_cond(training, of_batch, of_moving)

    def _plain(self, inputs, training):
        rank = inputs.shape.rank
        others = [i for i in range(rank) if i != self.axis]

        def of_batch():
            wide = math.cast(inputs, dtypes.float32) if inputs.dtype.size == 2 else inputs
            return nn.moments(wide, others)

        mean, variance = smart_cond(training, of_batch,
                                    lambda: (array.identity(self.moving_mean), array.identity(self.moving_variance)))
        shape = [1] * rank
        shape[self.axis] = inputs.shape._dims[self.axis]

        def shaped(value):
            if value is None:
                return None
            value = convert_to_tensor(value) if self.axis == rank - 1 else array.reshape(value, shape)
            return math.cast(value, inputs.dtype)

        outputs = nn.batch_normalization(inputs, shaped(mean), shaped(variance), shaped(self.beta), shaped(self.gamma),
                                         self.epsilon)
        outputs.set_shape(inputs.shape)
        return outputs, mean, variance


def batch_normalization(inputs, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True,
                        beta_initializer=initializers.zeros_initializer(), gamma_initializer=initializers.ones_initializer(),
                        moving_mean_initializer=initializers.zeros_initializer(),
                        moving_variance_initializer=initializers.ones_initializer(), beta_regularizer=None,
                        gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, training=False, trainable=True,
                        name=None, reuse=None, renorm=False, renorm_clipping=None, renorm_momentum=0.99, fused=None,
                        virtual_batch_size=None, adjustment=None):
    """Batch normalization; run the collection UPDATE_OPS beside the training step to move the averages."""
    return BatchNormalization(axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer,
                              moving_mean_initializer, moving_variance_initializer, beta_regularizer, gamma_regularizer,
                              beta_constraint, gamma_constraint, renorm, renorm_clipping, renorm_momentum, fused, trainable,
                              virtual_batch_size, adjustment, name, _scope=name, _reuse=reuse)(inputs, training=training)
