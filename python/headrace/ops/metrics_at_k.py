"""Streaming metrics of the k best classes of each row: tf.metrics.recall_at_k and its like."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from ..metrics import _collected, metric_variable
from . import array, math
from .weights import broadcast_weights


def _at_k_name(what, k, class_id=None):
    name = f"{what}_at_{k}" if k is not None else f"{what}_at_k"
    return name if class_id is None else f"{name}_class{class_id}"


def _expanded(labels, predictions_idx):
    """The labels with an axis for several of them, as int64; sparse ones filled up with -1, which is no class."""
    if hasattr(labels, "dense_shape"):
        from ..sparse import sparse_tensor_to_dense
        labels = sparse_tensor_to_dense(labels, default_value=-1, validate_indices=False)
    labels = math.cast(convert_to_tensor(labels), dtypes.int64)
    if labels.shape.rank is not None and predictions_idx.shape.rank == labels.shape.rank + 1:
        labels = array.expand_dims(labels, -1)
    return labels


def _first(ids):
    """Which of the last axis appear there for the first time."""
    width = array.shape(ids)[-1]
    places = apply_op("Range", 0, width, 1)
    earlier = math.less(array.expand_dims(places, 0), array.expand_dims(places, 1))
    same = math.equal(array.expand_dims(ids, -1), array.expand_dims(ids, -2))
    return math.logical_not(math.reduce_any(math.logical_and(same, earlier), -1))


def _known(ids, others):
    """Which of the last axis of `ids` are among `others`."""
    return math.reduce_any(math.equal(array.expand_dims(ids, -1), array.expand_dims(others, -2)), -1)


def _hits(predictions_idx, labels):
    return math.logical_and(_first(predictions_idx), _known(predictions_idx, labels))


def _misses(ids, others, is_sparse=False):
    missing = math.logical_and(_first(ids), math.logical_not(_known(ids, others)))
    return math.logical_and(missing, math.not_equal(ids, np.int64(-1))) if is_sparse else missing


def _counted(what, k, class_id, found, ids, weights):
    """(the variable, its update) of the weighted number of `found` (of `class_id` alone, where given)."""
    with name_scope(_at_k_name(what, k, class_id)) as scope:
        if class_id is not None:
            found = math.logical_and(found, math.equal(ids, np.int64(class_id)))
        count = math.reduce_sum(math.cast(found, dtypes.float64), -1)
        if weights is not None:
            weights = math.cast(weights, dtypes.float64)
            count = math.multiply(count, broadcast_weights(weights, count))
        variable = metric_variable([], dtypes.float64, name=scope)
        return variable, variable.assign_add(math.reduce_sum(count), name="update")


def _share_at_k(labels, predictions_idx, k, class_id, weights, collections, name, what, other):
    """True positives / (true positives + `other`), of the given indices of the best classes."""
    is_sparse = hasattr(labels, "dense_shape")
    with name_scope(name, _at_k_name(what, k, class_id)) as scope:
        best = math.cast(convert_to_tensor(predictions_idx), dtypes.int64)
        labels = _expanded(labels, best)
        hits, hits_update = _counted("true_positive", k, class_id, _hits(best, labels), best, weights)
        if other == "false_negative":
            rest, rest_update = _counted(other, k, class_id, _misses(labels, best, is_sparse), labels, weights)
        else:
            rest, rest_update = _counted(other, k, class_id, _misses(best, labels), best, weights)
        value = math.divide(hits.value(), math.add(hits.value(), rest.value()), name=scope)
        update = math.divide(hits_update, math.add(hits_update, rest_update), name="update")
        return _collected(value, update, *collections)


def recall_at_top_k(labels, predictions_idx, k=None, class_id=None, weights=None, metrics_collections=None,
                    updates_collections=None, name=None):
    """The share of the labels that are among the given classes. Variables: true_positive_at_k, false_negative_at_k."""
    return _share_at_k(labels, predictions_idx, k, class_id, weights, (metrics_collections, updates_collections), name,
                       "recall", "false_negative")


def precision_at_top_k(labels, predictions_idx, k=None, class_id=None, weights=None, metrics_collections=None,
                       updates_collections=None, name=None):
    """The share of the given classes that are labels. Variables: true_positive_at_k, false_positive_at_k."""
    return _share_at_k(labels, predictions_idx, k, class_id, weights, (metrics_collections, updates_collections), name,
                       "precision", "false_positive")


def _best(predictions, k):
    return apply_op("TopKV2", predictions, k)[1]


def recall_at_k(labels, predictions, k, class_id=None, weights=None, metrics_collections=None, updates_collections=None,
                name=None):
    """The share of the labels that are among the k classes predicted most strongly."""
    with name_scope(name, _at_k_name("recall", k, class_id)) as scope:
        return recall_at_top_k(labels, _best(predictions, k), k, class_id, weights, metrics_collections, updates_collections,
                               scope)


def precision_at_k(labels, predictions, k, class_id=None, weights=None, metrics_collections=None, updates_collections=None,
                   name=None):
    """The share of the k classes predicted most strongly that are labels."""
    with name_scope(name, _at_k_name("precision", k, class_id)) as scope:
        return precision_at_top_k(labels, _best(predictions, k), k, class_id, weights, metrics_collections,
                                  updates_collections, scope)


def _average_precisions(labels, best, classes, is_sparse):
    """Of each row: the mean, over its labels that are classes, of the precision at the places where they were found."""
    relevant = math.cast(_hits(best, labels), dtypes.float64)
    found = math.cumsum(relevant, axis=-1)
    places = math.cumsum(array.ones_like(relevant), axis=-1)
    total = math.reduce_sum(found / places * relevant, -1)
    counted = math.logical_and(math.greater_equal(labels, np.int64(0)), math.less(labels, math.cast(classes, dtypes.int64)))
    if is_sparse:
        counted = math.logical_and(counted, _first(labels))
    number = math.reduce_sum(math.cast(counted, dtypes.int32), -1)
    return total / math.cast(math.minimum(number, array.shape(best)[-1]), dtypes.float64)


def _streamed_sum(name, value):
    with name_scope(name) as scope:
        variable = metric_variable([], dtypes.float64, name=scope)
        return variable, variable.assign_add(value, name="update")


def average_precision_at_k(labels, predictions, k, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The mean average precision of the k classes predicted most strongly. Variables: max, total."""
    with name_scope(name, _at_k_name("average_precision", k)) as scope:
        best = math.cast(_best(predictions, k), dtypes.int64)
        values = _average_precisions(_expanded(labels, best), best, array.shape(predictions)[-1], hasattr(labels, "dense_shape"))
        if weights is None:
            most = math.cast(array.size(values), dtypes.float64)
        else:
            weights = broadcast_weights(math.cast(weights, dtypes.float64), values)
            values, most = math.multiply(values, weights), math.reduce_sum(weights)
        limit, limit_update = _streamed_sum("max", most)
        total, total_update = _streamed_sum("total", math.reduce_sum(values))
        value = math.div_no_nan(total, limit, name="mean")
        update = math.div_no_nan(total_update, limit_update, name=scope)
        return _collected(value, update, metrics_collections, updates_collections)


sparse_precision_at_k, sparse_average_precision_at_k = precision_at_k, average_precision_at_k  # their older names
