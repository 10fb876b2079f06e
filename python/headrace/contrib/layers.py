"""What programs take most from tf.contrib.layers."""

import functools
import numbers

from .. import nn
from ..framework.convert import convert_to_tensor
from ..framework.graph import GraphKeys, get_default_graph, name_scope
from ..framework.variable_scope import variable_scope
from ..ops import array, initializers, math
from .framework import model_variable


def _check_scale(scale, name):
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"scale cannot be an integer: {scale}")
    if scale < 0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale}")
    if name == "l1_regularizer" and scale >= 1:
        raise ValueError(f"Setting a scale greater than 1 on a regularizer: {scale}")


def _regularizer(kind, scale, scope, loss):
    _check_scale(scale, kind)
    if scale == 0.0:
        return lambda _: None

    def regularize(weights):
        with name_scope(scope or kind) as name:
            weights = convert_to_tensor(weights)
            return math.multiply(convert_to_tensor(scale, weights.dtype.base_dtype), loss(weights), name=name)

    return regularize


def l1_regularizer(scale, scope=None):
    """A function of weights: scale times the sum of their absolute values."""
    return _regularizer("l1_regularizer", scale, scope, lambda w: math.reduce_sum(math.abs(w)))


def l2_regularizer(scale, scope=None):
    """A function of weights: scale times half of the sum of their squares."""
    return _regularizer("l2_regularizer", scale, scope, nn.l2_loss)


def sum_regularizer(regularizer_list, scope=None):
    """The sum of several regularizers."""
    regularizers = [r for r in regularizer_list if r is not None]
    if not regularizers:
        return None

    def regularize(weights):
        with name_scope(scope or "sum_regularizer") as name:
            losses = [loss for loss in (r(weights) for r in regularizers) if loss is not None]
            return math.add_n(losses, name=name) if losses else None

    return regularize


def l1_l2_regularizer(scale_l1=1.0, scale_l2=1.0, scope=None):
    """The sum of an l1 and an l2 regularizer."""
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope or "l1_l2_regularizer")


def apply_regularization(regularizer, weights_list=None):
    """The sum of the regularizer over weights (the collection WEIGHTS unless given), also added to REGULARIZATION_LOSSES."""
    graph = get_default_graph()
    weights_list = graph.get_collection(GraphKeys.WEIGHTS) if weights_list is None else weights_list
    if not weights_list:
        raise ValueError("No weights to regularize.")
    with name_scope("get_regularization_penalty") as name:
        penalties = [p for p in (regularizer(w) for w in weights_list) if p is not None]
        total = math.add_n(penalties or [convert_to_tensor(0.0)], name=name)
    graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
    return total


def xavier_initializer(uniform=True, seed=None, dtype=initializers.dtypes.float32):
    """Random weights such that signals keep their scale (Glorot and Bengio 2010)."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


xavier_initializer_conv2d = xavier_initializer


def variance_scaling_initializer(factor=2.0, mode="FAN_IN", uniform=False, seed=None, dtype=initializers.dtypes.float32):
    """Random weights with a variance of factor / n."""
    if uniform:
        return initializers.VarianceScaling(factor, mode.lower(), "uniform", seed, dtype)
    # A normal cut at two deviations: contrib corrects the variance by 1.3, VarianceScaling by 1 / 0.8796^2.
    return initializers.VarianceScaling(factor * 1.3 * .87962566103423978**2, mode.lower(), "truncated_normal", seed, dtype)


def fully_connected(inputs, num_outputs, activation_fn=nn.relu, normalizer_fn=None, normalizer_params=None,
                    weights_initializer=xavier_initializer(), weights_regularizer=None,
                    biases_initializer=initializers.zeros_initializer(), biases_regularizer=None, reuse=None,
                    variables_collections=None, outputs_collections=None, trainable=True, scope=None):
    """activation_fn(inputs times "weights" plus "biases"); relu unless told, None for none."""
    if isinstance(variables_collections, dict):
        raise NotImplementedError("fully_connected: variables_collections as a dict is not there, give a list")
    graph = get_default_graph()
    with variable_scope(scope, default_name="fully_connected", reuse=reuse):
        inputs = convert_to_tensor(inputs)
        width = inputs.shape._dims[-1] if inputs.shape.rank else None
        if width is None:
            raise ValueError(f"fully_connected: the last axis of the inputs must be known, shape {inputs.shape}")
        make = functools.partial(model_variable, dtype=inputs.dtype.base_dtype, trainable=trainable,
                                 collections=variables_collections)
        weights = make("weights", [width, num_outputs], initializer=weights_initializer, regularizer=weights_regularizer)
        if inputs.shape.rank == 2:
            outputs = math.matmul(inputs, weights)
        else:
            outputs = math.tensordot(inputs, weights, [[inputs.shape.rank - 1], [0]])
        if normalizer_fn is not None:
            outputs = normalizer_fn(outputs, **(normalizer_params or {}))
        elif biases_initializer is not None:
            outputs = nn.bias_add(outputs, make("biases", [num_outputs], initializer=biases_initializer,
                                                regularizer=biases_regularizer))
        if activation_fn is not None:
            outputs = activation_fn(outputs)
    for collection in [outputs_collections] if isinstance(outputs_collections, str) else outputs_collections or []:
        graph.add_to_collection(collection, outputs)
    return outputs


linear = functools.partial(fully_connected, activation_fn=None)
relu = functools.partial(fully_connected, activation_fn=nn.relu)


def flatten(inputs, outputs_collections=None, scope=None):
    """All axes behind the first made one."""
    with name_scope(scope or "Flatten"):
        inputs = convert_to_tensor(inputs)
        dims = inputs.shape._dims
        if not dims:
            raise ValueError(f"flatten: inputs must have at least 1 dimension, shape {inputs.shape}")
        outputs = array.reshape(inputs, array.stack([array.shape(inputs)[0], -1]))
        width = 1
        for extent in dims[1:]:
            width = None if width is None or extent is None else width * extent
        outputs.set_shape([dims[0], width])
    for collection in [outputs_collections] if isinstance(outputs_collections, str) else outputs_collections or []:
        get_default_graph().add_to_collection(collection, outputs)
    return outputs


def one_hot_encoding(labels, num_classes, on_value=1.0, off_value=0.0, outputs_collections=None, scope=None):
    """tf.one_hot with names of its own."""
    with name_scope(scope or "OneHotEncoding"):
        return array.one_hot(labels, num_classes, on_value, off_value)


_INSTEAD = {
    "avg_pool2d": "tf.layers.average_pooling2d", "batch_norm": "tf.layers.batch_normalization", "conv2d": "tf.layers.conv2d",
    "convolution2d": "tf.layers.conv2d", "conv2d_transpose": "tf.layers.conv2d_transpose", "dropout": "tf.layers.dropout",
    "embed_sequence": "tf.nn.embedding_lookup", "max_pool2d": "tf.layers.max_pooling2d", "optimize_loss":
    "an optimizer's minimize", "separable_conv2d": "tf.layers.separable_conv2d",
    "safe_embedding_lookup_sparse": "tf.nn.safe_embedding_lookup_sparse",
    **{name: f"tf.feature_column.{new}" for name, new in (
        ("real_valued_column", "numeric_column"), ("bucketized_column", "bucketized_column"),
        ("crossed_column", "crossed_column"), ("embedding_column", "embedding_column"),
        ("one_hot_column", "indicator_column"), ("input_from_feature_columns", "input_layer"),
        ("weighted_sum_from_feature_columns", "linear_model"),
        ("sparse_column_with_hash_bucket", "categorical_column_with_hash_bucket"),
        ("sparse_column_with_keys", "categorical_column_with_vocabulary_list"),
        ("sparse_column_with_integerized_feature", "categorical_column_with_identity"))},
}


def __getattr__(name):
    hint = f": use {_INSTEAD[name]}" if name in _INSTEAD else ""
    raise AttributeError(f"module 'headrace.contrib.layers' has no attribute '{name}'{hint}")
