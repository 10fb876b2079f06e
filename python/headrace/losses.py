"""tf.losses: losses of predictions, weighted, reduced to a number and collected in GraphKeys.LOSSES."""

from . import nn
from .framework import dtypes
from .framework.convert import convert_to_tensor
from .framework.graph import GraphKeys, add_to_collection, get_collection, name_scope
from .ops import array, math
from .ops.weights import broadcast_weights, without_last_axis


class Reduction:
    """How the losses of the elements become the result."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls):
        return cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_OVER_NONZERO_WEIGHTS, cls.SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def validate(cls, key):
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}.")


def compute_weighted_loss(losses, weights=1.0, scope=None, loss_collection=GraphKeys.LOSSES,
                          reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """The losses times their weights, reduced; the result is added to the collection.

    `weights`: a number, or of the losses' rank with extents that are 1 or equal to theirs.
    """
    Reduction.validate(reduction)
    with name_scope(scope or "weighted_loss"):
        losses = convert_to_tensor(losses)
        kind = losses.dtype.base_dtype
        losses = math.cast(losses, dtypes.float32)
        weights = math.cast(weights, dtypes.float32)
        weighted = math.multiply(losses, broadcast_weights(weights, losses, spread=False))
        if reduction == Reduction.NONE:
            loss = weighted
        else:
            loss = math.reduce_sum(weighted)
            if reduction == Reduction.MEAN:
                loss = math.div_no_nan(loss, math.reduce_sum(array.ones_like(losses) * weights), name="value")
            elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
                loss = math.div_no_nan(loss, _num_present(losses, weights), name="value")
            elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
                loss = math.div_no_nan(loss, math.cast(array.size(losses), dtypes.float32), name="value")
        loss = math.cast(loss, kind)
        add_loss(loss, loss_collection)
        return loss


def _num_present(losses, weights):
    """How many losses have a weight that is not 0."""
    with name_scope("num_present"):
        present = math.cast(math.not_equal(weights, 0.0), dtypes.float32)
        return math.reduce_sum(broadcast_weights(present, losses))


def add_loss(loss, loss_collection=GraphKeys.LOSSES):
    """Adds a loss to the collection, unless that is None."""
    if loss_collection:
        add_to_collection(loss_collection, loss)


def get_losses(scope=None, loss_collection=GraphKeys.LOSSES):
    """The collected losses (whose names begin with `scope`)."""
    return get_collection(loss_collection, scope)


def get_regularization_losses(scope=None):
    """The losses that regularizers made."""
    return get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope=None, name="total_regularization_loss"):
    """The sum of the regularizers' losses; 0 if there are none."""
    losses = get_regularization_losses(scope)
    return math.add_n(losses, name=name) if losses else convert_to_tensor(0.0)


def get_total_loss(add_regularization_losses=True, name="total_loss", scope=None):
    """The sum of all collected losses. Raises ValueError when there are none."""
    losses = get_losses(scope=scope)
    if add_regularization_losses:
        losses += get_regularization_losses(scope=scope)
    return math.add_n(losses, name=name)


def _pair(labels, predictions, what="predictions"):
    """Both as float tensors of one shape. Raises ValueError where one is missing or the shapes differ."""
    if labels is None:
        raise ValueError("labels must not be None.")
    if predictions is None:
        raise ValueError(f"{what} must not be None.")
    predictions = math.cast(convert_to_tensor(predictions), dtypes.float32)
    labels = math.cast(convert_to_tensor(labels), dtypes.float32)
    predictions.shape.assert_is_compatible_with(labels.shape)
    return labels, predictions


def absolute_difference(labels, predictions, weights=1.0, scope=None, loss_collection=GraphKeys.LOSSES,
                        reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """|predictions - labels|."""
    with name_scope(scope or "absolute_difference") as scope:
        labels, predictions = _pair(labels, predictions)
        losses = math.abs(math.subtract(predictions, labels))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def cosine_distance(labels, predictions, axis=None, weights=1.0, scope=None, loss_collection=GraphKeys.LOSSES,
                    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS, dim=None):
    """1 - the inner product along `axis`; both sides are taken as normalized."""
    axis = dim if axis is None else axis
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    with name_scope(scope or "cosine_distance_loss") as scope:
        labels, predictions = _pair(labels, predictions)
        losses = 1 - math.reduce_sum(math.multiply(predictions, labels), axis, True)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def hinge_loss(labels, logits, weights=1.0, scope=None, loss_collection=GraphKeys.LOSSES,
               reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """max(0, 1 - y * logits), y being -1 and 1 for the labels 0 and 1."""
    with name_scope(scope or "hinge_loss") as scope:
        labels, logits = _pair(labels, logits, "logits")
        signs = math.subtract(2 * labels, array.ones_like(labels))
        losses = nn.relu(math.subtract(array.ones_like(labels), math.multiply(signs, logits)))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def huber_loss(labels, predictions, weights=1.0, delta=1.0, scope=None, loss_collection=GraphKeys.LOSSES,
               reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """d squared / 2 for an error d up to `delta`, beyond that delta * (|d| - delta / 2)."""
    with name_scope(scope or "huber_loss") as scope:
        labels, predictions = _pair(labels, predictions)
        distance = math.abs(math.subtract(predictions, labels))
        quadratic = math.minimum(distance, delta)
        losses = math.add(0.5 * quadratic * quadratic, delta * (distance - quadratic))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def log_loss(labels, predictions, weights=1.0, epsilon=1e-7, scope=None, loss_collection=GraphKeys.LOSSES,
             reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """-labels * log(predictions) - (1 - labels) * log(1 - predictions)."""
    with name_scope(scope or "log_loss") as scope:
        labels, predictions = _pair(labels, predictions)
        losses = -math.multiply(labels, math.log(predictions + epsilon)) - math.multiply(
            1 - labels, math.log(1 - predictions + epsilon))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def mean_squared_error(labels, predictions, weights=1.0, scope=None, loss_collection=GraphKeys.LOSSES,
                       reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """(predictions - labels) squared."""
    with name_scope(scope or "mean_squared_error") as scope:
        labels, predictions = _pair(labels, predictions)
        losses = math.squared_difference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def sigmoid_cross_entropy(multi_class_labels, logits, weights=1.0, label_smoothing=0, scope=None,
                          loss_collection=GraphKeys.LOSSES, reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """Cross entropy between labels and sigmoid(logits); smoothing pulls the labels towards 1/2."""
    with name_scope(scope or "sigmoid_cross_entropy_loss") as scope:
        logits = convert_to_tensor(logits)
        labels = math.cast(multi_class_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def softmax_cross_entropy(onehot_labels, logits, weights=1.0, label_smoothing=0, scope=None,
                          loss_collection=GraphKeys.LOSSES, reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """Cross entropy between one-hot labels and softmax(logits); smoothing pulls the labels towards 1 / classes."""
    with name_scope(scope or "softmax_cross_entropy_loss") as scope:
        logits = convert_to_tensor(logits)
        labels = math.cast(onehot_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            classes = math.cast(array.shape(labels)[1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        losses = nn.softmax_cross_entropy_with_logits_v2(labels=array.stop_gradient(labels), logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def sparse_softmax_cross_entropy(labels, logits, weights=1.0, scope=None, loss_collection=GraphKeys.LOSSES,
                                 reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """Cross entropy between class numbers and softmax(logits)."""
    with name_scope(scope or "sparse_softmax_cross_entropy_loss") as scope:
        logits, labels = convert_to_tensor(logits), convert_to_tensor(labels)
        labels = without_last_axis(labels, logits, more=-1)
        weights = without_last_axis(math.cast(weights, dtypes.float32), labels)
        losses = nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)
