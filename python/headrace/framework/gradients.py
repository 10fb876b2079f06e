"""Gradients of tensors: the backward graph is built by the native library."""

from .convert import convert_to_tensor
from .graph import IndexedSlices, get_default_graph, name_scope
from .op_library import apply_op
from .variables import Variable


class UnconnectedGradients:
    NONE, ZERO = "none", "zero"


class AggregationMethod:
    """How gradients of one tensor are added up. They are added in one way here, whatever is asked for."""

    ADD_N, EXPERIMENTAL_TREE, EXPERIMENTAL_ACCUMULATE_N = 0, 1, 2
    DEFAULT = ADD_N


def _native_gradient(gradient):
    if isinstance(gradient, IndexedSlices):
        shape = None if gradient.dense_shape is None else gradient.dense_shape._key()
        return gradient.indices._key(), gradient.values._key(), shape
    return gradient._key()


def _from_native(graph, gradient):
    if gradient is None:
        return None
    if len(gradient) == 2:
        return graph._tensor(gradient)
    indices, values, shape = gradient
    return IndexedSlices(graph._tensor(values), graph._tensor(indices), None if shape is None else graph._tensor(shape))


def _as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _sources(values):
    """What gradients end at: tensors, and the handles of variables."""
    return [x.handle if isinstance(x, Variable) else convert_to_tensor(x) for x in _as_list(values)]


def _weight(given, y):
    return apply_op("OnesLike", y) if given is None else convert_to_tensor(given, y.dtype)


def gradients(ys, xs, grad_ys=None, name="gradients", colocate_gradients_with_ops=False, gate_gradients=False,
              aggregation_method=None, stop_gradients=None, unconnected_gradients=UnconnectedGradients.NONE):
    """The gradients of the sum of `ys` for each of `xs`, weighted by `grad_ys`: tensors, IndexedSlices, or None.

    Nothing flows through `stop_gradients`: they count as constants. The `xs` may be tensors or variables. A `y` that is not of
    floating type has no gradients.
    """
    graph = get_default_graph()
    graph._check_open()
    ys = [convert_to_tensor(y) for y in _as_list(ys)]
    for y in ys:
        if not (y.dtype.is_floating or y.dtype.is_complex):
            from .. import logging
            logging.warning("The dtype of the target tensor must be floating (e.g. tf.float32) when calling tf.gradients: %s is %s",
                            y.name, y.dtype.name)
            return [None] * len(_as_list(xs))
    xs = _sources(xs)
    weights = [] if grad_ys is None else [_weight(g, y) for g, y in zip(_as_list(grad_ys), ys)]
    stops = [] if stop_gradients is None else _sources(stop_gradients)
    graph._sync()
    found = graph._native.gradients([t._key() for t in ys], [t._key() for t in xs], [t._key() for t in weights],
                                    graph._context(), [t._key() for t in stops])
    graph._sync()
    result = [_from_native(graph, g) for g in found]
    if unconnected_gradients == UnconnectedGradients.ZERO:
        result = [apply_op("ZerosLike", x) if g is None else g for g, x in zip(result, xs)]
    return result


def hessians(ys, xs, name="hessians", colocate_gradients_with_ops=False, gate_gradients=False, aggregation_method=None):
    """The second derivatives of the sum of `ys` by each of `xs`: for an x of shape s, a tensor of shape s + s.

    Raises ValueError where a first or second derivative does not exist, as of a linear function.
    """
    made = []
    for x, first in zip(_as_list(xs), gradients(ys, xs)):
        shape = x.shape
        if not shape.is_fully_defined():
            raise NotImplementedError(f"hessians: the shape of each x must be known, {x} has {shape}")
        with name_scope(name):
            flat = apply_op("Reshape", _existing(first), [-1])
            seconds = [gradients(apply_op("GatherV2", flat, i, 0), x)[0] for i in range(shape.num_elements())]
            rows = apply_op("Pack", [_existing(second) for second in seconds])
            made.append(apply_op("Reshape", rows, shape.as_list() * 2))
    return made


def _existing(gradient):
    if gradient is None:
        raise ValueError("None values not supported.")
    return convert_to_tensor(gradient)
