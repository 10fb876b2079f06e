"""tf.nn: activations, losses, convolutions, normalization, embeddings."""

import numpy as np

from .framework import dtypes
from .framework.convert import convert_to_tensor, dtype_of, is_tensor_like
from .framework.graph import get_seed, name_scope
from .framework.op_library import apply_op
from .ops import array, math, random
from .ops.math import sigmoid, tanh  # noqa: F401 - part of tf.nn


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
            return apply_op(op, logits, labels, name=scope).loss
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


def _window(value, name):
    """[1, h, w, 1] from a number, a pair, or all four."""
    if isinstance(value, int):
        return [1, value, value, 1]
    value = list(value)
    if len(value) == 1:
        return [1, value[0], value[0], 1]
    return [1, *value, 1] if len(value) == 2 else value


def _channels_first(sizes, data_format):
    return [sizes[0], sizes[3], sizes[1], sizes[2]] if data_format == "NCHW" and len(sizes) == 4 and sizes[0] == 1 \
        and sizes[3] == 1 and sizes[1] != 1 else sizes


def _padding(padding):
    if isinstance(padding, str):
        return {"padding": padding.upper()}
    return {"padding": "EXPLICIT", "explicit_paddings": [int(n) for pair in padding for n in pair]}


def conv2d(input, filter=None, strides=None, padding=None, use_cudnn_on_gpu=True, data_format="NHWC", dilations=(1, 1, 1, 1),
           name=None, filters=None):
    """Convolution of [batch, h, w, in] with a filter [h, w, in, out]."""
    filter = filters if filter is None else filter
    return apply_op("Conv2D", input, filter, strides=_window(1 if strides is None else strides, "strides"),
                    data_format=data_format or "NHWC", dilations=_window(dilations, "dilations"), name=name,
                    **_padding(padding))


def conv2d_transpose(value=None, filter=None, output_shape=None, strides=None, padding="SAME", data_format="NHWC", name=None,
                     input=None, filters=None, dilations=None):
    """The transpose (gradient) of conv2d; the filter is [h, w, out, in]."""
    value = input if value is None else value
    filter = filters if filter is None else filter
    result = apply_op("Conv2DBackpropInput", array._extents(output_shape), filter, value, strides=_window(strides, "strides"),
                      data_format=data_format, name=name or "conv2d_transpose", **_padding(padding))
    return result


def depthwise_conv2d(input, filter, strides, padding, rate=None, name=None, data_format="NHWC", dilations=None):
    """Each channel is convolved with filters of its own: [h, w, in, multiplier]."""
    return apply_op("DepthwiseConv2dNative", input, filter, strides=_window(strides, "strides"), name=name,
                    data_format=data_format or "NHWC", dilations=_window(dilations or rate or 1, "dilations"),
                    **_padding(padding))


depthwise_conv2d_native = depthwise_conv2d


def separable_conv2d(input, depthwise_filter, pointwise_filter, strides, padding, rate=None, name=None, data_format="NHWC"):
    """depthwise_conv2d, then a 1 x 1 convolution."""
    with name_scope(name or "separable_conv2d") as scope:
        inner = depthwise_conv2d(input, depthwise_filter, strides, padding, rate, data_format=data_format)
        return conv2d(inner, pointwise_filter, 1, "VALID", data_format=data_format, name=scope)


def conv1d(value=None, filters=None, stride=1, padding="SAME", use_cudnn_on_gpu=None, data_format="NWC", name=None, input=None):
    """Convolution of [batch, width, in] with a filter [width, in, out]."""
    value = input if value is None else value
    with name_scope(name or "conv1d") as scope:
        wide = conv2d(array.expand_dims(value, 1), array.expand_dims(filters, 0), [1, 1, stride, 1], padding)
        return array.squeeze(wide, [1], name=scope)


def max_pool(value=None, ksize=None, strides=None, padding="VALID", data_format="NHWC", name=None, input=None):
    """The largest value of each window."""
    value = input if value is None else value
    return apply_op("MaxPool", value, ksize=_window(ksize, "ksize"), strides=_window(strides, "strides"),
                    data_format=data_format or "NHWC", padding=padding.upper(), name=name)


def avg_pool(value=None, ksize=None, strides=None, padding="VALID", data_format="NHWC", name=None, input=None):
    """The mean of each window."""
    value = input if value is None else value
    return apply_op("AvgPool", value, ksize=_window(ksize, "ksize"), strides=_window(strides, "strides"),
                    data_format=data_format or "NHWC", padding=padding.upper(), name=name)


max_pool2d, avg_pool2d = max_pool, avg_pool


def local_response_normalization(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    """Each value divided by (bias + alpha * the sum of squares of its neighbours in depth) to the power beta."""
    return apply_op("LRN", input, depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta, name=name)


lrn = local_response_normalization


def top_k(input, k=1, sorted=True, name=None):
    """The k largest values of each row, and their indices."""
    return apply_op("TopKV2", input, np.int32(k) if not is_tensor_like(k) else k, sorted=sorted, name=name)


def in_top_k(predictions, targets, k, name=None):
    """Whether the target class is among the k largest predictions."""
    return apply_op("InTopKV2", predictions, targets, convert_to_tensor(k, dtype_of(targets)), name=name)


def embedding_lookup(params, ids, partition_strategy="mod", name=None, validate_indices=True, max_norm=None):
    """The rows `ids` of a table, which may lie in several parts.

    Part p of n has the ids with id % n == p ("mod"), or one run of ids ("div": the first parts have one more).
    """
    if not isinstance(params, (list, tuple)):
        params = list(params) if hasattr(params, "_variable_list") else [params]
    if not params:
        raise ValueError("Need at least one param")
    with name_scope(name or "embedding_lookup") as scope:
        ids = convert_to_tensor(ids, name="ids")
        if len(params) == 1:
            return _clip_rows(array.gather(params[0], ids, name=scope if max_norm is None else None), max_norm)
        return _clip_rows(_partitioned_lookup(list(params), ids, partition_strategy), max_norm)


def _clip_rows(rows, max_norm):
    if max_norm is None:
        return rows
    lengths = math.sqrt(math.reduce_sum(math.square(rows), -1, True))
    return rows * (max_norm / math.maximum(lengths, max_norm))


def _partitioned_lookup(params, ids, strategy):
    parts = len(params)
    flat = array.reshape(ids, [-1])
    positions = math.range(array.size(flat))
    count = convert_to_tensor(parts, flat.dtype.base_dtype)
    if strategy == "mod":
        owner, inner = flat % count, flat // count
    elif strategy == "div":
        sizes = [p.shape._dims[0] for p in params]
        total = sum(sizes)
        per, extra = total // parts, total % parts
        owner = math.maximum(flat // (per + 1), (flat - extra) // per)
        inner = array.where(owner < extra, flat % (per + 1), (flat - extra) % per)
    else:
        raise ValueError(f"Unrecognized partition strategy: {strategy}")
    owner = math.cast(owner, dtypes.int32)
    wanted = array.dynamic_partition(inner, owner, parts)
    places = array.dynamic_partition(positions, owner, parts)
    found = []
    for param, rows in zip(params, wanted):
        found.append(array.gather(param, rows))
    stitched = apply_op("ParallelDynamicStitch", places, found)
    width = params[0].shape._dims[1:]
    result = array.reshape(stitched, array.concat([array.shape(ids), np.asarray(width, np.int32)], 0))
    result.set_shape(list(ids.shape._dims or []) + list(width) if ids.shape.rank is not None else None)
    return result


def embedding_lookup_sparse(params, sp_ids, sp_weights, partition_strategy="mod", name=None, combiner=None, max_norm=None):
    """For each row of the sparse `sp_ids`: the sum, mean or sqrtn of its ids' rows, weighted by `sp_weights` (or None)."""
    combiner = combiner or "mean"
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner}")
    with name_scope(name or "embedding_lookup_sparse"):
        segments = math.cast(sp_ids.indices[:, 0], dtypes.int32)
        ids, places = array.unique(sp_ids.values)
        rows = embedding_lookup(params, ids, partition_strategy, max_norm=max_norm)
        if sp_weights is None:
            op = {"sum": "SparseSegmentSum", "mean": "SparseSegmentMean", "sqrtn": "SparseSegmentSqrtN"}[combiner]
            return apply_op(op, rows, places, segments)
        weights = math.cast(sp_weights.values, rows.dtype.base_dtype)
        column = array.reshape(weights, array.concat([array.shape(weights), np.ones(rows.shape.rank - 1, np.int32)], 0))
        total = math.segment_sum(array.gather(rows, places) * column, segments)
        if combiner == "sum":
            return total
        share = math.segment_sum(column if combiner == "mean" else math.square(column), segments)
        return math.div_no_nan(total, share if combiner == "mean" else math.sqrt(share))


def _sampler(op_type):
    def sample(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
        seed1, seed2 = get_seed(seed)
        return apply_op(op_type, true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique,
                        range_max=range_max, seed=seed1, seed2=seed2, name=name)

    sample.__doc__ = f"Draws negative classes: the op {op_type} (candidates, expected counts of true and drawn classes)."
    return sample


log_uniform_candidate_sampler = _sampler("LogUniformCandidateSampler")
uniform_candidate_sampler = _sampler("UniformCandidateSampler")
learned_unigram_candidate_sampler = _sampler("LearnedUnigramCandidateSampler")


def compute_accidental_hits(true_classes, sampled_candidates, num_true, seed=None, name=None):
    """Where drawn classes are true ones: indices, ids, weights."""
    seed1, seed2 = get_seed(seed)
    return apply_op("ComputeAccidentalHits", true_classes, sampled_candidates, num_true=num_true, seed=seed1, seed2=seed2,
                    name=name)


def _sampled_logits(weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, subtract_log_q,
                    remove_accidental_hits, partition_strategy, seed):
    labels = math.cast(labels, dtypes.int64)
    flat_labels = array.reshape(labels, [-1])
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
    sampled, true_count, sampled_count = [array.stop_gradient(t) for t in sampled_values]
    everything = array.concat([flat_labels, sampled], 0)
    rows = embedding_lookup(weights, everything, partition_strategy)
    offsets = embedding_lookup(biases, everything, partition_strategy)
    num_labels = array.shape(flat_labels)[0]
    true_rows, sampled_rows = rows[:num_labels], rows[num_labels:]
    true_bias, sampled_bias = offsets[:num_labels], offsets[num_labels:]
    width = array.shape(true_rows)[1]
    products = array.expand_dims(inputs, 1) * array.reshape(true_rows, array.stack([-1, num_true, width]))
    true_logits = math.reduce_sum(products, 2) + array.reshape(true_bias, [-1, num_true])
    sampled_logits = math.matmul(inputs, sampled_rows, transpose_b=True) + sampled_bias
    if remove_accidental_hits:
        hits = compute_accidental_hits(labels, sampled, num_true, seed)
        positions = array.stack([hits.indices, math.cast(hits.ids, dtypes.int32)], 1)
        sampled_logits += array.scatter_nd(positions, math.cast(hits.weights, sampled_logits.dtype.base_dtype),
                                           array.shape(sampled_logits))
    if subtract_log_q:
        true_logits -= math.log(true_count)
        sampled_logits -= math.log(sampled_count)
    logits = array.concat([true_logits, sampled_logits], 1)
    targets = array.concat([array.ones_like(true_logits) / num_true, array.zeros_like(sampled_logits)], 1)
    return logits, targets


def nce_loss(weights, biases, labels, inputs, num_sampled, num_classes, num_true=1, sampled_values=None,
             remove_accidental_hits=False, partition_strategy="mod", name="nce_loss", seed=None):
    """Noise-contrastive estimation: for each row the loss of telling true classes from drawn ones (Gutmann, Hyvarinen 2010)."""
    with name_scope(name):
        logits, targets = _sampled_logits(weights, biases, labels, inputs, num_sampled, num_classes, num_true,
                                          sampled_values, True, remove_accidental_hits, partition_strategy, seed)
        return math.reduce_sum(sigmoid_cross_entropy_with_logits(labels=targets, logits=logits), 1)


def sampled_softmax_loss(weights, biases, labels, inputs, num_sampled, num_classes, num_true=1, sampled_values=None,
                         remove_accidental_hits=True, partition_strategy="mod", name="sampled_softmax_loss", seed=None):
    """Softmax cross entropy over the true and some drawn classes (Jean et al. 2014)."""
    with name_scope(name):
        logits, targets = _sampled_logits(weights, biases, labels, inputs, num_sampled, num_classes, num_true,
                                          sampled_values, True, remove_accidental_hits, partition_strategy, seed)
        return softmax_cross_entropy_with_logits_v2(array.stop_gradient(targets), logits)


def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    """exp(c) - z * c, the log-likelihood loss of a Poisson distribution."""
    return math.exp(log_input) - log_input * targets


def __getattr__(name):
    if name in ("dynamic_rnn", "static_rnn", "bidirectional_dynamic_rnn", "rnn_cell", "raw_rnn"):
        import importlib
        rnn = importlib.import_module(".rnn", __package__)
        return rnn if name == "rnn_cell" else getattr(rnn, name)
    raise AttributeError(f"module 'headrace.nn' has no attribute '{name}'")
