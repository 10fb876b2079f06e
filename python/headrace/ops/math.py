"""Element-wise math, products, reductions; and the operators of tensors and variables."""

import builtins

import numpy as np

from .._native import native
from ..framework import dtypes
from ..framework.convert import convert_to_tensor, dtype_of, is_tensor_like
from ..framework.graph import IndexedSlices, Tensor, get_default_graph, name_scope
from ..framework.op_library import apply_op
from ..framework.variables import Variable, _Assigned


def _unary(public_name, op_type, doc):
    def function(x, name=None):
        return apply_op(op_type, x, name=name)

    function.__name__ = function.__qualname__ = public_name
    function.__doc__ = doc
    return function


# What TensorFlow calls the result, where that is not the op's name: programs find tensors by it.
_DEFAULT_NAMES = {"add": "Add", "floordiv": "floordiv"}


def _binary(public_name, op_type, doc):
    default_name = _DEFAULT_NAMES.get(public_name, op_type)

    def function(x, y, name=None):
        return apply_op(op_type, x, y, name=name or default_name)

    function.__name__ = function.__qualname__ = public_name
    function.__doc__ = doc
    return function


for _name, _op, _doc in (
        ("exp", "Exp", "e to the power x, element-wise."),
        ("expm1", "Expm1", "exp(x) - 1, exact for small x."),
        ("log", "Log", "Natural logarithm, element-wise."),
        ("log1p", "Log1p", "log(1 + x), exact for small x."),
        ("sqrt", "Sqrt", "Square root, element-wise."),
        ("rsqrt", "Rsqrt", "1 / sqrt(x), element-wise."),
        ("square", "Square", "x * x, element-wise."),
        ("negative", "Neg", "-x, element-wise."),
        ("reciprocal", "Reciprocal", "1 / x, element-wise."),
        ("floor", "Floor", "The largest integer not above x."),
        ("ceil", "Ceil", "The smallest integer not below x."),
        ("rint", "Rint", "The nearest integer; halves go to the even one."),
        ("sin", "Sin", "Sine, element-wise."),
        ("cos", "Cos", "Cosine, element-wise."),
        ("tan", "Tan", "Tangent, element-wise."),
        ("asin", "Asin", "Arc sine, element-wise."),
        ("acos", "Acos", "Arc cosine, element-wise."),
        ("atan", "Atan", "Arc tangent, element-wise."),
        ("sinh", "Sinh", "Hyperbolic sine, element-wise."),
        ("cosh", "Cosh", "Hyperbolic cosine, element-wise."),
        ("asinh", "Asinh", "Inverse of sinh, element-wise."),
        ("acosh", "Acosh", "Inverse of cosh, element-wise."),
        ("atanh", "Atanh", "Inverse of tanh, element-wise."),
        ("erf", "Erf", "The error function, element-wise."),
        ("erfc", "Erfc", "1 - erf(x), element-wise."),
        ("erfinv", "Erfinv", "The x whose erf is the argument, element-wise."),
        ("lgamma", "Lgamma", "log of |gamma(x)|, element-wise."),
        ("digamma", "Digamma", "Derivative of lgamma, element-wise."),
        ("sigmoid", "Sigmoid", "1 / (1 + exp(-x)), element-wise."),
        ("tanh", "Tanh", "Hyperbolic tangent, element-wise."),
        ("is_nan", "IsNan", "True where x is not a number."),
        ("is_inf", "IsInf", "True where x is infinite."),
        ("is_finite", "IsFinite", "True where x is neither infinite nor not a number."),
        ("logical_not", "LogicalNot", "not x, element-wise, of bools."),
        ("conj", "Conj", "The complex conjugate.")):
    if native.has_op(_op):
        globals()[_name] = _unary(_name, _op, _doc)

for _name, _op, _doc in (
        ("add", "AddV2", "x + y with broadcasting."),
        ("subtract", "Sub", "x - y with broadcasting."),
        ("multiply", "Mul", "x * y with broadcasting."),
        ("realdiv", "RealDiv", "x / y with broadcasting, of floating types."),
        ("floordiv", "FloorDiv", "The largest integer not above x / y."),
        ("truncatediv", "TruncateDiv", "x / y, rounded towards zero."),
        ("floormod", "FloorMod", "The remainder of floordiv."),
        ("truncatemod", "TruncateMod", "The remainder of truncatediv."),
        ("maximum", "Maximum", "The larger one, element-wise."),
        ("minimum", "Minimum", "The smaller one, element-wise."),
        ("pow", "Pow", "x to the power y, element-wise."),
        ("squared_difference", "SquaredDifference", "(x - y) squared, element-wise."),
        ("div_no_nan", "DivNoNan", "x / y, and 0 where y is 0."),
        ("less", "Less", "x < y, element-wise."),
        ("less_equal", "LessEqual", "x <= y, element-wise."),
        ("greater", "Greater", "x > y, element-wise."),
        ("greater_equal", "GreaterEqual", "x >= y, element-wise."),
        ("equal", "Equal", "x == y, element-wise."),
        ("not_equal", "NotEqual", "x != y, element-wise."),
        ("logical_and", "LogicalAnd", "x and y, element-wise, of bools."),
        ("logical_or", "LogicalOr", "x or y, element-wise, of bools.")):
    if native.has_op(_op):
        globals()[_name] = _binary(_name, _op, _doc)


def log_sigmoid(x, name=None):
    """log(sigmoid(x)), exact where sigmoid(x) is all but 0."""
    with name_scope(name or "LogSigmoid") as scope:
        return apply_op("Neg", apply_op("Softplus", apply_op("Neg", x)), name=scope)


floor_div, mod, floor_mod = floordiv, floormod, floormod  # noqa: F821
neg, mul, sub = negative, multiply, subtract  # noqa: F821


def logical_xor(x, y, name="LogicalXor"):
    """True where exactly one of x and y is."""
    return apply_op("NotEqual", convert_to_tensor(x, dtypes.bool_), y, name=name)


def abs(x, name=None):  # noqa: A001 - TensorFlow's name
    """|x|, element-wise; of complex numbers the magnitude."""
    x = convert_to_tensor(x)
    if x.dtype.is_complex:
        return apply_op("ComplexAbs", x, Tout=x.dtype.real_dtype, name=name)
    return apply_op("Abs", x, name=name)


def sign(x, name=None):
    """-1, 0 or 1 by the sign of x."""
    return apply_op("Sign", x, name=name)


def round(x, name=None):  # noqa: A001
    """The nearest integer; halves go to the even one."""
    x = convert_to_tensor(x)
    return x if x.dtype.is_integer else apply_op("Round", x, name=name)


def truediv(x, y, name=None):
    """x / y; integers become floating first (float32 for 8 and 16 bits, else float64)."""
    with name_scope(name or "truediv") as scope:
        x = convert_to_tensor(x, dtype_of(y) if not is_tensor_like(x) else None, name="x")
        y = convert_to_tensor(y, x.dtype.base_dtype, name="y")
        if x.dtype.base_dtype is not y.dtype.base_dtype:
            raise TypeError(f"x and y must have the same dtype, got {x.dtype!r} != {y.dtype!r}")
        if x.dtype.is_integer:
            wide = dtypes.float32 if x.dtype.size <= 2 else dtypes.float64
            x, y = cast(x, wide), cast(y, wide)
        return apply_op("RealDiv", x, y, name=scope)


def divide(x, y, name=None):
    """x / y in Python's sense."""
    return truediv(x, y, name)


def div(x, y, name=None):
    """x / y; of integers the floor, as Python 2's operator."""
    x = convert_to_tensor(x, dtype_of(y) if not is_tensor_like(x) else None)
    return apply_op("RealDiv" if x.dtype.is_floating or x.dtype.is_complex else "FloorDiv", x, y, name=name or "div")


def cast(x, dtype, name=None):
    """x in another type. A tensor of that type already is returned as it is."""
    dtype = dtypes.as_dtype(dtype).base_dtype
    if isinstance(x, IndexedSlices):
        return IndexedSlices(cast(x.values, dtype), x.indices, x.dense_shape)
    components = getattr(x, "_map_values", None)
    if components is not None:
        return components(lambda values: cast(values, dtype))
    x = convert_to_tensor(x, name="x")
    return x if x.dtype.base_dtype is dtype else apply_op("Cast", x, DstT=dtype, name=name)


def saturate_cast(value, dtype, name=None):
    """cast that stops at the type's limits instead of wrapping."""
    with name_scope(name or "saturate_cast") as scope:
        value, dtype = convert_to_tensor(value, name="value"), dtypes.as_dtype(dtype).base_dtype
        kind = value.dtype.base_dtype
        limits = []
        for bound, beyond in ((max(kind.min, dtype.min), lambda x: x < dtype.min), (min(kind.max, dtype.max), lambda x: x > dtype.max)):
            limit = kind.as_numpy_dtype(bound)
            if kind.is_floating and dtype.is_integer and beyond(int(limit)):  # the bound was rounded away from zero
                limit = np.nextafter(limit, kind.as_numpy_dtype(0))
            limits.append(convert_to_tensor(limit, kind))
        return cast(apply_op("ClipByValue", value, *limits, name="clamp"), dtype, scope)


def to_float(x, name="ToFloat"):
    return cast(x, dtypes.float32, name)


def to_double(x, name="ToDouble"):
    return cast(x, dtypes.float64, name)


def to_int32(x, name="ToInt32"):
    return cast(x, dtypes.int32, name)


def to_int64(x, name="ToInt64"):
    return cast(x, dtypes.int64, name)


def complex(real, imag, name=None):  # noqa: A001
    """Complex numbers from their two parts."""
    real = convert_to_tensor(real)
    return apply_op("Complex", real, imag, name=name,
                    Tout=dtypes.complex64 if real.dtype.base_dtype is dtypes.float32 else dtypes.complex128)


def real(input, name=None):
    """The real part."""
    x = convert_to_tensor(input)
    return apply_op("Real", x, Tout=x.dtype.real_dtype, name=name) if x.dtype.is_complex else x


def imag(input, name=None):
    """The imaginary part."""
    x = convert_to_tensor(input)
    return apply_op("Imag", x, Tout=x.dtype.real_dtype, name=name) if x.dtype.is_complex else apply_op("ZerosLike", x)


def add_n(inputs, name=None):
    """The sum of a list of tensors of one shape."""
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError("add_n: inputs must be a list of at least one Tensor with the same dtype and shape")
    tensors = [convert_to_tensor(t) for t in inputs]
    if len(tensors) == 1:
        return apply_op("Identity", tensors[0], name=name) if name else tensors[0]
    return apply_op("AddN", tensors, name=name)


def accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    return add_n(inputs, name)


def matmul(a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, a_is_sparse=False,
           b_is_sparse=False, name=None):
    """Matrix product of [..., n, k] and [..., k, m]; higher ranks are batches."""
    a = convert_to_tensor(a, dtype_of(b) if not is_tensor_like(a) else None, name="a")
    b = convert_to_tensor(b, None if is_tensor_like(b) else a.dtype.base_dtype, name="b")
    if b.dtype.base_dtype is not a.dtype.base_dtype:
        raise TypeError(f"Input 'b' of 'MatMul' Op has type {b.dtype.base_dtype.name} that does not match type "
                        f"{a.dtype.base_dtype.name} of argument 'a'.")
    if (a.shape.rank or 2) > 2 or (b.shape.rank or 2) > 2:
        return apply_op("BatchMatMulV2", conj(a) if transpose_a and a.dtype.is_complex else a,  # noqa: F821
                        conj(b) if transpose_b and b.dtype.is_complex else b,  # noqa: F821
                        adj_x=transpose_a or adjoint_a, adj_y=transpose_b or adjoint_b, name=name or "MatMul")
    return apply_op("MatMul", a, b, transpose_a=transpose_a or adjoint_a, transpose_b=transpose_b or adjoint_b, name=name)


def tensordot(a, b, axes, name=None):
    """Sums products over pairs of axes: `axes` is a number (the last of a, the first of b) or two lists."""
    from .array import reshape, shape, gather, concat
    a, b = convert_to_tensor(a), convert_to_tensor(b)
    if isinstance(axes, int):
        axes = (list(builtins.range(a.shape.rank - axes, a.shape.rank)), list(builtins.range(axes)))
    axes_a, axes_b = [[x] if isinstance(x, int) else list(x) for x in axes]
    axes_a = [x % a.shape.rank for x in axes_a]
    axes_b = [x % b.shape.rank for x in axes_b]
    free_a = [i for i in builtins.range(a.shape.rank) if i not in axes_a]
    free_b = [i for i in builtins.range(b.shape.rank) if i not in axes_b]
    with name_scope(name or "Tensordot"):
        result = matmul(_as_matrix(a, free_a, axes_a, False), _as_matrix(b, axes_b, free_b, True))
        dims = [a.shape._dims[i] for i in free_a] + [b.shape._dims[i] for i in free_b]
        if None not in dims:
            return reshape(result, dims)
        parts = [gather(shape(a), free_a), gather(shape(b), free_b)]
        result = reshape(result, concat(parts, 0))
        result.set_shape(dims)
        return result


def _as_matrix(x, rows, columns, _):
    from .array import reshape, shape, transpose, gather
    dims = x.shape._dims
    turned = transpose(x, rows + columns)
    if None not in dims:
        return reshape(turned, [int(np.prod([dims[i] for i in rows])), int(np.prod([dims[i] for i in columns]))])
    extents = shape(x)
    sizes = [apply_op("Prod", gather(extents, group), [0]) for group in (rows, columns)]
    return reshape(turned, apply_op("Pack", sizes))


def _reduction(public_name, op_type, doc):
    def function(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
        axis = reduction_indices if axis is None else axis
        keep = bool(keepdims if keepdims is not None else keep_dims)
        x = convert_to_tensor(input_tensor)
        everything = axis is None
        if everything:
            axis = np.arange(x.shape.rank, dtype=np.int32) if x.shape.rank is not None else apply_op(
                "Range", np.int32(0), apply_op("Rank", x), np.int32(1))
        result = apply_op(op_type, x, _axis(axis), keep_dims=keep, name=name)
        if everything and not keep:
            result.set_shape([])  # which the shape function cannot tell when the rank is known only at run time
        return result

    function.__name__ = function.__qualname__ = public_name
    function.__doc__ = doc + " Over `axis` (a number or a list; None: all); keepdims keeps the axes with extent 1."
    return function


def _axis(axis):
    if isinstance(axis, (list, tuple)) and any(is_tensor_like(item) for item in axis):
        return convert_to_tensor(axis, dtypes.int32)
    return axis if is_tensor_like(axis) else np.asarray(axis, dtype=np.int32)


for _name, _op, _doc in (("reduce_sum", "Sum", "The sum."), ("reduce_mean", "Mean", "The mean."),
                         ("reduce_prod", "Prod", "The product."), ("reduce_max", "Max", "The largest."),
                         ("reduce_min", "Min", "The smallest."), ("reduce_all", "All", "Whether all are true."),
                         ("reduce_any", "Any", "Whether any is true.")):
    globals()[_name] = _reduction(_name, _op, _doc)


def reduce_logsumexp(input_tensor, axis=None, keepdims=False, name=None, reduction_indices=None, keep_dims=None):
    """log(sum(exp(x))), without overflow."""
    from .array import stop_gradient
    axis = reduction_indices if axis is None else axis
    keep = keepdims or bool(keep_dims)
    with name_scope(name or "ReduceLogSumExp"):
        largest = stop_gradient(reduce_max(input_tensor, axis, True))  # noqa: F821
        largest = apply_op("SelectV2", is_finite(largest), largest, apply_op("ZerosLike", largest))  # noqa: F821
        total = log(reduce_sum(exp(subtract(input_tensor, largest)), axis, True)) + largest  # noqa: F821
        return total if keep else reduce_sum(total, axis, False)  # noqa: F821


def reduce_variance(input_tensor, axis=None, keepdims=False, name=None):
    """The mean squared distance from the mean."""
    with name_scope(name or "reduce_variance"):
        mean = reduce_mean(input_tensor, axis, True)  # noqa: F821
        return reduce_mean(square(subtract(input_tensor, mean)), axis, keepdims)  # noqa: F821


def reduce_std(input_tensor, axis=None, keepdims=False, name=None):
    """The square root of the variance."""
    return sqrt(reduce_variance(input_tensor, axis, keepdims), name)  # noqa: F821


def argmax(input, axis=None, name=None, dimension=None, output_type=dtypes.int64):
    """The index of the largest value along `axis` (0 if none is given)."""
    axis = dimension if axis is None else axis
    return apply_op("ArgMax", input, _axis(0 if axis is None else axis), output_type=output_type, name=name)


def argmin(input, axis=None, name=None, dimension=None, output_type=dtypes.int64):
    """The index of the smallest value along `axis` (0 if none is given)."""
    axis = dimension if axis is None else axis
    return apply_op("ArgMin", input, _axis(0 if axis is None else axis), output_type=output_type, name=name)


arg_max, arg_min = argmax, argmin


def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    """The running sum along `axis`."""
    return apply_op("Cumsum", x, np.int32(axis), exclusive=exclusive, reverse=reverse, name=name)


def cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    """The running product along `axis`."""
    return apply_op("Cumprod", x, np.int32(axis), exclusive=exclusive, reverse=reverse, name=name)


def range(start, limit=None, delta=1, dtype=None, name="range"):  # noqa: A001
    """Numbers from `start` (0 if only one is given) up to `limit`, which is not among them, in steps of `delta`."""
    if limit is None:
        start, limit = 0, start
    with name_scope(name) as scope:
        kinds = [dtypes.as_dtype(dtype)] if dtype is not None else [convert_to_tensor(v).dtype.base_dtype if is_tensor_like(v)
                                                                     else dtypes.as_dtype(np.asarray(v).dtype)
                                                                     for v in (start, limit, delta)]
        if dtype is None:
            kinds = [dtypes.int32 if k is dtypes.int64 and not is_tensor_like(v) and not hasattr(v, "dtype") else k
                     for k, v in zip(kinds, (start, limit, delta))]
            kinds = [dtypes.float32 if k is dtypes.float64 and not is_tensor_like(v) and not hasattr(v, "dtype") else k
                     for k, v in zip(kinds, (start, limit, delta))]
        order = [dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64]
        chosen = max(kinds, key=order.index)
        parts = [cast(v, chosen) if is_tensor_like(v) else convert_to_tensor(v, chosen, name=n)
                 for v, n in zip((start, limit, delta), ("start", "limit", "delta"))]
        return apply_op("Range", *parts, name=scope)


def linspace(start, stop, num, name=None):
    """`num` numbers from start to stop, both among them."""
    return apply_op("LinSpace", start, stop, num, name=name)


lin_space = linspace


def segment_sum(data, segment_ids, name=None):
    """Sums of rows with equal ids; the ids are sorted."""
    return apply_op("SegmentSum", data, segment_ids, name=name)


def segment_mean(data, segment_ids, name=None):
    return apply_op("SegmentMean", data, segment_ids, name=name)


def _segments(public_name, op_type, doc, unsorted=False):
    def sorted_ids(data, segment_ids, name=None):
        return apply_op(op_type, data, segment_ids, name=name)

    def any_ids(data, segment_ids, num_segments, name=None):
        return apply_op(op_type, data, segment_ids, num_segments, name=name)

    function = any_ids if unsorted else sorted_ids
    function.__name__ = function.__qualname__ = public_name
    function.__doc__ = f"The {doc} of the rows with equal ids" + ("." if unsorted else "; the ids are sorted.")
    return function


for _op, _doc in (("Prod", "products"), ("Max", "largest"), ("Min", "smallest")):
    for _kind, _unsorted in (("Segment", False), ("UnsortedSegment", True)):
        if native.has_op(_kind + _op):
            _name = f"{'unsorted_' if _unsorted else ''}segment_{_op.lower()}"
            globals()[_name] = _segments(_name, _kind + _op, _doc, _unsorted)


def unsorted_segment_sum(data, segment_ids, num_segments, name=None):
    """Sums of rows with equal ids, for ids 0 to num_segments - 1."""
    return apply_op("UnsortedSegmentSum", data, segment_ids, num_segments, name=name)


def scalar_mul(scalar, x, name=None):
    """scalar * x; of IndexedSlices the values are multiplied."""
    if isinstance(x, IndexedSlices):
        return IndexedSlices(multiply(scalar, x.values, name), x.indices, x.dense_shape)  # noqa: F821
    return multiply(scalar, x, name)  # noqa: F821


_OPERATORS = {
    "__neg__": lambda x: apply_op("Neg", x), "__abs__": lambda x: abs(x), "__invert__": lambda x: apply_op("LogicalNot", x),
    "__matmul__": lambda x, y: matmul(x, y, name="matmul"), "__rmatmul__": lambda y, x: matmul(x, y, name="matmul"),
    "__xor__": lambda x, y: logical_xor(x, y, name="xor"),
}


def _operator(op_type, method):
    """Defines an operator and its reflection."""
    def forward(x, y):
        if isinstance(y, (dict, set)) or y is None:
            return NotImplemented
        x = convert_to_tensor(x)
        return _apply(x, y, False)

    def reflected(y, x):
        y = convert_to_tensor(y)
        return _apply(y, x, True)

    def _apply(tensor, other, swapped):
        name = _OPERATOR_NAMES.get(op_type, op_type)
        with get_default_graph().name_scope(name) as scope:
            if not is_tensor_like(other):
                other = convert_to_tensor(other, tensor.dtype.base_dtype, name="x" if swapped else "y")
            else:
                other = convert_to_tensor(other)
            if other.dtype.base_dtype is not tensor.dtype.base_dtype:
                raise TypeError(f"Input 'y' of '{op_type}' Op has type {other.dtype.base_dtype.name} that does not match type "
                                f"{tensor.dtype.base_dtype.name} of argument 'x'.")
            pair = (other, tensor) if swapped else (tensor, other)
            if op_type == "truediv":
                return truediv(*pair, name=scope)
            if op_type == "Div" or op_type == "FloorDiv":
                return apply_op("FloorDiv", *pair, name=scope)
            kind = "Add" if op_type == "AddV2" and tensor.dtype.base_dtype is dtypes.string else op_type
            if op_type in ("And", "Or"):
                kind = ("Logical" if tensor.dtype.is_bool else "Bitwise") + op_type
            return apply_op(kind, *pair, name=scope)

    _OPERATORS[f"__{method}__"] = forward
    if method not in ("lt", "le", "gt", "ge"):
        _OPERATORS[f"__r{method}__"] = reflected


_OPERATOR_NAMES = {"AddV2": "add", "FloorDiv": "floordiv", "FloorMod": "mod", "Sub": "sub", "Mul": "mul", "Pow": "pow",
                   "And": "and", "Or": "or"}

for _op, _method in (("AddV2", "add"), ("Sub", "sub"), ("Mul", "mul"), ("truediv", "truediv"), ("FloorDiv", "floordiv"),
                     ("FloorMod", "mod"), ("Pow", "pow"), ("Less", "lt"), ("LessEqual", "le"), ("Greater", "gt"),
                     ("GreaterEqual", "ge"), ("And", "and"), ("Or", "or")):
    _operator(_op, _method)


def take_operators(cls):
    """Gives a class of what stands for a tensor a tensor's operators."""
    for name, function in _OPERATORS.items():
        setattr(cls, name, function)
    cls.__array_priority__ = 100  # numpy arrays on the left leave the operator to it


for _cls in (Tensor, Variable, _Assigned):
    take_operators(_cls)
