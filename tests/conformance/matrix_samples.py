"""Random samples of the ops on matrices and on the gamma function's relatives, for op_conformance.py."""
import numpy as np

from op_samples import FLOATS, INEXACT, Sample, add_unary, raw, sample, shape, values

add_unary("Asinh", INEXACT)
add_unary("Acosh", FLOATS, 1.1, 4.0)
add_unary("Atanh", INEXACT, -0.9, 0.9)
for _name in ("Lgamma", "Digamma"):
    add_unary(_name, FLOATS, 0.1, 8.0)
    add_unary(_name, ("float64",), -0.9, -0.1)


@sample("Atan2", FLOATS)
def _(random, dtype):
    return Sample(raw("Atan2", names=["y", "x"]), values(random, dtype, (3, 4)), values(random, dtype, (4,)))


@sample("Zeta", FLOATS)
def _(random, dtype):
    return Sample(raw("Zeta", names=["x", "q"]), values(random, dtype, (3, 1), 1.2, 6.0), values(random, dtype, (4,), 0.2, 20.0))


@sample("Polygamma", FLOATS)
def _(random, dtype):
    return Sample(raw("Polygamma", names=["a", "x"]), random.integers(1, 5, (3, 1)).astype(dtype),
                  values(random, dtype, (4,), 0.3, 5.0))


def matrices(random, dtype, stack=None):
    """A stack of matrices that are well away from singular ones."""
    n = int(random.integers(1, 7))
    stack = shape(random, int(random.integers(0, 3)), least=1, most=3) if stack is None else stack
    return values(random, dtype, (*stack, n, n)) + (3 * n * np.eye(n)).astype(dtype)


@sample("MatrixInverse", INEXACT)
def _(random, dtype):
    return Sample(raw("MatrixInverse", names=["input"], adjoint=bool(random.integers(2))), matrices(random, dtype))


@sample("MatrixDeterminant", INEXACT)
def _(random, dtype):
    return Sample(raw("MatrixDeterminant", names=["input"]), matrices(random, dtype))


@sample("LogMatrixDeterminant", INEXACT)
def _(random, dtype):
    return Sample(raw("LogMatrixDeterminant", names=["input"]), matrices(random, dtype))


@sample("Cholesky", INEXACT)
def _(random, dtype):
    a = matrices(random, dtype)
    return Sample(raw("Cholesky", names=["input"]), (a @ np.conj(np.swapaxes(a, -1, -2))).astype(dtype))


@sample("MatrixSolve", INEXACT)
def _(random, dtype):
    a = matrices(random, dtype)
    return Sample(raw("MatrixSolve", names=["matrix", "rhs"], adjoint=bool(random.integers(2))),
                  a, values(random, dtype, (*a.shape[:-1], int(random.integers(0, 5)))))


@sample("MatrixTriangularSolve", INEXACT)
def _(random, dtype):
    a = matrices(random, dtype)
    stack = a.shape[:-2] if random.random() < 0.5 else (2, *a.shape[:-2])
    return Sample(raw("MatrixTriangularSolve", names=["matrix", "rhs"], lower=bool(random.integers(2)),
                      adjoint=bool(random.integers(2))), a, values(random, dtype, (*stack, a.shape[-1], int(random.integers(1, 5)))))


@sample("MatrixBandPart", INEXACT + ("int32", "bool"))
def _(random, dtype):
    dims = shape(random, int(random.integers(2, 5)), least=1)
    low, high = (int(random.integers(-1, dims[axis] + 1)) for axis in (-2, -1))
    return Sample(raw("MatrixBandPart", names=["input", "num_lower", "num_upper"]), values(random, dtype, dims),
                  np.int64(low), np.int64(high), constant=(1, 2))


@sample("EditDistance", ("int32", "float32"))
def _(random, dtype):
    def sequences():
        lengths = random.integers(0, 5, 3)
        places = [[row, place] for row, length in enumerate(lengths) for place in range(length)]
        return np.reshape(np.asarray(places, np.int64), (-1, 2)), random.integers(0, 3, len(places)).astype(dtype), np.int64([3, 5])

    names = [f"{whose}_{part}" for whose in ("hypothesis", "truth") for part in ("indices", "values", "shape")]
    return Sample(raw("EditDistance", names=names, normalize=bool(random.integers(2))), *sequences(), *sequences(),
                  differentiable=False)


def diagonals(random, dtype):
    """(matrices, a band [lower, upper], the length of its longest diagonal)."""
    dims = shape(random, int(random.integers(2, 4)), least=1, most=6)
    rows, columns = dims[-2:]
    lower, upper = sorted(int(d) for d in random.integers(1 - rows, columns, 2))
    return values(random, dtype, dims), [lower, upper], min(rows + min(upper, 0), columns - max(lower, 0))


def of_known_shape(build, *inputs, constant):
    """A Sample whose inputs have known shapes: of others TensorFlow refuses a band."""
    def with_shapes(tf, tensors):
        for tensor, value in zip(tensors, inputs):
            tensor.set_shape(np.shape(value))
        return build(tf, tensors)

    return Sample(with_shapes, *inputs, constant=constant)


ALIGNMENTS = ("LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT")


@sample("MatrixDiagPartV3", INEXACT + ("int32", "bool"))
def _(random, dtype):
    x, band, _ = diagonals(random, dtype)
    return of_known_shape(raw("MatrixDiagPartV3", names=["input", "k", "padding_value"], align=str(random.choice(ALIGNMENTS))), x,
                          np.int32(band if random.random() < 0.7 else band[0]), values(random, dtype, ()), constant=(1, 2))


@sample("MatrixSetDiagV3", INEXACT + ("int32",))
def _(random, dtype):
    x, band, longest = diagonals(random, dtype)
    count = [] if band[0] == band[1] else [band[1] - band[0] + 1]
    return of_known_shape(raw("MatrixSetDiagV3", names=["input", "diagonal", "k"], align=str(random.choice(ALIGNMENTS))), x,
                          values(random, dtype, (*x.shape[:-2], *count, longest)), np.int32(band), constant=(2,))


@sample("MatrixDiagV3", INEXACT + ("int32",))
def _(random, dtype):
    x, band, longest = diagonals(random, dtype)
    count = [] if band[0] == band[1] else [band[1] - band[0] + 1]
    sides = x.shape[-2:] if random.random() < 0.7 else (-1, -1)
    return of_known_shape(raw("MatrixDiagV3", names=["diagonal", "k", "num_rows", "num_cols", "padding_value"],
                              align=str(random.choice(ALIGNMENTS))), values(random, dtype, (*x.shape[:-2], *count, longest)),
                          np.int32(band), *np.int32(sides), values(random, dtype, ()), constant=(1, 2, 3, 4))
