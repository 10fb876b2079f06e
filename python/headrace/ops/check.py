"""Assertions about values and shapes: checked at once where everything is known, else by an operation of the step."""

import numpy as np

from ..framework import dtypes, errors
from ..framework.convert import constant_value, convert_to_tensor, dtype_of, is_tensor_like
from ..framework.graph import get_default_graph, name_scope
from ..framework.op_library import apply_op
from ..framework.shape import as_shape
from ..framework.variables import no_op
from . import array, math


def Assert(condition, data, summarize=None, name=None):  # noqa: N802 - TensorFlow's name
    """An operation that fails with InvalidArgumentError, showing `data`, unless `condition` is true."""
    if not isinstance(data, (list, tuple)):
        raise TypeError(f"Assert: data must be a list of tensors, got {data!r}")
    with name_scope(name or "Assert"):
        return apply_op("Assert", condition, list(data), summarize=3 if summarize is None else summarize, name="Assert")


def _checked(label, symbol, operands, condition, statically, data, summarize, message, name):
    """The operation that asserts `condition(*operands)` for all elements. Raises at once where constants contradict it."""
    with name_scope(name or label):
        tensors = [convert_to_tensor(operands[0], None if is_tensor_like(operands[0]) else dtype_of(operands[-1]), name="x")]
        tensors += [convert_to_tensor(y, tensors[0].dtype.base_dtype, name="y") for y in operands[1:]]
        known = [constant_value(t) for t in tensors]
        prefix = f"{message}. " if message else ""
        if all(k is not None for k in known) and not np.all(statically(*known)):
            values = "\n".join(f"{n} ({t.name}) = {k}" for n, t, k in zip("xy", tensors, known))
            raise errors.InvalidArgumentError(None, None, f"{prefix}Condition {symbol} did not hold element-wise:\n{values}")
        if data is None:
            data = ([message] if message else []) + [f"Condition {symbol} did not hold element-wise:"]
            for letter, tensor in zip("xy", tensors):
                data += [f"{letter} ({tensor.name}) = ", tensor]
        return Assert(math.reduce_all(condition(*tensors)), data, summarize, name="assert_" + label)


def _pairwise(label, symbol, condition, statically, doc):
    def function(x, y, data=None, summarize=None, message=None, name=None):
        return _checked(label, f"x {symbol} y", (x, y), condition, statically, data, summarize, message, name)

    function.__name__ = function.__qualname__ = label
    function.__doc__ = f"An operation that fails unless {doc}. Raises InvalidArgumentError where constants already tell."
    return function


def _alone(label, symbol, condition, statically, doc):
    def function(x, data=None, summarize=None, message=None, name=None):
        return _checked(label, f"x {symbol} 0", (x,), condition, statically, data, summarize, message, name)

    function.__name__ = function.__qualname__ = label
    function.__doc__ = f"An operation that fails unless {doc}. Raises InvalidArgumentError where constants already tell."
    return function


assert_equal = _pairwise("assert_equal", "==", math.equal, np.equal, "x == y everywhere")
assert_none_equal = _pairwise("assert_none_equal", "!=", math.not_equal, np.not_equal, "x != y everywhere")
assert_less = _pairwise("assert_less", "<", math.less, np.less, "x < y everywhere")
assert_less_equal = _pairwise("assert_less_equal", "<=", math.less_equal, np.less_equal, "x <= y everywhere")
assert_greater = _pairwise("assert_greater", ">", math.greater, np.greater, "x > y everywhere")
assert_greater_equal = _pairwise("assert_greater_equal", ">=", math.greater_equal, np.greater_equal, "x >= y everywhere")


def _to_zero(comparison):
    return lambda x: comparison(x, np.zeros((), x.dtype.as_numpy_dtype))


assert_negative = _alone("assert_negative", "<", _to_zero(math.less), lambda x: x < 0, "x < 0 everywhere")
assert_positive = _alone("assert_positive", ">", _to_zero(math.greater), lambda x: x > 0, "x > 0 everywhere")
assert_non_negative = _alone("assert_non_negative", ">=", _to_zero(math.greater_equal), lambda x: x >= 0, "x >= 0 everywhere")
assert_non_positive = _alone("assert_non_positive", "<=", _to_zero(math.less_equal), lambda x: x <= 0, "x <= 0 everywhere")


def assert_near(x, y, rtol=None, atol=None, data=None, summarize=None, message=None, name=None):
    """An operation that fails unless |x - y| <= atol + rtol * |y| everywhere; both are 10 epsilons unless given."""
    x = convert_to_tensor(x, None if is_tensor_like(x) else dtype_of(y))
    epsilon = 10 * np.finfo(x.dtype.as_numpy_dtype).eps
    rtol, atol = (epsilon if rtol is None else rtol), (epsilon if atol is None else atol)
    return _checked("assert_near", "x and y near", (x, y),
                    lambda a, b: math.less_equal(math.abs(a - b), atol + rtol * math.abs(b)),
                    lambda a, b: np.abs(a - b) <= atol + rtol * np.abs(b), data, summarize, message, name)


def _rank_checked(label, x, wanted, allowed, describe, data, summarize, message, name):
    with name_scope(name or label):
        x = convert_to_tensor(x, name="x")
        limits = [constant_value(w) for w in wanted]
        for limit, given in zip(limits, wanted):
            if limit is not None and (np.ndim(limit) or np.asarray(limit).dtype.kind not in "iu"):
                raise ValueError(f"Rank must be a scalar integer, got {given!r}")
        if x.shape.rank is not None and all(limit is not None for limit in limits):
            if not any(allowed[0](x.shape.rank, int(limit)) for limit in limits):
                ranks = " or ".join(str(int(limit)) for limit in limits)
                raise ValueError((f"{message}. " if message else "") + f"Tensor {x.name} must have rank {describe} {ranks}. "
                                 f"Received rank {x.shape.rank}, shape {x.shape}")
            return no_op("static_checks_determined_all_ok")
        rank = array.rank(x)
        fits = math.reduce_any(array.stack([allowed[1](rank, w) for w in wanted]))
        if data is None:
            data = ([message] if message else []) + [f"Tensor {x.name} must have rank {describe}", array.stack(wanted),
                                                     "Received shape: ", array.shape(x)]
        return Assert(fits, data, summarize, name=label)


def assert_rank(x, rank, data=None, summarize=None, message=None, name=None):
    """An operation that fails unless x has this rank. Raises ValueError where the known rank differs."""
    return _rank_checked("assert_rank", x, [rank], (lambda a, b: a == b, math.equal), "", data, summarize, message, name)


def assert_rank_at_least(x, rank, data=None, summarize=None, message=None, name=None):
    """An operation that fails unless x has at least this rank. Raises ValueError where the known rank is lower."""
    fits = (lambda a, b: a >= b, math.greater_equal)
    return _rank_checked("assert_rank_at_least", x, [rank], fits, "at least", data, summarize, message, name)


def assert_rank_in(x, ranks, data=None, summarize=None, message=None, name=None):
    """An operation that fails unless x has one of the ranks. Raises ValueError where the known rank is none of them."""
    fits = (lambda a, b: a == b, math.equal)
    return _rank_checked("assert_rank_in", x, list(ranks), fits, "in", data, summarize, message, name)


def assert_scalar(tensor, name=None, message=None):
    """The tensor. Raises ValueError unless it is known to be a scalar."""
    tensor = convert_to_tensor(tensor, name=name)
    if tensor.shape.rank != 0:
        raise ValueError((f"{message}. " if message else "") + f"Expected scalar shape for {tensor.name}, saw shape: "
                         f"{tensor.shape}.")
    return tensor


def assert_type(tensor, tf_type, message=None, name=None):
    """An operation that does nothing. Raises TypeError unless the tensor has this dtype."""
    tensor, wanted = convert_to_tensor(tensor), dtypes.as_dtype(tf_type)
    if tensor.dtype.base_dtype is not wanted.base_dtype:
        raise TypeError((f"{message}. " if message else "") + f"{tensor.name} must be of type {wanted!r}; got {tensor.dtype!r}")
    return no_op(name or "statically_determined_correct_type")


def assert_integer(x, message=None, name=None):
    """An operation that does nothing. Raises TypeError unless x is of an integer type."""
    x = convert_to_tensor(x)
    if not x.dtype.is_integer:
        raise TypeError((f"{message}. " if message else "") + f"Expected \"x\" to be integer type. Found: {x.dtype!r}")
    return no_op(name or "statically_determined_was_integer")


def assert_same_float_dtype(tensors=None, dtype=None):
    """The floating dtype that all of the tensors have (float32 without any). Raises ValueError where they differ."""
    found = {convert_to_tensor(t).dtype.base_dtype for t in tensors or []} | ({dtypes.as_dtype(dtype)} if dtype else set())
    if len(found) > 1 or any(not d.is_floating for d in found):
        raise ValueError(f"Expected one floating point type, got {sorted(d.name for d in found)}")
    return found.pop() if found else dtypes.float32


def assert_proper_iterable(values):
    """Raises TypeError for what cannot be gone through: tensors, arrays, texts."""
    if is_tensor_like(values) or isinstance(values, (np.ndarray, bytes, str)) or not hasattr(values, "__iter__"):
        raise TypeError(f"Expected argument \"values\" to be a \"proper\" iterable. Found: {type(values)}")


def is_numeric_tensor(tensor):
    """Whether it is a tensor of numbers."""
    return is_tensor_like(tensor) and (tensor.dtype.is_integer or tensor.dtype.is_floating or tensor.dtype.is_complex)


def _neighbours(x, comparison, name, label):
    with name_scope(name or label):
        flat = array.reshape(convert_to_tensor(x), [-1])
        return math.reduce_all(comparison(flat[:-1], flat[1:]))


def is_non_decreasing(x, name=None):
    """A bool tensor: whether no element is below the one before."""
    return _neighbours(x, math.less_equal, name, "is_non_decreasing")


def is_strictly_increasing(x, name=None):
    """A bool tensor: whether each element is above the one before."""
    return _neighbours(x, math.less, name, "is_strictly_increasing")


def check_numerics(tensor, message, name=None):
    """The tensor; the step fails with InvalidArgumentError, quoting `message`, where it holds a NaN or an infinity."""
    return apply_op("CheckNumerics", tensor, message=message, name=name)


def verify_tensor_all_finite(t=None, msg=None, name=None, x=None, message=None):
    """The tensor, after a check that it holds neither NaN nor infinity."""
    with name_scope(name or "VerifyFinite") as scope:
        tensor = convert_to_tensor(x if t is None else t)
        with get_default_graph().colocate_with(tensor):
            verified = check_numerics(tensor, message if msg is None else msg)
        with get_default_graph().control_dependencies([verified]):
            return apply_op("Identity", tensor, name=scope)


def add_check_numerics_ops():
    """One operation that checks all floating tensors that the default graph has so far."""
    graph = get_default_graph()
    checks = []
    for op in graph.get_operations():
        for output in op.outputs:
            if output.dtype in (dtypes.float16, dtypes.float32, dtypes.float64):
                with graph.control_dependencies(checks[-1:]):
                    checks.append(check_numerics(output, output.name).op)
    with graph.control_dependencies(checks):
        return no_op()


def ensure_shape(x, shape, name=None):
    """The tensor, known to have this shape from here on; the step fails where it has another."""
    shape = as_shape(shape)
    result = apply_op("EnsureShape", x, shape=shape, name=name)
    result.set_shape(shape)
    return result
