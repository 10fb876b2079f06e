"""Calls of Headrace's Python functions that TensorFlow's module has too: name -> a function of the module.

A case returns a tensor or a list of them; DIFFERENTIATED are compared with their gradients for all arguments as well.
"""

import numpy as np

RANDOM = np.random.default_rng(11)
X = RANDOM.standard_normal((3, 4)).astype(np.float32)
Y = RANDOM.standard_normal((3, 4)).astype(np.float32)
P = (RANDOM.random((3, 4)) * 0.8 + 0.1).astype(np.float32)
Q = (RANDOM.random((3, 4)) * 2 + 0.5).astype(np.float32)
ROW = RANDOM.standard_normal(4).astype(np.float32)
COLUMN = RANDOM.standard_normal((3, 1)).astype(np.float32)
W = RANDOM.standard_normal((4, 5)).astype(np.float32)
B3 = RANDOM.standard_normal((2, 3, 4)).astype(np.float32)
C3 = RANDOM.standard_normal((2, 4, 3)).astype(np.float32)
I = np.array([[7, -3, 2, 5], [1, 4, -6, 9], [8, 2, -5, 3]], np.int32)
J = np.array([[2, 2, 3, -4], [3, 5, 4, 2], [-3, 7, 2, 5]], np.int32)
FLAGS = X > 0
IMAGE = RANDOM.standard_normal((2, 6, 7, 3)).astype(np.float32)
FILTER = RANDOM.standard_normal((3, 2, 3, 4)).astype(np.float32)
DEEP = RANDOM.standard_normal((2, 2, 3, 2)).astype(np.float32)
ONE_HOT = np.eye(4, dtype=np.float32)[[2, 0, 3]]
TABLE = RANDOM.standard_normal((6, 3)).astype(np.float32)

CASES, DIFFERENTIATED = {}, {}


def value(name, function, *arguments):
    """A case whose values are compared. `arguments` are fed, the function gets (module, *tensors)."""
    CASES[name] = (function, arguments)


def smooth(name, function, *arguments):
    """A case whose values and gradients are compared."""
    DIFFERENTIATED[name] = (function, arguments)


def named(module, name):
    for part in name.split("."):
        module = getattr(module, part)
    return module


def _call(name, *rest, **options):
    return lambda t, *a: named(t, name)(*a, *rest, **options)


# --- element-wise

for _name in ("abs asinh exp expm1 negative sign square sin cos tan sinh cosh atan erf erfc sigmoid tanh identity zeros_like ones_like "
              "is_nan is_finite is_inf floor ceil rint round math.softplus nn.relu nn.relu6 nn.elu nn.selu nn.softsign nn.softplus "
              "nn.leaky_relu nn.crelu nn.swish nn.l2_loss nn.sigmoid nn.tanh math.sigmoid stop_gradient").split():
    smooth(_name, _call(_name), X)
for _name in "log log1p sqrt rsqrt reciprocal lgamma digamma math.lgamma math.digamma".split():
    smooth(_name, _call(_name), Q)
for _name in "asin acos atanh math.erfinv".split():
    smooth(_name, _call(_name), P)
for _name in ("add subtract multiply maximum minimum squared_difference div_no_nan math.add math.multiply math.subtract divide "
              "realdiv truediv div").split():
    smooth(_name, _call(_name), X, Q)
    smooth(_name + " row", _call(_name), X, ROW)
    smooth(_name + " column", _call(_name), COLUMN, Q)
smooth("pow", _call("pow"), Q, Y)
smooth("acosh", _call("acosh"), Q + 1)
smooth("atan2", _call("atan2"), X, Y)
smooth("atan2 row", lambda t, x, y: t.atan2(y=x, x=y), X, ROW)
for _name in "math.xlogy math.xdivy math.xlog1py".split():
    smooth(_name, _call(_name), X, Q)
    smooth(_name + " zero", _call(_name), np.maximum(X, 0), Q)
smooth("math.multiply_no_nan", _call("math.multiply_no_nan"), Q, np.maximum(X, 0))
smooth("polygamma", lambda t, x: t.polygamma(t.constant([[1.0], [2.0], [3.0]]), x), Q)
smooth("zeta", lambda t, x: t.zeta(t.constant([[1.5], [2.0], [3.0]]), x), Q)
smooth("lbeta", _call("lbeta"), Q)
smooth("second derivative of lgamma", lambda t, x: t.gradients(t.lgamma(x), x)[0], Q)
for _name in "floordiv floormod mod truncatediv truncatemod floor_div add multiply maximum truediv div less equal".split():
    value(_name + " int", _call(_name), I, J)
for _name in "floordiv floormod mod".split():
    value(_name + " float", _call(_name), X, Q)
for _name in "less less_equal greater greater_equal equal not_equal".split():
    value(_name, _call(_name), X, ROW)
for _name in "logical_and logical_or logical_xor".split():
    value(_name, _call(_name), FLAGS, FLAGS[::-1].copy())
value("logical_not", _call("logical_not"), FLAGS)
for _type in "float32 float64 int32 int64 uint8 bool float16 complex64".split():
    value("cast float to " + _type, lambda t, x, d=_type: t.cast(x, getattr(t, d)), Q)
    value("cast int to " + _type, lambda t, x, d=_type: t.cast(x, getattr(t, d)), I)
smooth("cast and back", lambda t, x: t.to_float(t.to_double(x)), X)
value("to_int32", _call("to_int32"), Q)
value("to_int64", _call("to_int64"), Q)
value("saturate_cast", lambda t, x: t.saturate_cast(x * 1000, t.uint8), X)
smooth("add_n", lambda t, x, y: t.add_n([x, y, x]), X, Y)
smooth("accumulate_n", lambda t, x, y: t.accumulate_n([x, y]), X, Y)
smooth("clip_by_value", _call("clip_by_value", -0.5, 0.7), X)
smooth("clip_by_norm", _call("clip_by_norm", 1.0), X)
smooth("clip_by_norm of rows", _call("clip_by_norm", 1.0, axes=[1]), X)
smooth("clip_by_average_norm", _call("clip_by_average_norm", 0.1), X)
smooth("clip_by_global_norm", lambda t, x, y: t.clip_by_global_norm([x, y], 1.5)[0], X, Y)
smooth("global_norm", lambda t, x, y: t.global_norm([x, None, y]), X, Y)
smooth("scalar_mul", lambda t, x: t.scalar_mul(2.5, x), X)

# --- operators

smooth("operators", lambda t, x, y: [x + y, x - y, x * y, x / y, -x, abs(x), 1 + x, 2 - x, 3 * x, 1 / y, x ** 2, y ** 0.5, 2.0 ** x,
                                     x + 1, x % y, x // y], X, Q)
value("operators of ints", lambda t, x, y: [x + y, x - y, x * y, x / y, x // y, x % y, -x, 7 // y, 7 % y, x / 2, 5 - x], I, J)
value("comparisons", lambda t, x, y: [x < y, x <= y, x > y, x >= y, x < 0, 1 >= x], X, Y)
value("operators of bools", lambda t, a, b: [a & b, a | b, ~a, a ^ b], FLAGS, FLAGS[::-1].copy())
smooth("matrix operator", lambda t, x, w: x @ w, X, W)
smooth("numbers of numpy", lambda t, x: [x * np.float32(2), np.float32(2) * x, x + ROW, x * [1.0, 2.0, 3.0, 4.0]], X)
for _text in ("x[0]", "x[1, 2]", "x[-1]", "x[:, 1]", "x[1:]", "x[:, :2]", "x[..., 0]", "x[::2, ::-1]", "x[:, None]", "x[t.newaxis, 1:, ...]",
              "x[:-1]", "x[t.constant(1)]", "x[t.constant(0):t.constant(2)]"):
    smooth(_text, eval("lambda t, x: " + _text), X)
value("mask", lambda t, x: x[x > 0], X)

# --- products

smooth("matmul", _call("matmul"), X, W)
smooth("matmul transpose_a", _call("matmul", transpose_a=True), X, Y)
smooth("matmul transpose_b", _call("matmul", transpose_b=True), X, Y)
smooth("matmul of batches", _call("matmul"), B3, C3)
smooth("matmul of batches, transpose_b", _call("matmul", transpose_b=True), B3, B3[::-1].copy())
smooth("matmul of batches, adjoint_a", _call("matmul", adjoint_a=True), B3, B3[::-1].copy())
smooth("tensordot", _call("tensordot", 1), B3, W)
smooth("tensordot of two axes", _call("tensordot", [[1, 2], [2, 1]]), B3, C3)

# --- reductions

for _name in "reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_logsumexp".split():
    for _label, _options in (("", {}), (" axis", {"axis": 1}), (" axes", {"axis": [0, 1], "keepdims": True}), (" last", {"axis": -1}),
                             (" indices", {"reduction_indices": [0]}), (" keep_dims", {"axis": 1, "keep_dims": True})):
        smooth(_name + _label, _call(_name, **_options), X)
    smooth(_name + " positional", _call(_name, 0), X)
for _name in "reduce_all reduce_any".split():
    value(_name, _call(_name), FLAGS)
    value(_name + " axis", _call(_name, axis=0, keepdims=True), FLAGS)
for _name in "math.reduce_variance math.reduce_std".split():
    smooth(_name, _call(_name, axis=1), X)
value("reduce_mean of ints", _call("reduce_mean"), I)
value("argmax", _call("argmax", 1), X)
value("argmax axis", _call("argmax", axis=0), X)
value("argmax dimension", _call("argmax", dimension=1), X)
value("argmin", lambda t, x: t.argmin(x, 1, output_type=t.int32), X)
for _label, _options in (("", {}), (" axis", {"axis": 1}), (" exclusive", {"exclusive": True}), (" reverse", {"reverse": True, "axis": -1})):
    smooth("cumsum" + _label, _call("cumsum", **_options), X)
    smooth("cumprod" + _label, _call("cumprod", **_options), Q)
smooth("segment_sum", lambda t, x: t.segment_sum(x, [0, 0, 1]), X)
smooth("segment_mean", lambda t, x: t.segment_mean(x, [0, 0, 1]), X)
smooth("unsorted_segment_sum", lambda t, x: t.unsorted_segment_sum(x, [2, 0, 2], 4), X)
value("bincount", lambda t, x: t.bincount(t.abs(x)), I)
value("bincount weights", lambda t, x: t.bincount(t.abs(x), weights=t.cast(x, t.float32)), I)
value("bincount minlength", lambda t, x: t.bincount(t.abs(x), minlength=12), I)
value("bincount maxlength", lambda t, x: t.bincount(t.abs(x), maxlength=4), I)
value("range", lambda t: [t.range(5), t.range(2, 8, 3), t.range(0.0, 1.0, 0.25), t.range(5, dtype=t.float32), t.range(3, 0, -1)])
value("linspace", lambda t: [t.linspace(0.0, 1.0, 5), t.lin_space(2.0, 3.0, 3)])

# --- arrays

smooth("reshape", lambda t, x: [t.reshape(x, [2, -1]), t.reshape(x, (12,)), t.reshape(x, [-1]), t.reshape(x, t.shape(x))], X)
smooth("expand_dims", lambda t, x: [t.expand_dims(x, 0), t.expand_dims(x, axis=-1), t.expand_dims(x, dim=1)], X)
smooth("squeeze", lambda t, x: [t.squeeze(x), t.squeeze(x, [1]), t.squeeze(x, axis=1), t.squeeze(x, squeeze_dims=[1])], COLUMN)
smooth("transpose", lambda t, x: [t.transpose(x), t.transpose(x, [0, 2, 1]), t.transpose(x, perm=[2, 0, 1])], B3)
smooth("concat", lambda t, x, y: [t.concat([x, y], 0), t.concat([x, y], axis=1), t.concat([x, y], -1), t.concat([x], 0)], X, Y)
smooth("stack", lambda t, x, y: [t.stack([x, y]), t.stack([x, y], axis=1), t.stack([x, y], -1)], X, Y)
smooth("unstack", lambda t, x: t.unstack(x) + t.unstack(x, axis=1) + t.unstack(x, num=3), X)
smooth("split", lambda t, x: t.split(x, 2, 1) + t.split(x, [1, 3], axis=1) + t.split(value=x, num_or_size_splits=3, axis=0), X)
smooth("slice", lambda t, x: [t.slice(x, [1, 0], [2, 3]), t.slice(x, [0, 1], [-1, -1])], X)
smooth("strided_slice", lambda t, x: t.strided_slice(x, [0, 1], [3, 4], [2, 1]), X)
smooth("gather", lambda t, x: [t.gather(x, [2, 0, 2]), t.gather(x, 1), t.gather(x, [[0, 1], [3, 3]], axis=1)], X)
smooth("gather batch_dims", lambda t, x: t.gather(x, [[0, 1], [3, 3], [2, 1]], axis=1, batch_dims=1), X)
smooth("gather_nd", lambda t, x: [t.gather_nd(x, [[0, 1], [2, 3]]), t.gather_nd(x, [[1], [1]])], X)
smooth("scatter_nd", lambda t, x: t.scatter_nd([[1], [0], [1]], x, [3, 4]), X)
smooth("tile", lambda t, x: [t.tile(x, [2, 1]), t.tile(x, [1, 3])], X)
smooth("repeat", lambda t, x: [t.repeat(x, 2), t.repeat(x, 3, axis=0), t.repeat(x, 2, axis=1)], X)
smooth("pad", lambda t, x: [t.pad(x, [[1, 0], [0, 2]]), t.pad(x, [[1, 1], [2, 2]], constant_values=1.5),
                            t.pad(x, t.constant([[0, 1], [0, 1]]))], X)
smooth("pad by mirrors", lambda t, x: [t.pad(x, [[1, 2], [2, 0]], "REFLECT"), t.pad(x, [[1, 2], [2, 0]], mode="SYMMETRIC")], X)
smooth("reverse", lambda t, x: [t.reverse(x, [0]), t.reverse(x, axis=[1]), t.reverse(x, [-1, 0])], X)
smooth("reverse_sequence", lambda t, x: t.reverse_sequence(x, [1, 3, 4], seq_axis=1, batch_axis=0), X)
smooth("roll", lambda t, x: [t.roll(x, 1, 0), t.roll(x, [1, -2], [0, 1])], X)
smooth("where", lambda t, x, y: [t.where(x > 0, x, y), t.where(t.constant([True, False, True]), x, y)], X, Y)
smooth("where_v2", lambda t, x, y: t.where_v2(x > 0, x, y), X, ROW)
value("where alone", lambda t, x: t.where(x > 0), X)
smooth("boolean_mask", lambda t, x: [t.boolean_mask(x, FLAGS), t.boolean_mask(x, [True, False, True]), t.boolean_mask(x, FLAGS[0], axis=1)],
       X)
value("shape", lambda t, x: [t.shape(x), t.shape(x, out_type=t.int64), t.size(x), t.rank(x), t.size(x, out_type=t.int64)], B3)
value("unique", lambda t, x: list(t.unique(t.reshape(x, [-1]))) + list(t.unique_with_counts(t.reshape(x, [-1]))), I)
value("one_hot", lambda t: [t.one_hot([0, 2, -1], 3), t.one_hot([[1], [0]], 2, on_value=5.0, off_value=-1.0),
                            t.one_hot([1, 0], 3, axis=0), t.one_hot([1], 2, dtype=t.int32), t.one_hot([1], 2, True, False)])
value("constants", lambda t: [t.zeros([2, 3]), t.ones([2], t.int32), t.fill([2, 2], 7), t.constant(3, shape=[2, 2]),
                              t.constant([1, 2], dtype=t.float32), t.zeros([], t.bool), t.zeros(()), t.constant(1.5, t.float64),
                              t.zeros([2], t.string), t.constant([1, 2, 3], shape=[2, 3])])
value("likes", lambda t, x: [t.zeros_like(x, dtype=t.float32), t.ones_like(x, t.int64), t.zeros_like(x), t.ones_like(x)], I)
value("invert_permutation", lambda t: t.invert_permutation([2, 0, 1]))
smooth("dynamic_partition", lambda t, x: t.dynamic_partition(x, [0, 1, 0], 2), X)
smooth("dynamic_stitch", lambda t, x: t.dynamic_stitch([[0, 2], [1]], [x[:2], x[2:]]), X)
smooth("broadcast_to", _call("broadcast_to", [3, 4]), ROW)
value("sequence_mask", lambda t: [t.sequence_mask([1, 3, 2]), t.sequence_mask([1, 3, 2], 5), t.sequence_mask([1, 2], dtype=t.float32),
                                  t.sequence_mask([[1, 2], [0, 3]])])
value("meshgrid", lambda t: t.meshgrid([1, 2, 3], [4, 5]) + t.meshgrid([1, 2, 3], [4, 5], indexing="ij"))
value("bitcast", lambda t, x: t.bitcast(x, t.int32), X)
value("setdiff1d", lambda t: list(t.setdiff1d([1, 2, 3, 4], [2, 4])))
value("searchsorted", lambda t: t.searchsorted([1.0, 3.0, 5.0], [0.5, 3.0, 9.0]))
value("sort", lambda t, x: [t.sort(x), t.sort(x, direction="DESCENDING"), t.argsort(x)], X)
value("space_to_depth", lambda t, x: t.space_to_depth(x, 2), IMAGE[:, :, :6])
value("histogram_fixed_width", lambda t, x: t.histogram_fixed_width(x, [-1.0, 1.0], 5), X)
value("confusion_matrix", lambda t: t.confusion_matrix([1, 0, 2], [1, 2, 2]))
value("count_nonzero", lambda t, x: [t.count_nonzero(x), t.count_nonzero(x, axis=0)], I)
smooth("tuple", lambda t, x, y: t.tuple([x, y]), X, Y)
smooth("while_loop", lambda t, x: t.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * x), [t.constant(0), x])[1], X)
smooth("while_loop of unknown length", lambda t, x: t.while_loop(lambda v: t.reduce_sum(t.abs(v)) < 50.0, lambda v: v * 1.7, [x]), X)
smooth("cond", lambda t, x, y: [t.cond(t.reduce_sum(x) > 100.0, lambda: x * y, lambda: x - y),
                                t.cond(t.reduce_sum(x) < 100.0, lambda: x * y, lambda: x - y)], X, Y)
smooth("case", lambda t, x: t.case([(t.reduce_sum(x) > 100.0, lambda: x * 2), (t.reduce_sum(x) < 100.0, lambda: x * 3)],
                                   default=lambda: x), X)
smooth("map_fn", lambda t, x: t.map_fn(lambda row: row * t.reduce_sum(row), x), X)
smooth("scan", lambda t, x: [t.scan(lambda a, b: a * b + 1.0, x), t.scan(lambda a, b: a + b, x, initializer=t.zeros([4]))], X)
smooth("foldl", lambda t, x: [t.foldl(lambda a, b: a * b + 1.0, x), t.foldr(lambda a, b: a * 0.5 + b, x)], X)


def _through_array(t, x):
    array = t.TensorArray(t.float32, size=3, element_shape=[4]).unstack(x)
    doubled = t.TensorArray(t.float32, size=3, element_shape=[4])
    for i in range(3):
        doubled = doubled.write(i, array.read(2 - i) * 2.0)
    return doubled.stack()


smooth("TensorArray", _through_array, X)


def _grown(t):
    array = t.TensorArray(t.float32, size=0, dynamic_size=True, clear_after_read=False)
    array = t.while_loop(lambda i, a: i < 5, lambda i, a: (i + 1, a.write(i, t.cast(i, t.float32) * 2.0)), [0, array])[1]
    return [array.stack(), array.size(), array.read(2)]


def _nested(t, x):
    def outer(i, s):
        return i + 1, t.while_loop(lambda j, u: j < i + 1, lambda j, u: (j + 1, u * x), [0, s])[1]
    return t.while_loop(lambda i, s: i < 3, outer, [0, t.ones_like(x)])[1]


value("loop that grows an array", _grown)
value("loop with maximum_iterations", lambda t: t.while_loop(lambda i: i < 10, lambda i: i + 3, [0], maximum_iterations=2))
value("map_fn of two", lambda t: t.map_fn(lambda z: (z[0] * 2, t.reduce_sum(z[1])), (t.constant([1, 2, 3]), t.ones([3, 2])),
                                          dtype=(t.int32, t.float32)))
smooth("loop in a loop", _nested, Q)
smooth("branch in a loop", lambda t, x: t.map_fn(lambda e: t.cond(e[0] > 0, lambda: e * e, lambda: -e * x[0]), x), X)
smooth("loop that grows its value", lambda t, x: t.while_loop(
    lambda a: t.shape(a)[0] < 7, lambda a: [t.concat([a, a * 2], 0)], [x], shape_invariants=[t.TensorShape([None, 4])]), X)
smooth("scan with a captured factor", lambda t, x: t.scan(lambda a, b: a * x[0] + b, t.ones([4, 4]), initializer=t.zeros([4])), X)
smooth("loop of lookups", lambda t, p: t.map_fn(lambda i: t.reduce_sum(t.nn.embedding_lookup(p, i)), t.constant([[0, 1], [3, 3]]),
                                                dtype=t.float32), TABLE)

# --- tf.nn

for _name in "softmax log_softmax".split():
    smooth("nn." + _name, _call("nn." + _name), X)
    smooth("nn." + _name + " dim", _call("nn." + _name, dim=0), X)
    smooth("nn." + _name + " axis", _call("nn." + _name, axis=1), B3)
smooth("softmax_cross_entropy", lambda t, x: t.nn.softmax_cross_entropy_with_logits(labels=ONE_HOT, logits=x), X)
smooth("softmax_cross_entropy_v2", lambda t, x, y: t.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=x), X, P)
smooth("softmax_cross_entropy_v2 of rank 3",
       lambda t, x, y: t.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=x, axis=1), B3, np.abs(B3))
smooth("sparse_softmax_cross_entropy", lambda t, x: t.nn.sparse_softmax_cross_entropy_with_logits(labels=[2, 0, 3], logits=x), X)
smooth("sparse_softmax_cross_entropy of rank 3",
       lambda t, x: t.nn.sparse_softmax_cross_entropy_with_logits(labels=[[2, 0, 3], [1, 1, 0]], logits=x), B3)
smooth("sigmoid_cross_entropy", lambda t, x, y: t.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=x), X, P)
smooth("weighted_cross_entropy", lambda t, x, y: t.nn.weighted_cross_entropy_with_logits(y, x, 1.5), X, P)
smooth("log_poisson_loss", lambda t, x, y: [t.nn.log_poisson_loss(y, x), t.nn.log_poisson_loss(y, x, compute_full_loss=True)], X, Q)
smooth("bias_add", _call("nn.bias_add"), X, ROW)
smooth("bias_add NCHW", _call("nn.bias_add", data_format="NCHW"), np.ascontiguousarray(IMAGE.transpose(0, 3, 1, 2)), ROW[:3])
smooth("xw_plus_b", _call("nn.xw_plus_b"), X, W, RANDOM.standard_normal(5).astype(np.float32))
smooth("relu_layer", _call("nn.relu_layer"), X, W, RANDOM.standard_normal(5).astype(np.float32))
smooth("l2_normalize", lambda t, x: [t.nn.l2_normalize(x, 1), t.nn.l2_normalize(x, dim=0), t.nn.l2_normalize(x, axis=[0, 1])], X)
value("zero_fraction", lambda t, x: t.nn.zero_fraction(t.nn.relu(x)), X)
smooth("moments", lambda t, x: list(t.nn.moments(x, [0])) + list(t.nn.moments(x, [0, 1], keep_dims=True)), X)
smooth("moments of images", lambda t, x: list(t.nn.moments(x, axes=[0, 1, 2])), IMAGE)
smooth("nn.batch_normalization", lambda t, x, m, v, o, s: t.nn.batch_normalization(x, m, v, o, s, 1e-3), X, ROW, Q[0], Y[0], Q[1])
smooth("fused_batch_norm", lambda t, x, s, o: t.nn.fused_batch_norm(x, s, o, epsilon=0.01), IMAGE, Q[0, :3], ROW[:3])
value("fused_batch_norm as learnt", lambda t, x, s, o, m, v: t.nn.fused_batch_norm(x, s, o, m, v, is_training=False)[0], IMAGE, Q[0, :3],
      ROW[:3], Y[0, :3], Q[1, :3])
value("nn.dropout that keeps all", lambda t, x: [t.nn.dropout(x, 1.0), t.nn.dropout(x, rate=0.0)], X)
for _padding in ("SAME", "VALID"):
    smooth("conv2d " + _padding, _call("nn.conv2d", [1, 2, 1, 1], _padding), IMAGE, FILTER)
    smooth("conv2d named " + _padding, lambda t, x, f, p=_padding: t.nn.conv2d(input=x, filter=f, strides=[1, 1, 1, 1], padding=p), IMAGE,
           FILTER)
    smooth("depthwise_conv2d " + _padding, _call("nn.depthwise_conv2d", [1, 1, 1, 1], _padding), IMAGE, DEEP)
    smooth("max_pool " + _padding, _call("nn.max_pool", [1, 2, 2, 1], [1, 2, 2, 1], _padding), IMAGE)
    smooth("avg_pool " + _padding, _call("nn.avg_pool", ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1], padding=_padding), IMAGE)
    smooth("conv1d " + _padding, _call("nn.conv1d", 2, _padding), IMAGE[0], FILTER[0])
smooth("conv2d dilated", _call("nn.conv2d", [1, 1, 1, 1], "SAME", dilations=[1, 2, 2, 1]), IMAGE, FILTER)
smooth("atrous_conv2d", _call("nn.atrous_conv2d", 2, "SAME"), IMAGE, FILTER)
smooth("convolution", _call("nn.convolution", padding="SAME", strides=[1, 2]), IMAGE, FILTER)
smooth("conv2d with margins", _call("nn.conv2d", [1, 1, 1, 1], [[0, 0], [1, 2], [0, 1], [0, 0]]), IMAGE, FILTER)
smooth("conv2d_transpose", lambda t, x, f: t.nn.conv2d_transpose(x, f, [2, 12, 14, 4], [1, 2, 2, 1]), IMAGE,
       np.ascontiguousarray(FILTER.transpose(0, 1, 3, 2)))
smooth("separable_conv2d", lambda t, x, d, p: t.nn.separable_conv2d(x, d, p, [1, 1, 1, 1], "SAME"), IMAGE, DEEP,
       RANDOM.standard_normal((1, 1, 6, 5)).astype(np.float32))
smooth("lrn", lambda t, x: [t.nn.lrn(x), t.nn.local_response_normalization(x, 2, bias=1.0, alpha=0.1, beta=0.75)], IMAGE)
smooth("top_k", lambda t, x: t.nn.top_k(x, 2)[0], X)
value("top_k places", lambda t, x: t.nn.top_k(x, k=3).indices, X)
value("in_top_k", lambda t, x: t.nn.in_top_k(x, [1, 0, 3], 2), X)
smooth("embedding_lookup", lambda t, p: [t.nn.embedding_lookup(p, [4, 0, 4]), t.nn.embedding_lookup(p, [[1], [2]])], TABLE)
for _strategy in ("mod", "div"):
    smooth("embedding_lookup in parts, " + _strategy,
           lambda t, a, b, s=_strategy: t.nn.embedding_lookup([a, b], [4, 0, 5, 4, 1], partition_strategy=s), TABLE[:3], TABLE[3:])
smooth("embedding_lookup max_norm", lambda t, p: t.nn.embedding_lookup(p, [4, 0, 4], max_norm=1.0), TABLE)
for _combiner in ("sum", "mean", "sqrtn"):
    smooth("embedding_lookup_sparse " + _combiner, lambda t, p, c=_combiner: t.nn.embedding_lookup_sparse(
        p, t.SparseTensor([[0, 0], [0, 1], [2, 0]], t.constant([1, 3, 0], t.int64), [3, 2]), None, combiner=c), TABLE)
    smooth("embedding_lookup_sparse weighted " + _combiner, lambda t, p, c=_combiner: t.nn.embedding_lookup_sparse(
        p, t.SparseTensor([[0, 0], [0, 1], [2, 0]], t.constant([1, 3, 0], t.int64), [3, 2]),
        t.SparseTensor([[0, 0], [0, 1], [2, 0]], [0.5, 2.0, 1.5], [3, 2]), combiner=c), TABLE)
