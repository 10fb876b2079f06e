"""tf.metrics: streaming metrics. Each is (value, update): run `update` for every batch, then read `value`.

What they count is kept in variables of the collections LOCAL_VARIABLES and METRIC_VARIABLES.
"""

import numpy as np

from .framework import dtypes
from .framework.convert import convert_to_tensor
from .framework.graph import GraphKeys, add_to_collections, get_default_graph
from .framework.op_library import apply_op
from .framework.variable_scope import variable_scope
from .framework.variables import Variable
from .ops import array, check, math
from .ops.matrix import matrix_diag_part
from .ops.weights import broadcast_weights, without_last_axis

_EPSILON = 1e-6  # keeps AUC's quotients defined, as in TensorFlow
_EDGE = 1e-7  # how far the outermost of AUC's thresholds lie beyond 0 and 1


def metric_variable(shape, dtype, validate_shape=True, name=None):
    """A local variable of zeros for a metric."""
    return Variable(lambda: array.zeros(shape, dtype), trainable=False, dtype=dtype, shape=shape, validate_shape=validate_shape,
                    name=name, collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES])


def _collected(value, update, metrics_collections, updates_collections):
    for collections, item in ((metrics_collections, value), (updates_collections, update)):
        if collections:
            add_to_collections(collections, item)
    return value, update


def _aligned(predictions, labels, weights=None):
    """All three as tensors; a last axis of extent 1 that only some have is dropped. Raises ValueError for shapes that differ."""
    predictions = convert_to_tensor(predictions)
    if labels is not None:
        labels = convert_to_tensor(labels)
        predictions, labels = without_last_axis(predictions, labels), without_last_axis(labels, predictions)
        predictions.shape.assert_is_compatible_with(labels.shape)
    if weights is None:
        return predictions, labels, None
    weights = convert_to_tensor(weights)
    rank, own = predictions.shape.rank, weights.shape.rank
    if own == 0:
        return predictions, labels, weights
    if own is None or rank is None:
        weights = _with_last_axis(without_last_axis(weights, predictions), predictions)
    else:
        weights = array.expand_dims(weights, -1) if own == rank - 1 else without_last_axis(weights, predictions)
    return predictions, labels, weights


def _with_last_axis(weights, values):
    """The weights with one more axis if they lack one (and are no scalar), as the ranks say at run time."""
    lacks = math.logical_and(math.equal(array.rank(weights) + 1, array.rank(values)), math.greater(array.rank(weights), 0))
    return array.reshape(weights, array.concat([array.shape(weights), array.ones([math.cast(lacks, dtypes.int32)], dtypes.int32)], 0))


def mean(values, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The weighted mean of all values so far. Variables: total, count."""
    with variable_scope(name, default_name="mean"):
        values = math.cast(values, dtypes.float32)
        total = metric_variable([], dtypes.float32, name="total")
        count = metric_variable([], dtypes.float32, name="count")
        if weights is None:
            number = math.cast(array.size(values), dtypes.float32)
        else:
            values, _, weights = _aligned(values, None, weights)
            weights = broadcast_weights(math.cast(weights, dtypes.float32), values)
            values = math.multiply(values, weights)
            number = math.reduce_sum(weights)
        added = total.assign_add(math.reduce_sum(values))
        with get_default_graph().control_dependencies([values]):
            counted = count.assign_add(number)
        value = math.div_no_nan(total, count, name="value")
        update = math.div_no_nan(added, counted, name="update_op")
        return _collected(value, update, metrics_collections, updates_collections)


def mean_tensor(values, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The weighted mean of each element. Variables: total_tensor, count_tensor, of the values' shape."""
    with variable_scope(name, default_name="mean"):
        values = convert_to_tensor(values)
        values = values if values.dtype.is_floating else math.cast(values, dtypes.float32)
        values.shape.assert_is_fully_defined()  # that of the variables
        total = metric_variable(values.shape, values.dtype, name="total_tensor")
        count = metric_variable(values.shape, values.dtype, name="count_tensor")
        number = array.ones_like(values)
        if weights is not None:
            values, _, weights = _aligned(values, None, weights)
            number = broadcast_weights(math.cast(weights, values.dtype), values)
            values = math.multiply(values, number)
        added = total.assign_add(values)
        with get_default_graph().control_dependencies([values]):
            counted = count.assign_add(number)
        value = math.div_no_nan(total, count, name="value")
        update = math.div_no_nan(added, counted, name="update_op")
        return _collected(value, update, metrics_collections, updates_collections)


def accuracy(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """How often predictions equal labels."""
    predictions, labels, weights = _aligned(predictions, labels, weights)
    correct = math.cast(math.equal(math.cast(predictions, labels.dtype), labels), dtypes.float32)
    return mean(correct, weights, metrics_collections, updates_collections, name or "accuracy")


def mean_absolute_error(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The mean of |predictions - labels|."""
    predictions, labels, weights = _aligned(predictions, labels, weights)
    return mean(math.abs(predictions - labels), weights, metrics_collections, updates_collections, name or "mean_absolute_error")


def mean_squared_error(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The mean of (predictions - labels) squared."""
    predictions, labels, weights = _aligned(predictions, labels, weights)
    return mean(math.squared_difference(labels, predictions), weights, metrics_collections, updates_collections,
                name or "mean_squared_error")


def root_mean_squared_error(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The square root of the mean squared error."""
    value, update = mean_squared_error(labels, predictions, weights, name=name or "root_mean_squared_error")
    return _collected(math.sqrt(value), math.sqrt(update), metrics_collections, updates_collections)


def mean_relative_error(labels, predictions, normalizer, weights=None, metrics_collections=None, updates_collections=None,
                        name=None):
    """The mean of |labels - predictions| / normalizer, and 0 where the normalizer is."""
    predictions, labels, weights = _aligned(predictions, labels, weights)
    normalizer = without_last_axis(convert_to_tensor(normalizer), predictions)
    relative = math.div_no_nan(math.abs(labels - predictions), normalizer)
    return mean(relative, weights, metrics_collections, updates_collections, name or "mean_relative_error")


def mean_cosine_distance(labels, predictions, dim, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """1 - the mean inner product along `dim`."""
    predictions, labels, weights = _aligned(predictions, labels, weights)
    products = math.reduce_sum(math.multiply(predictions, labels), [dim], True)
    distance, update = mean(products, weights, name=name or "mean_cosine_distance")
    return _collected(math.subtract(1.0, distance), math.subtract(1.0, update), metrics_collections, updates_collections)


def percentage_below(values, threshold, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The share of values below the threshold."""
    below = math.cast(math.less(values, threshold), dtypes.float32)
    return mean(below, weights, metrics_collections, updates_collections, name or "percentage_below_threshold")


def _confusion(labels, predictions, num_classes, weights):
    """(the variable, the updated variable) of the matrix [label, prediction] of weighted counts."""
    total = metric_variable([num_classes, num_classes], dtypes.float64, name="total_confusion_matrix")
    predictions, labels = math.cast(predictions, dtypes.int64), math.cast(labels, dtypes.int64)
    predictions, labels = array.reshape(predictions, [-1]), array.reshape(labels, [-1])
    places = array.stack([labels, predictions], axis=1)
    counts = array.ones_like(predictions, dtypes.float64) if weights is None else \
        math.cast(array.reshape(weights, [-1]), dtypes.float64)
    update = total.assign_add(array.scatter_nd(places, counts, np.int64([num_classes, num_classes])))
    return total, convert_to_tensor(update)


def mean_iou(labels, predictions, num_classes, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The mean over the classes of intersection / union. Unlike elsewhere, update is the updated confusion matrix."""
    with variable_scope(name, default_name="mean_iou"):
        total, update = _confusion(labels, predictions, num_classes, weights)
        diagonal = math.cast(matrix_diag_part(total), dtypes.float32)
        union = math.cast(math.reduce_sum(total, 0), dtypes.float32) + math.cast(
            math.reduce_sum(total, 1), dtypes.float32) - diagonal
        present = math.reduce_sum(math.cast(math.not_equal(union, 0), dtypes.float32))
        value = math.div_no_nan(math.reduce_sum(math.div_no_nan(diagonal, union)), present, name="mean_iou")
        return _collected(value, update, metrics_collections, updates_collections)


def mean_per_class_accuracy(labels, predictions, num_classes, weights=None, metrics_collections=None, updates_collections=None,
                            name=None):
    """The mean over the classes of each one's accuracy. Unlike elsewhere, update is the accuracy of each class."""
    with variable_scope(name, default_name="mean_accuracy"):
        labels, predictions = math.cast(labels, dtypes.int64), math.cast(predictions, dtypes.int64)
        predictions, labels, weights = _aligned(predictions, labels, weights)
        total = metric_variable([num_classes], dtypes.float32, name="total")
        count = metric_variable([num_classes], dtypes.float32, name="count")
        flat = array.reshape(labels, [-1])
        share = array.ones_like(flat, dtypes.float32)
        if weights is not None:
            share = share * array.reshape(broadcast_weights(math.cast(weights, dtypes.float32), labels), [-1])
        correct = math.cast(math.equal(flat, array.reshape(predictions, [-1])), dtypes.float32) * share
        counted = count.assign_add(math.unsorted_segment_sum(share, flat, num_classes))
        added = total.assign_add(math.unsorted_segment_sum(correct, flat, num_classes))
        value = math.reduce_mean(math.div_no_nan(total, count), name="mean_accuracy")
        update = math.div_no_nan(added, counted, name="update_op")
        return _collected(value, update, metrics_collections, updates_collections)


def _count(hits, weights, metrics_collections=None, updates_collections=None):
    """How many of `hits` there were, weighted. Variable: count."""
    count = metric_variable([], dtypes.float32, name="count")
    values = math.cast(hits, dtypes.float32)
    if weights is not None:
        values = math.multiply(values, broadcast_weights(math.cast(weights, dtypes.float32), values))
    value = array.identity(count)
    update = array.identity(count.assign_add(math.reduce_sum(values)))
    return _collected(value, update, metrics_collections, updates_collections)


def _count_of(label, prediction, what):
    """The metric that counts where labels are `label` and predictions `prediction`."""
    def metric(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
        with variable_scope(name, default_name=what):
            predictions, labels, weights = _aligned(math.cast(predictions, dtypes.bool_), math.cast(labels, dtypes.bool_), weights)
            hits = math.logical_and(math.equal(labels, label), math.equal(predictions, prediction))
            return _count(hits, weights, metrics_collections, updates_collections)

    metric.__name__ = metric.__qualname__ = what
    metric.__doc__ = f"How many {what.replace('_', ' ')} there were, weighted. Variable: count."
    return metric


true_positives = _count_of(True, True, "true_positives")
false_positives = _count_of(False, True, "false_positives")
true_negatives = _count_of(False, False, "true_negatives")
false_negatives = _count_of(True, False, "false_negatives")


def _share_of_hits(other, scope_name):
    """The metric true positives / (true positives + what `other` counts)."""
    def metric(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
        with variable_scope(name, default_name=scope_name):
            hits, hits_update = true_positives(labels, predictions, weights)
            rest, rest_update = other(labels, predictions, weights)
            value = math.div_no_nan(hits, hits + rest, name="value")
            update = math.div_no_nan(hits_update, hits_update + rest_update, name="update_op")
            return _collected(value, update, metrics_collections, updates_collections)

    metric.__name__ = metric.__qualname__ = scope_name
    return metric


precision = _share_of_hits(false_positives, "precision")
precision.__doc__ = "True positives / (true positives + false positives); 0 when there are none."
recall = _share_of_hits(false_negatives, "recall")
recall.__doc__ = "True positives / (true positives + false negatives); 0 when there are none."


def _histograms(labels, predictions, thresholds, weights):
    """For each threshold the weighted number of (positives, negatives) predicted above it, and the totals of both.

    The values fall into the classes between the thresholds first: the work grows with the values, not with values times
    thresholds.
    """
    order = np.argsort(thresholds, kind="stable")
    ascending = np.asarray(thresholds, np.float32)[order]
    number = len(ascending)
    flat = array.reshape(math.cast(predictions, dtypes.float32), [-1])
    # Bucketize counts boundaries that are not above a value; negated, thresholds that are not below the prediction.
    place = number - apply_op("Bucketize", -flat, boundaries=[float(-t) for t in ascending[::-1]])
    positive = math.cast(array.reshape(labels, [-1]), dtypes.float32)
    share = array.ones_like(flat)
    if weights is not None:
        share = array.reshape(broadcast_weights(math.cast(weights, dtypes.float32), predictions), [-1])
    result = []
    for mass in (positive * share, (1.0 - positive) * share):
        classes = math.unsorted_segment_sum(mass, place, number + 1)
        above = math.cumsum(classes, reverse=True)[1:]
        back = np.argsort(order)
        if not np.array_equal(back, np.arange(number)):
            above = array.gather(above, back.astype(np.int32))
        result += [above, math.reduce_sum(mass)]
    return result


def _at_thresholds(labels, predictions, thresholds, weights, wanted):
    """({what: variable}, {what: updated variable}) of the weighted counts by threshold. `wanted`: among tp, fp, tn, fn."""
    predictions, labels, weights = _aligned(predictions, math.cast(labels, dtypes.bool_), weights)
    hits, positives, alarms, negatives = _histograms(labels, predictions, thresholds, weights)
    parts = {"tp": (hits, "true_positives"), "fn": (positives - hits, "false_negatives"),
             "tn": (negatives - alarms, "true_negatives"), "fp": (alarms, "false_positives")}
    values, updates = {}, {}
    for key in wanted:
        variable = metric_variable([len(thresholds)], dtypes.float32, name=parts[key][1])
        values[key], updates[key] = variable, convert_to_tensor(variable.assign_add(parts[key][0]))
    return values, updates


def _count_at_thresholds(key, scope_name):
    def metric(labels, predictions, thresholds, weights=None, metrics_collections=None, updates_collections=None, name=None):
        with variable_scope(name, default_name=scope_name):
            values, updates = _at_thresholds(labels, predictions, thresholds, weights, (key,))
            return _collected(convert_to_tensor(values[key]), updates[key], metrics_collections, updates_collections)

    metric.__name__ = metric.__qualname__ = scope_name + "_at_thresholds"
    metric.__doc__ = f"How many {scope_name.replace('_', ' ')} there were at each threshold, weighted."
    return metric


true_positives_at_thresholds = _count_at_thresholds("tp", "true_positives")
false_positives_at_thresholds = _count_at_thresholds("fp", "false_positives")
true_negatives_at_thresholds = _count_at_thresholds("tn", "true_negatives")
false_negatives_at_thresholds = _count_at_thresholds("fn", "false_negatives")


def _share_at_thresholds(other, scope_name):
    def metric(labels, predictions, thresholds, weights=None, metrics_collections=None, updates_collections=None, name=None):
        with variable_scope(name, default_name=scope_name + "_at_thresholds"):
            values, updates = _at_thresholds(labels, predictions, thresholds, weights, ("tp", other))
            value = math.truediv(values["tp"], _EDGE + values["tp"] + values[other], name=f"{scope_name}_value")
            update = math.truediv(updates["tp"], _EDGE + updates["tp"] + updates[other], name=f"{scope_name}_update_op")
            return _collected(value, update, metrics_collections, updates_collections)

    metric.__name__ = metric.__qualname__ = scope_name + "_at_thresholds"
    metric.__doc__ = f"The {scope_name} at each threshold."
    return metric


precision_at_thresholds = _share_at_thresholds("fp", "precision")
recall_at_thresholds = _share_at_thresholds("fn", "recall")


def _best_at(bound, wanted, value, labels, predictions, weights, num_thresholds, collections, name):
    """The largest share `wanted` among the thresholds where the share `bound` is `value`, or nearest to it."""
    if not 0 <= value <= 1:
        raise ValueError(f"`{bound}` must be in the range [0, 1]. Currently, `{bound}` got {value}")
    with variable_scope(name, default_name=f"{wanted}_at_{bound}"):
        counts = _at_thresholds(labels, predictions, _even_thresholds(num_thresholds), weights, ("tp", "fn", "tn", "fp"))
        shares = [_share_where({key: convert_to_tensor(v) for key, v in c.items()}, bound, wanted, value) for c in counts]
        return _collected(array.identity(shares[0], "value"), array.identity(shares[1], "update_op"), *collections)


def _share_where(counts, bound, wanted, value):
    shares = {"sensitivity": math.truediv(counts["tp"], counts["tp"] + counts["fn"] + _EDGE),
              "specificity": math.truediv(counts["tn"], counts["tn"] + counts["fp"] + _EDGE)}
    distances = math.abs(shares[bound] - value)
    nearest = math.equal(distances, math.reduce_min(distances))
    return math.reduce_max(array.where(nearest, shares[wanted], array.zeros_like(distances)))


def sensitivity_at_specificity(labels, predictions, specificity, weights=None, num_thresholds=200, metrics_collections=None,
                               updates_collections=None, name=None):
    """The true positive rate at the threshold where the true negative rate is `specificity`, or nearest to it."""
    return _best_at("specificity", "sensitivity", specificity, labels, predictions, weights, num_thresholds,
                    (metrics_collections, updates_collections), name)


def specificity_at_sensitivity(labels, predictions, sensitivity, weights=None, num_thresholds=200, metrics_collections=None,
                               updates_collections=None, name=None):
    """The true negative rate at the threshold where the true positive rate is `sensitivity`, or nearest to it."""
    return _best_at("sensitivity", "specificity", sensitivity, labels, predictions, weights, num_thresholds,
                    (metrics_collections, updates_collections), name)


def _even_thresholds(number):
    inner = [(i + 1) / (number - 1) for i in range(number - 2)]
    return [-_EDGE, *inner, 1.0 + _EDGE]


def _area(counts, curve, method, name):
    """The area under the curve through the points at the thresholds."""
    tp, fp, fn = counts["tp"], counts["fp"], counts["fn"]
    if curve == "PR" and method == "careful_interpolation":
        return _interpolated_area(tp, fp, fn, name)
    recall_at = math.truediv(tp + _EPSILON, tp + fn + _EPSILON)
    if curve == "ROC":
        x, y = math.truediv(fp, fp + counts["tn"] + _EPSILON), recall_at
    else:
        x, y = recall_at, math.truediv(tp + _EPSILON, tp + fp + _EPSILON)
    left, right = y[:-1], y[1:]
    heights = {"trapezoidal": lambda: (left + right) / 2.0, "careful_interpolation": lambda: (left + right) / 2.0,
               "minoring": lambda: math.minimum(left, right), "majoring": lambda: math.maximum(left, right)}[method]()
    return math.reduce_sum(math.multiply(x[:-1] - x[1:], heights), name=name)


def _interpolated_area(tp, fp, fn, name):
    """The area under precision over recall, true positives taken as linear in the positives (Davis and Goadrich 2006)."""
    positives = tp + fp
    steps = tp[:-1] - tp[1:]
    slope = math.div_no_nan(steps, math.maximum(positives[:-1] - positives[1:], 0.0))
    intercept = tp[1:] - slope * positives[1:]
    both = math.logical_and(positives[:-1] > 0, positives[1:] > 0)
    ratio = array.where(both, math.div_no_nan(positives[:-1], math.maximum(positives[1:], 0.0)), array.ones_like(positives[1:]))
    areas = math.div_no_nan(slope * (steps + intercept * math.log(ratio)), math.maximum(tp[1:] + fn[1:], 0.0))
    return math.reduce_sum(areas, name=name)


def auc(labels, predictions, weights=None, num_thresholds=200, metrics_collections=None, updates_collections=None, curve="ROC",
        name=None, summation_method="trapezoidal", thresholds=None):
    """The area under the ROC or PR curve, through its points at evenly spaced (or given) thresholds.

    Variables: true_positives, false_negatives, true_negatives, false_positives. The step fails for predictions outside [0, 1].
    """
    if curve not in ("ROC", "PR"):
        raise ValueError(f"curve must be either ROC or PR, {curve} unknown")
    if summation_method not in ("trapezoidal", "careful_interpolation", "minoring", "majoring"):
        raise ValueError(f"Invalid summation_method: {summation_method}")
    if thresholds is not None:
        if any(t < 0.0 or t > 1.0 for t in thresholds):
            raise ValueError(f"thresholds must lie in [0, 1]: {thresholds}")
        thresholds = [-_EDGE, *sorted(thresholds), 1.0 + _EDGE]
    else:
        thresholds = _even_thresholds(num_thresholds)
    with variable_scope(name, default_name="auc"):
        predictions = convert_to_tensor(predictions)
        bounds = [check.assert_greater_equal(predictions, np.zeros((), predictions.dtype.as_numpy_dtype),
                                             message="predictions must be in [0, 1]"),
                  check.assert_less_equal(predictions, np.ones((), predictions.dtype.as_numpy_dtype),
                                          message="predictions must be in [0, 1]")]
        with get_default_graph().control_dependencies(bounds):
            predictions = array.identity(predictions)
        values, updates = _at_thresholds(labels, predictions, thresholds, weights, ("tp", "fn", "tn", "fp"))
        value = _area({key: convert_to_tensor(v) for key, v in values.items()}, curve, summation_method, "value")
        update = _area(updates, curve, summation_method, "update_op")
        return _collected(value, update, metrics_collections, updates_collections)


_AT_K = ("average_precision_at_k", "precision_at_k", "precision_at_top_k", "recall_at_k", "recall_at_top_k",
         "sparse_average_precision_at_k", "sparse_precision_at_k")


def __getattr__(name):
    if name in _AT_K:
        from .ops import metrics_at_k
        return getattr(metrics_at_k, name)
    raise AttributeError(f"module 'headrace.metrics' has no attribute '{name}'")


def __dir__():
    return sorted([*globals(), *_AT_K])
