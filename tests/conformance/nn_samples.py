"""Random samples of convolutions, poolings and normalizations for op_conformance.py. Their gradients are what TensorFlow's graph has."""
import numpy as np

from op_samples import FLOATS, Sample, raw, sample, values


def windows(random, rows, columns):
    """A filter's extents that fit an image, strides and padding."""
    extents = [int(random.integers(1, min(4, limit) + 1)) for limit in (rows, columns)]
    return extents, [1, *random.integers(1, 3, 2).tolist(), 1], str(random.choice(["SAME", "VALID"]))


def image(random, dtype, channels=None, least=1):
    dims = [*random.integers(1, 4, 1), *random.integers(least, 8, 2), channels or random.integers(1, 20)]
    return values(random, dtype, tuple(int(extent) for extent in dims))


@sample("Conv2D", FLOATS)
def _(random, dtype):
    x = image(random, dtype)
    extents, strides, padding = windows(random, *x.shape[1:3])
    filters = values(random, dtype, (*extents, x.shape[3], int(random.integers(1, 20))))
    return Sample(raw("Conv2D", names=["input", "filter"], strides=strides, padding=padding), x, filters)


@sample("Conv2D with padding as given", FLOATS)
def _(random, dtype):
    x = image(random, dtype, least=3)
    pads = [0, 0, *random.integers(0, 2, 4).tolist(), 0, 0]
    return Sample(raw("Conv2D", names=["input", "filter"], strides=[1, 1, 1, 1], padding="EXPLICIT", explicit_paddings=pads), x,
                  values(random, dtype, (3, 2, x.shape[3], 5)))


@sample("Conv2D with holes", FLOATS)
def _(random, dtype):
    x = image(random, dtype, least=5)
    return Sample(raw("Conv2D", names=["input", "filter"], strides=[1, 1, 1, 1], padding="SAME", dilations=[1, 2, 2, 1]), x,
                  values(random, dtype, (2, 3, x.shape[3], 5)), differentiable=False)


@sample("DepthwiseConv2dNative", FLOATS)
def _(random, dtype):
    x = image(random, dtype)
    extents, _, padding = windows(random, *x.shape[1:3])
    step = int(random.integers(1, 3))
    return Sample(raw("DepthwiseConv2dNative", names=["input", "filter"], strides=[1, step, step, 1], padding=padding), x,
                  values(random, dtype, (*extents, x.shape[3], int(random.integers(1, 4)))))


def add_pool(op, name):
    @sample(op, FLOATS)
    def make(random, dtype):
        x = image(random, dtype)
        extents, strides, padding = windows(random, *x.shape[1:3])
        return Sample(raw(op, names=[name], ksize=[1, *extents, 1], strides=strides, padding=padding), x)


add_pool("MaxPool", "input")
add_pool("AvgPool", "value")


@sample("LRN", ("float32",))
def _(random, dtype):
    return Sample(raw("LRN", names=["input"], depth_radius=int(random.integers(0, 5)), bias=1.5, alpha=0.3, beta=0.75), image(random, dtype))


@sample("FusedBatchNormV3", ("float32",))
def _(random, dtype):
    x, training = image(random, dtype, least=2), bool(random.random() < 0.5)
    vector = (x.shape[3],)
    names = ["x", "scale", "offset", "mean", "variance"]
    statistics = [np.zeros(0, dtype)] * 2 if training else [values(random, dtype, vector), values(random, dtype, vector, 0.5, 2)]
    return Sample(lambda tf, x: list(tf.raw_ops.FusedBatchNormV3(**dict(zip(names, x)), is_training=training))[:1 if not training else 3],
                  x, values(random, dtype, vector), values(random, dtype, vector), *statistics)


def add_sampler(op):
    @sample(op, ("int64",))
    def make(random, dtype):
        seeds = dict(seed=int(random.integers(1, 99)), seed2=int(random.integers(1, 99)))
        classes = random.integers(0, 50, (3, 2)).astype(np.int64)
        return Sample(lambda tf, x: list(getattr(tf.raw_ops, op)(true_classes=x[0], num_true=2, num_sampled=20, range_max=50,
                                                                 unique=bool(random.random() < 0.5), **seeds)), classes, differentiable=False)


add_sampler("UniformCandidateSampler")
add_sampler("LogUniformCandidateSampler")


@sample("Multinomial", FLOATS)
def _(random, dtype):
    logits = values(random, dtype, tuple(int(extent) for extent in random.integers(1, 6, 2)))
    return Sample(raw("Multinomial", names=["logits", "num_samples"], seed=3, seed2=int(random.integers(1, 99))), logits, np.int32(9),
                  differentiable=False)
