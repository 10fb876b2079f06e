"""tf.nn: activations, losses, convolutions, normalization, embeddings."""

import numpy as np

from .framework import dtypes
from .framework.convert import convert_to_tensor, dtype_of, is_tensor_like
from .framework.graph import name_scope
from .framework.op_library import apply_op
from .ops import array, math, random
from .ops.convolution import (atrous_conv2d, avg_pool, avg_pool2d, conv1d, conv2d, conv2d_backprop_filter,  # noqa: F401
                              conv2d_backprop_input, conv2d_transpose, convolution, depthwise_conv2d, depthwise_conv2d_native,
                              local_response_normalization, lrn, max_pool, max_pool2d, pool, separable_conv2d)
from .ops.embedding import embedding_lookup, embedding_lookup_sparse  # noqa: F401
from .ops.math import sigmoid, tanh  # noqa: F401


def _activation(name, op_type, doc):
    def function(features, name=None):
        return apply_op(op_type, features, name=name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


relu = _activation("relu", "Relu", "max(x, 0).")
relu6 = _activation("relu6", "Relu6", "min(max(x, 0), 6).")
elu = _activation("elu", "Elu", "x where positive, else exp(x) - 1.")
selu = _activation("selu", "Selu", "The scaled elu whose activations normalize themselves.")
softplus = _activation("softplus", "Softplus", "log(exp(x) + 1).")
softsign = _activation("softsign", "Softsign", "x / (1 + |x|).")


def leaky_relu(features, alpha=0.2, name=None):
    """x where positive, else alpha * x."""
    return apply_op("LeakyRelu", features, alpha=alpha, name=name)


def crelu(features, name=None, axis=-1):
    """relu(x) and relu(-x), joined along `axis`."""
    with name_scope(name or "CRelu"):
        return relu(array.concat([features, -convert_to_tensor(features)], axis))


def swish(features, name=None):
    """x * sigmoid(x)."""
    features = convert_to_tensor(features)
    return math.multiply(features, sigmoid(features), name)


def _by_rows(op_type, logits, axis, name):
    logits = convert_to_tensor(logits)
    if axis in (-1, None) or logits.shape.rank is not None and axis == logits.shape.rank - 1:
        return apply_op(op_type, logits, name=name)
    order = list(range(logits.shape.rank))
    order[axis], order[-1] = order[-1], order[axis]
    return array.transpose(apply_op(op_type, array.transpose(logits, order)), order, name=name or op_type)


def softmax(logits, axis=None, name=None, dim=None):
    """exp(x) / sum(exp(x)) along an axis (the last)."""
    return _by_rows("Softmax", logits, dim if axis is None else axis, name)


def log_softmax(logits, axis=None, name=None, dim=None):
    """log(softmax(x))."""
    return _by_rows("LogSoftmax", logits, dim if axis is None else axis, name)


def softmax_cross_entropy_with_logits_v2(labels, logits, axis=None, name=None, dim=None):
    """For each row: the cross entropy between the distribution `labels` and softmax(logits). Gradients reach both."""
    axis = dim if axis is None else axis
    with name_scope(name or "softmax_cross_entropy_with_logits") as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, logits.dtype.base_dtype, name="labels")
        rank = logits.shape.rank
        if axis not in (None, -1) and axis != (rank or 0) - 1:
            order = [i for i in range(rank) if i != axis % rank] + [axis % rank]
            logits, labels = array.transpose(logits, order), array.transpose(labels, order)
        if rank == 2:
            return apply_op("SoftmaxCrossEntropyWithLogits", logits, labels, name=scope).loss
        outer = array.shape(logits)[:-1]
        width = array.shape(logits)[-1]
        flat = [array.reshape(t, array.stack([-1, width])) for t in (logits, labels)]
        loss = apply_op("SoftmaxCrossEntropyWithLogits", *flat).loss
        result = array.reshape(loss, outer, name=scope)
        result.set_shape(None if rank is None else logits.shape._dims[:-1])
        return result


def softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, dim=-1, name=None, axis=None):
    """As softmax_cross_entropy_with_logits_v2, but no gradient reaches the labels."""
    if _sentinel is not None or labels is None or logits is None:
        raise ValueError("Only call `softmax_cross_entropy_with_logits` with named arguments (labels=..., logits=..., ...)")
    with name_scope(name or "softmax_cross_entropy_with_logits_sg"):
        labels = array.stop_gradient(convert_to_tensor(labels, dtype_of(logits)))
        return softmax_cross_entropy_with_logits_v2(labels, logits, dim if axis is None else axis, name)


def sparse_softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    """For each row: the cross entropy between the class number `labels` and softmax(logits)."""
    if _sentinel is not None or labels is None or logits is None:
        raise ValueError("Only call `sparse_softmax_cross_entropy_with_logits` with named arguments (labels=..., logits=..., "
                         "...)")
    with name_scope(name or "SparseSoftmaxCrossEntropyWithLogits") as scope:
        labels, logits = convert_to_tensor(labels), convert_to_tensor(logits)
        if logits.shape.rank == 0:
            raise ValueError(f"`logits` cannot be a scalar. Received logits={logits}.")
        if labels.shape.rank is not None and logits.shape.rank is not None and labels.shape.rank != logits.shape.rank - 1:
            raise ValueError("`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape="
                             f"{labels.shape} and logits.shape={logits.shape}")
        op = "SparseSoftmaxCrossEntropyWithLogits"
        if logits.shape.rank == 2:
            return apply_op(op, logits, labels).loss
        flat = array.reshape(logits, array.stack([-1, array.shape(logits)[-1]]))
        loss = apply_op(op, flat, array.reshape(labels, [-1])).loss
        result = array.reshape(loss, array.shape(labels), name=scope)
        result.set_shape(labels.shape)
        return result


def sigmoid_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    """Element-wise cross entropy between `labels` and sigmoid(logits), without overflow."""
    if _sentinel is not None or labels is None or logits is None:
        raise ValueError("Only call `sigmoid_cross_entropy_with_logits` with named arguments (labels=..., logits=..., ...)")
    with name_scope(name or "logistic_loss") as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, logits.dtype.base_dtype, name="labels")
        if not logits.shape.is_compatible_with(labels.shape):
            raise ValueError(f"`logits` and `labels` must have the same shape, received ({logits.shape} vs {labels.shape}).")
        zeros = array.zeros_like(logits)
        positive = math.greater_equal(logits, zeros)
        rectified = array.where(positive, logits, zeros)
        below = array.where(positive, -logits, logits)
        return math.add(math.subtract(rectified, logits * labels), math.log1p(math.exp(below)), name=scope)


def weighted_cross_entropy_with_logits(labels=None, logits=None, pos_weight=None, name=None, targets=None):
    """As sigmoid_cross_entropy_with_logits, the positive labels weighted by `pos_weight`."""
    labels = targets if labels is None else labels
    with name_scope(name or "logistic_loss") as scope:
        logits = convert_to_tensor(logits)
        labels = convert_to_tensor(labels, logits.dtype.base_dtype)
        weight = 1 + (pos_weight - 1) * labels
        rest = weight * (math.log1p(math.exp(-math.abs(logits))) + relu(-logits))
        return math.add((1 - labels) * logits, rest, name=scope)


def l2_loss(t, name=None):
    """sum(t squared) / 2."""
    return apply_op("L2Loss", t, name=name)


def bias_add(value, bias, data_format=None, name=None):
    """value + bias, along the channel axis."""
    return apply_op("BiasAdd", value, bias, data_format=data_format or "NHWC", name=name)


def xw_plus_b(x, weights, biases, name=None):
    """matmul(x, weights) + biases."""
    with name_scope(name or "xw_plus_b") as scope:
        return bias_add(math.matmul(x, weights), biases, name=scope)


def relu_layer(x, weights, biases, name=None):
    """relu(matmul(x, weights) + biases)."""
    with name_scope(name or "relu_layer") as scope:
        return relu(xw_plus_b(x, weights, biases), name=scope)


def dropout(x, keep_prob=None, noise_shape=None, seed=None, name=None, rate=None):
    """Zeros elements at random, each kept with probability `keep_prob` (or 1 - rate), and scales the rest up."""
    if (keep_prob is None) == (rate is None):
        raise ValueError("You must provide exactly one of keep_prob and rate.")
    with name_scope(name or "dropout") as scope:
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_floating:
            raise ValueError(f"`x.dtype` must be a floating point tensor, got {x.dtype.name}")
        if keep_prob is not None and not is_tensor_like(keep_prob):
            rate = 1.0 - keep_prob
        elif keep_prob is not None:
            rate = 1.0 - convert_to_tensor(keep_prob)
        if not is_tensor_like(rate):
            if not 0 <= rate < 1:
                raise ValueError(f"rate must be in the range [0, 1), got {rate}")
            if rate == 0:
                return x
        shape = array.shape(x) if noise_shape is None else noise_shape
        drawn = random.random_uniform(shape, seed=seed, dtype=x.dtype.base_dtype)
        rate = convert_to_tensor(rate, x.dtype.base_dtype)
        kept = math.cast(math.greater_equal(drawn, rate), x.dtype.base_dtype)
        result = math.multiply(x * (1.0 / (1.0 - rate)), kept, name=scope)
        result.set_shape(x.shape)
        return result


def moments(x, axes, shift=None, name=None, keep_dims=None, keepdims=None):
    """The mean and the variance over the axes."""
    keep = bool(keepdims if keepdims is not None else keep_dims)
    with name_scope(name or "moments"):
        x = convert_to_tensor(x)
        mean = math.reduce_mean(x, axes, True, name="mean")
        variance = math.reduce_mean(math.squared_difference(x, array.stop_gradient(mean)), axes, True, name="variance")
        if not keep:
            mean, variance = array.squeeze(mean, axes), array.squeeze(variance, axes)
        return mean, variance


def weighted_moments(x, axes, frequency_weights, name=None, keep_dims=None, keepdims=None):
    """The mean and the variance over the axes, each value counting by its weight."""
    keep = bool(keepdims if keepdims is not None else keep_dims)
    with name_scope(name or "weighted_moments"):
        x = convert_to_tensor(x)
        weights = math.cast(frequency_weights, x.dtype.base_dtype) + array.zeros_like(x)
        total = math.reduce_sum(weights, axes, True)
        mean = math.reduce_sum(weights * x, axes, True) / total
        variance = math.reduce_sum(weights * math.squared_difference(x, mean), axes, True) / total
        return (mean, variance) if keep else (array.squeeze(mean, axes), array.squeeze(variance, axes))


def sufficient_statistics(x, axes, shift=None, keep_dims=None, name=None, keepdims=None):
    """(count, sum, sum of squares, shift) over the axes, of x - shift where a shift is given."""
    keep = bool(keepdims if keepdims is not None else keep_dims)
    axes = sorted(set(axes))
    with name_scope(name or "sufficient_statistics"):
        x = convert_to_tensor(x)
        extents = [x.shape._dims[axis] for axis in axes]
        if None in extents:
            count = math.cast(math.reduce_prod(array.gather(array.shape(x), np.asarray(axes, np.int32))), x.dtype)
        else:
            count = convert_to_tensor(int(np.prod(extents)), x.dtype)
        moved = x if shift is None else x - shift
        return (count, math.reduce_sum(moved, axes, keep, name="mean_ss"),
                math.reduce_sum(math.square(moved), axes, keep, name="var_ss"), shift)


def normalize_moments(counts, mean_ss, variance_ss, shift, name=None):
    """The mean and the variance of what sufficient_statistics gives."""
    with name_scope(name or "normalize"):
        divisor = math.reciprocal(counts, name="divisor")
        mean = math.multiply(mean_ss, divisor, name="mean" if shift is None else "shifted_mean")
        variance = math.multiply(variance_ss, divisor) - math.square(mean)
        return mean if shift is None else math.add(mean, shift, name="mean"), variance


def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """(x - mean) / sqrt(variance + epsilon), scaled and offset (each may be None)."""
    with name_scope(name or "batchnorm"):
        factor = math.rsqrt(variance + variance_epsilon)
        if scale is not None:
            factor = factor * scale
        shift = -mean * factor if offset is None else offset - mean * factor
        return x * factor + shift


def fused_batch_norm(x, scale, offset, mean=None, variance=None, epsilon=0.001, data_format="NHWC", is_training=True,
                     name=None, exponential_avg_factor=1.0):
    """Batch normalization over all axes but the channels: (y, batch mean, batch variance)."""
    empty = np.zeros(0, np.float32)
    result = apply_op("FusedBatchNormV3", x, scale, offset, empty if mean is None else mean,
                      empty if variance is None else variance, epsilon=max(epsilon, 1.001e-5), data_format=data_format,
                      is_training=is_training, exponential_avg_factor=exponential_avg_factor, name=name)
    return result[0], result[1], result[2]


def l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    """x / sqrt(max(sum(x squared), epsilon))."""
    axis = dim if axis is None else axis
    with name_scope(name or "l2_normalize") as scope:
        x = convert_to_tensor(x)
        total = math.reduce_sum(math.square(x), axis, True)
        return math.multiply(x, math.rsqrt(math.maximum(total, epsilon)), name=scope)


def zero_fraction(value, name=None):
    """The share of zeros among the elements."""
    with name_scope(name or "zero_fraction"):
        value = convert_to_tensor(value)
        zeros = math.cast(math.equal(value, array.zeros_like(value)), dtypes.float32)
        return math.reduce_mean(zeros, name="fraction")



def top_k(input, k=1, sorted=True, name=None):
    """The k largest values of each row, and their indices."""
    return apply_op("TopKV2", input, np.int32(k) if not is_tensor_like(k) else k, sorted=sorted, name=name)


def in_top_k(predictions, targets, k, name=None):
    """Whether the target class is among the k largest predictions."""
    with name_scope(name or "in_top_k"):
        targets = convert_to_tensor(targets)
        return apply_op("InTopKV2", predictions, targets, convert_to_tensor(k, targets.dtype.base_dtype))


def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    """exp(c) - z * c, the loss of a Poisson distribution; the full one with Stirling's approximation of log(z!) for z > 1."""
    with name_scope(name or "log_poisson_loss"):
        log_input = convert_to_tensor(log_input)
        targets = convert_to_tensor(targets, log_input.dtype.base_dtype)
        result = math.exp(log_input) - log_input * targets
        if not compute_full_loss:
            return result
        stirling = targets * math.log(targets) - targets + 0.5 * math.log(2.0 * np.pi * targets)
        small = math.logical_and(math.greater_equal(targets, array.zeros_like(targets)),
                                 math.less_equal(targets, array.ones_like(targets)))
        return result + array.where(small, array.zeros_like(targets), stirling)


_LATER = {
    **dict.fromkeys(("dynamic_rnn", "static_rnn", "bidirectional_dynamic_rnn", "static_bidirectional_rnn", "raw_rnn"), ".rnn"),
    **dict.fromkeys(("log_uniform_candidate_sampler", "uniform_candidate_sampler", "learned_unigram_candidate_sampler",
                     "compute_accidental_hits", "nce_loss", "sampled_softmax_loss"), ".ops.sampling"),
    "safe_embedding_lookup_sparse": ".ops.safe_embedding",
    **dict.fromkeys(("depth_to_space", "space_to_depth"), ".ops.counting"),
}


def __getattr__(name):
    import importlib
    if name == "rnn_cell":
        return importlib.import_module(".rnn_cell", __package__)
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name], __package__), name)
    raise AttributeError(f"module 'headrace.nn' has no attribute '{name}'")


def __dir__():
    return sorted(set(name for name in globals() if not name.startswith("_")) | set(_LATER) | {"rnn_cell"})
