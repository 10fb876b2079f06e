"""Random samples of ops for op_conformance.py: inputs as numpy arrays, and how to build the op from them."""
import numpy as np

FLOATS = ("float32", "float64")
INEXACT = FLOATS + ("complex64",)
INTEGERS = ("int32", "int64", "int8", "uint8", "int16")
NUMBERS = FLOATS + ("int32", "int64")
ANY = NUMBERS + ("bool", "uint8", "complex64")


class Sample:
    """`build(tf, tensors)` makes the op; inputs at `constants` are built as constants, the others are fed."""

    def __init__(self, build, *inputs, constant=(), differentiable=True):
        self.build = build
        self.inputs = [np.asarray(value) for value in inputs]
        self.constants = [i in constant for i in range(len(inputs))]
        self.differentiable = differentiable


def shape(random, rank=None, least=0, most=5):
    rank = int(random.integers(0, 4)) if rank is None else rank
    return tuple(int(extent) for extent in random.integers(least, most + 1, rank))


def values(random, dtype, dims, low=-2.0, high=2.0):
    kind = np.dtype(dtype).kind
    if kind == "b":
        return random.integers(0, 2, dims).astype(bool)
    if kind in "iu":
        return random.integers(0 if kind == "u" else -20, 21, dims).astype(dtype)
    real = random.uniform(low, high, dims)
    return (real + 1j * random.uniform(low, high, dims) if kind == "c" else real).astype(dtype)


def broadcast_pair(random):
    """Two shapes that broadcast together."""
    full = shape(random, least=1)
    parts = []
    for _ in range(2):
        part = [extent if random.random() < 0.7 else 1 for extent in full]
        parts.append(tuple(part[int(random.integers(0, len(part) + 1)):] if random.random() < 0.3 else part))
    return parts


ALL = []


def sample(op, dtypes):
    """Adds a function (random, dtype) -> Sample for the op."""
    def add(make):
        make.dtypes = dtypes
        ALL.append((op, make))
        return make
    return add


def raw(op, **attrs):
    """Builds raw_ops.OP from positional tensors named as in `attrs['names']`."""
    names = attrs.pop("names")
    return lambda tf, x: getattr(tf.raw_ops, op)(**dict(zip(names, x)), **attrs)


def add_unary(op, dtypes, low=-2.0, high=2.0, differentiable=True):
    @sample(op, dtypes)
    def make(random, dtype):
        return Sample(raw(op, names=["x"]), values(random, dtype, shape(random), low, high), differentiable=differentiable)


def add_binary(op, dtypes, low=-2.0, high=2.0, positive=False, differentiable=True):
    @sample(op, dtypes)
    def make(random, dtype):
        a, b = broadcast_pair(random)
        x, y = values(random, dtype, a, low, high), values(random, dtype, b, low, high)
        if positive and np.dtype(dtype).kind in "iu":
            y = np.abs(y % 7) + 1
            x = x if op != "Pow" else np.abs(x % 5)
        return Sample(raw(op, names=["x", "y"]), x, y.astype(dtype), differentiable=differentiable)


for name in ("Neg", "Abs", "Sign", "Square"):
    add_unary(name, FLOATS + ("int32", "int64", "int8"))
for name in ("Exp", "Expm1", "Sigmoid", "Tanh", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Asinh"):
    add_unary(name, INEXACT)
for name in ("Erf", "Erfc", "Floor", "Ceil", "Round", "Rint", "IsFinite", "IsNan", "IsInf", "Atan"):
    add_unary(name, FLOATS)
for name in ("Log", "Sqrt", "Rsqrt", "Reciprocal", "Inv"):
    add_unary(name, INEXACT, 0.1, 3.0)
add_unary("Log1p", FLOATS, -0.9, 3.0)
for name in ("Asin", "Acos", "Atanh", "Erfinv"):
    add_unary(name, FLOATS, -0.9, 0.9)
add_unary("Acosh", FLOATS, 1.1, 3.0)
add_unary("Lgamma", FLOATS, 0.1, 30.0)
add_unary("Digamma", FLOATS, 0.1, 30.0, differentiable=False)
add_unary("LogicalNot", ("bool",))
for name in ("Add", "AddV2", "Sub", "Mul", "SquaredDifference"):
    add_binary(name, NUMBERS + ("complex64",))
for name in ("Maximum", "Minimum", "Less", "LessEqual", "Greater", "GreaterEqual"):
    add_binary(name, NUMBERS + ("int8", "uint8"))
for name in ("Equal", "NotEqual"):
    add_binary(name, ANY)
for name in ("LogicalAnd", "LogicalOr"):
    add_binary(name, ("bool",))
for name in ("RealDiv", "DivNoNan", "MulNoNan", "Xdivy"):
    add_binary(name, FLOATS, 0.2, 2.0)
for name in ("Xlogy", "Xlog1py"):
    add_binary(name, FLOATS, 0.1, 2.0)
for name in ("Div", "FloorDiv", "FloorMod", "TruncateDiv"):
    add_binary(name, NUMBERS + ("int8", "uint8"), 0.2, 2.0, positive=True)
add_binary("Atan2", FLOATS, 0.2, 2.0)
add_binary("Mod", NUMBERS, 0.2, 2.0, positive=True, differentiable=False)
add_binary("Pow", NUMBERS, 0.2, 2.0, positive=True)


@sample("AddN", NUMBERS)
def _(random, dtype):
    dims = shape(random)
    return Sample(lambda tf, x: tf.raw_ops.AddN(inputs=x), *(values(random, dtype, dims) for _ in range(int(random.integers(1, 5)))))


@sample("MatMul", NUMBERS + ("complex64",))
def _(random, dtype):
    m, k, n = (int(x) for x in random.integers(0, 40, 3))
    ta, tb = bool(random.integers(2)), bool(random.integers(2))
    return Sample(raw("MatMul", names=["a", "b"], transpose_a=ta, transpose_b=tb),
                  values(random, dtype, (k, m) if ta else (m, k)), values(random, dtype, (n, k) if tb else (k, n)))


@sample("BatchMatMulV2", FLOATS + ("complex64", "int32"))
def _(random, dtype):
    m, k, n = (int(x) for x in random.integers(1, 12, 3))
    a, b = broadcast_pair(random)
    ax, ay = bool(random.integers(2)), bool(random.integers(2))
    return Sample(raw("BatchMatMulV2", names=["x", "y"], adj_x=ax, adj_y=ay),
                  values(random, dtype, a + ((k, m) if ax else (m, k))), values(random, dtype, b + ((n, k) if ay else (k, n))))


def add_reduction(op, dtypes, least=0):
    @sample(op, dtypes)
    def make(random, dtype):
        dims = shape(random, least=least)
        axes = [int(a) - (len(dims) if random.random() < 0.5 else 0) for a in range(len(dims)) if random.random() < 0.5]
        return Sample(raw(op, names=["input", "axis"], keep_dims=bool(random.integers(2))), values(random, dtype, dims),
                      np.asarray(axes, random.choice(["int32", "int64"])), constant=(1,) if random.random() < 0.5 else ())


add_reduction("Sum", NUMBERS + ("complex64",))
add_reduction("Prod", FLOATS, least=1)
add_reduction("Mean", FLOATS, least=1)
add_reduction("Max", NUMBERS, least=1)
add_reduction("Min", NUMBERS, least=1)
add_reduction("All", ("bool",))
add_reduction("Any", ("bool",))

for name in ("ArgMax", "ArgMin"):
    @sample(name, NUMBERS)
    def _(random, dtype, name=name):
        dims = shape(random, rank=int(random.integers(1, 4)), least=1)
        return Sample(raw(name, names=["input", "dimension"]), values(random, dtype, dims),
                      np.int32(random.integers(-len(dims), len(dims))), differentiable=False)

for name in ("Cumsum", "Cumprod"):
    @sample(name, NUMBERS)
    def _(random, dtype, name=name):
        dims = shape(random, rank=int(random.integers(1, 4)))
        return Sample(raw(name, names=["x", "axis"], exclusive=bool(random.integers(2)), reverse=bool(random.integers(2))),
                      values(random, dtype, dims, 0.5, 2), np.int32(random.integers(-len(dims), len(dims))))


@sample("UnsortedSegmentSum", NUMBERS)
def _(random, dtype):
    dims = shape(random, rank=int(random.integers(1, 4)))
    prefix = dims[:int(random.integers(1, len(dims) + 1))]
    return Sample(raw("UnsortedSegmentSum", names=["data", "segment_ids", "num_segments"]), values(random, dtype, dims),
                  random.integers(-1, 4, prefix).astype(np.int32), np.int32(4))


for name in ("SegmentSum", "SegmentMean"):
    @sample(name, FLOATS)
    def _(random, dtype, name=name):
        dims = shape(random, rank=int(random.integers(1, 4)), least=1)
        return Sample(raw(name, names=["data", "segment_ids"]), values(random, dtype, dims),
                      np.sort(random.integers(0, 5, dims[0])).astype(np.int32))


@sample("ClipByValue", NUMBERS)
def _(random, dtype):
    dims = shape(random)
    return Sample(raw("ClipByValue", names=["t", "clip_value_min", "clip_value_max"]), values(random, dtype, dims),
                  np.dtype(dtype).type(-1), np.dtype(dtype).type(1))


@sample("Cast", ("float32", "float64", "int32", "int64", "bool", "uint8", "complex64"))
def _(random, dtype):
    target = str(random.choice(["float32", "float64", "int32", "int64", "bool", "float16", "uint8"]))
    x = np.abs(values(random, dtype, shape(random))) if dtype not in ("bool", "complex64") else values(random, dtype, shape(random))
    return Sample(lambda tf, t: tf.cast(t[0], target), x)


for name in ("Shape", "Size", "Rank", "ZerosLike"):
    @sample(name, ANY)
    def _(random, dtype, name=name):
        return Sample(raw(name, names=["x" if name == "ZerosLike" else "input"]), values(random, dtype, shape(random)), differentiable=False)


@sample("Reshape", ANY)
def _(random, dtype):
    dims = shape(random, least=1)
    flat = [-1] if random.random() < 0.5 else [1, int(np.prod(dims))]
    return Sample(raw("Reshape", names=["tensor", "shape"]), values(random, dtype, dims), np.asarray(flat, np.int32))


@sample("ExpandDims", ANY)
def _(random, dtype):
    dims = shape(random)
    return Sample(raw("ExpandDims", names=["input", "axis"]), values(random, dtype, dims), np.int32(random.integers(-len(dims) - 1, len(dims) + 1)))


@sample("Squeeze", ANY)
def _(random, dtype):
    return Sample(raw("Squeeze", names=["input"]), values(random, dtype, (1, 3, 1)))


@sample("Transpose", ANY)
def _(random, dtype):
    dims = shape(random, rank=int(random.integers(0, 5)), most=20)
    return Sample(raw("Transpose", names=["x", "perm"]), values(random, dtype, dims), random.permutation(len(dims)).astype(np.int32))


@sample("ConcatV2", ANY)
def _(random, dtype):
    dims = list(shape(random, rank=int(random.integers(1, 4))))
    axis = int(random.integers(0, len(dims)))
    parts = []
    for _ in range(int(random.integers(2, 5))):
        dims[axis] = int(random.integers(0, 5))
        parts.append(values(random, dtype, tuple(dims)))
    return Sample(lambda tf, x: tf.raw_ops.ConcatV2(values=x[:-1], axis=x[-1]), *parts, np.int32(axis))


@sample("Pack", ANY)
def _(random, dtype):
    dims = shape(random)
    axis = int(random.integers(-len(dims) - 1, len(dims) + 1))
    return Sample(lambda tf, x: tf.raw_ops.Pack(values=x, axis=axis), *(values(random, dtype, dims) for _ in range(int(random.integers(1, 4)))))


@sample("Unpack", ANY)
def _(random, dtype):
    dims = shape(random, rank=int(random.integers(1, 4)), least=1)
    axis = int(random.integers(-len(dims), len(dims)))
    return Sample(lambda tf, x: tf.raw_ops.Unpack(value=x[0], num=dims[axis], axis=axis), values(random, dtype, dims))


@sample("Split", ANY)
def _(random, dtype):
    dims = list(shape(random, rank=int(random.integers(1, 4)), least=1))
    axis, parts = int(random.integers(0, len(dims))), int(random.integers(1, 4))
    dims[axis] *= parts
    return Sample(lambda tf, x: tf.raw_ops.Split(axis=x[0], value=x[1], num_split=parts), np.int32(axis), values(random, dtype, dims))


@sample("SplitV", ANY)
def _(random, dtype):
    dims = list(shape(random, rank=int(random.integers(1, 4)), least=1))
    axis = int(random.integers(0, len(dims)))
    sizes = random.integers(0, 4, int(random.integers(1, 4)))
    dims[axis] = int(sizes.sum())
    return Sample(lambda tf, x: tf.raw_ops.SplitV(value=x[0], size_splits=x[1], axis=x[2], num_split=len(sizes)),
                  values(random, dtype, dims), sizes.astype(np.int64), np.int32(axis))


@sample("Slice", ANY)
def _(random, dtype):
    dims = shape(random)
    begin = np.asarray([random.integers(0, extent + 1) for extent in dims], np.int32)
    size = np.asarray([random.integers(0, extent - b + 1) for extent, b in zip(dims, begin)], np.int32)
    return Sample(raw("Slice", names=["input", "begin", "size"]), values(random, dtype, dims), begin, size,
                  constant=(1, 2) if random.random() < 0.5 else ())


@sample("StridedSlice", ANY)
def _(random, dtype):
    dims = shape(random, rank=int(random.integers(1, 4)), least=1)
    count = int(random.integers(1, len(dims) + 1))
    begin, end = random.integers(-6, 7, (2, count)).astype(np.int32)
    strides = random.choice([-2, -1, 1, 2], count).astype(np.int32)
    masks = {name: int(random.integers(0, 2**count)) for name in ("begin_mask", "end_mask")}
    masks["new_axis_mask"] = int(random.integers(0, 2**count)) if random.random() < 0.3 else 0
    masks["ellipsis_mask"] = int(2**random.integers(0, count)) if random.random() < 0.3 else 0
    return Sample(raw("StridedSlice", names=["input", "begin", "end", "strides"], **masks), values(random, dtype, dims), begin, end, strides,
                  constant=(1, 2, 3) if random.random() < 0.5 else ())


@sample("Tile", ANY)
def _(random, dtype):
    dims = shape(random)
    return Sample(raw("Tile", names=["input", "multiples"]), values(random, dtype, dims), random.integers(0, 4, len(dims)).astype(np.int32))


@sample("Pad", ANY)
def _(random, dtype):
    dims = shape(random)
    return Sample(raw("Pad", names=["input", "paddings"]), values(random, dtype, dims), random.integers(0, 3, (len(dims), 2)).astype(np.int32))


@sample("PadV2", ANY)
def _(random, dtype):
    dims = shape(random)
    return Sample(raw("PadV2", names=["input", "paddings", "constant_values"]), values(random, dtype, dims),
                  random.integers(0, 3, (len(dims), 2)).astype(np.int32), values(random, dtype, ()))


@sample("BroadcastTo", NUMBERS)
def _(random, dtype):
    full = shape(random, least=1)
    part = [extent if random.random() < 0.6 else 1 for extent in full][int(random.integers(0, len(full) + 1)):]
    return Sample(raw("BroadcastTo", names=["input", "shape"]), values(random, dtype, tuple(part)), np.asarray(full, np.int32))


@sample("GatherV2", ANY)
def _(random, dtype):
    dims = shape(random, rank=int(random.integers(1, 4)), least=1)
    axis = int(random.integers(0, len(dims)))
    batch = int(random.integers(0, axis + 1))
    indices = random.integers(0, dims[axis], dims[:batch] + shape(random, rank=int(random.integers(0, 3)))).astype(np.int32)
    return Sample(lambda tf, x: tf.gather(x[0], x[1], axis=axis, batch_dims=batch), values(random, dtype, dims), indices)


@sample("GatherNd", ANY)
def _(random, dtype):
    dims = shape(random, rank=int(random.integers(1, 4)), least=1)
    depth = int(random.integers(1, len(dims) + 1))
    indices = np.stack([random.integers(0, dims[d], 5) for d in range(depth)], -1).astype(np.int32)
    return Sample(raw("GatherNd", names=["params", "indices"]), values(random, dtype, dims), indices)


@sample("ScatterNd", NUMBERS)
def _(random, dtype):
    dims = shape(random, rank=int(random.integers(1, 4)), least=1)
    depth = int(random.integers(1, len(dims) + 1))
    indices = np.stack([random.integers(0, dims[d], 5) for d in range(depth)], -1).astype(np.int32)
    return Sample(raw("ScatterNd", names=["indices", "updates", "shape"]), indices, values(random, dtype, (5,) + dims[depth:]),
                  np.asarray(dims, np.int32))


@sample("Where", ANY)
def _(random, dtype):
    return Sample(lambda tf, x: tf.where(x[0]), values(random, dtype, shape(random, rank=int(random.integers(1, 4)))), differentiable=False)


@sample("SelectV2", ANY)
def _(random, dtype):
    a, b = broadcast_pair(random)
    return Sample(raw("SelectV2", names=["condition", "t", "e"]), values(random, "bool", a), values(random, dtype, b), values(random, dtype, a))


@sample("OneHot", NUMBERS)
def _(random, dtype):
    return Sample(raw("OneHot", names=["indices", "depth", "on_value", "off_value"], axis=int(random.integers(-1, 2))),
                  random.integers(-1, 5, shape(random, rank=int(random.integers(1, 3)))).astype(np.int64), np.int32(4),
                  np.dtype(dtype).type(3), np.dtype(dtype).type(1), differentiable=False)


@sample("Unique", NUMBERS)
def _(random, dtype):
    return Sample(lambda tf, x: list(tf.raw_ops.Unique(x=x[0])), random.integers(0, 5, 12).astype(dtype), differentiable=False)


@sample("DynamicPartition", ANY)
def _(random, dtype):
    dims = shape(random, rank=int(random.integers(1, 4)))
    return Sample(lambda tf, x: tf.raw_ops.DynamicPartition(data=x[0], partitions=x[1], num_partitions=3), values(random, dtype, dims),
                  random.integers(0, 3, dims[:int(random.integers(1, len(dims) + 1))]).astype(np.int32))


@sample("DynamicStitch", ANY)
def _(random, dtype):
    order, rest = random.permutation(6).astype(np.int32), shape(random, rank=int(random.integers(0, 3)))
    return Sample(lambda tf, x: tf.raw_ops.DynamicStitch(indices=x[:2], data=x[2:]), order[:2], order[2:],
                  values(random, dtype, (2,) + rest), values(random, dtype, (4,) + rest))


@sample("ReverseV2", ANY)
def _(random, dtype):
    dims = shape(random)
    return Sample(raw("ReverseV2", names=["tensor", "axis"]), values(random, dtype, dims),
                  np.asarray([d for d in range(len(dims)) if random.random() < 0.5], np.int32))


@sample("Range", NUMBERS)
def _(random, dtype):
    start, step = int(random.integers(-9, 9)), int(random.choice([-3, -1, 1, 2]))
    return Sample(raw("Range", names=["start", "limit", "delta"]), np.dtype(dtype).type(start),
                  np.dtype(dtype).type(start + step * int(random.integers(0, 9))), np.dtype(dtype).type(step), differentiable=False)


@sample("LinSpace", FLOATS)
def _(random, dtype):
    return Sample(raw("LinSpace", names=["start", "stop", "num"]), values(random, dtype, ()), values(random, dtype, ()),
                  np.int32(random.integers(1, 9)), differentiable=False)


@sample("Fill", ANY)
def _(random, dtype):
    return Sample(raw("Fill", names=["dims", "value"]), np.asarray(shape(random), np.int32), values(random, dtype, ()))
