"""Functions of two arguments that need a word of their own: angles, the gamma function's relatives, products with a stronger 0."""

from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from . import math


def atan2(y, x, name=None):
    """The angle of the point (x, y), from -pi to pi."""
    return apply_op("Atan2", y, x, name=name)


def polygamma(a, x, name=None):
    """Derivative number `a` of digamma, element-wise."""
    return apply_op("Polygamma", a, x, name=name)


def zeta(x, q, name=None):
    """The Hurwitz zeta function: the sum of (q + k) to the power -x for all k >= 0."""
    return apply_op("Zeta", x, q, name=name)


def lbeta(x, name=None):
    """log of |beta(x)| along the last axis."""
    with name_scope(name or "lbeta"):
        x = convert_to_tensor(x, name="x")
        return math.reduce_sum(math.lgamma(x), axis=[-1]) - math.lgamma(math.reduce_sum(x, axis=[-1]))


def xlogy(x, y, name=None):
    """x * log(y), and 0 where x is 0."""
    return apply_op("Xlogy", x, y, name=name or "xlogy")


def xlog1py(x, y, name=None):
    """x * log(1 + y), and 0 where x is 0."""
    return apply_op("Xlog1py", x, y, name=name or "xlog1py")


def xdivy(x, y, name=None):
    """x / y, and 0 where x is 0."""
    return apply_op("Xdivy", x, y, name=name or "xdivy")


def multiply_no_nan(x, y, name=None):
    """x * y, and 0 where y is 0."""
    return apply_op("MulNoNan", x, y, name=name or "multiply_no_nan")
