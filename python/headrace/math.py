"""tf.math: the functions of numbers under their newer home."""

from . import nn
from .ops import array, counting, math, matrix, special

_MODULES = (math, counting, special)
_FROM_OTHERS = {"l2_normalize": nn, "softmax": nn, "log_softmax": nn, "softplus": nn, "softsign": nn, "top_k": nn, "in_top_k": nn,
                "zero_fraction": nn, "invert_permutation": array, "trace": matrix}


def __getattr__(name):
    home = _FROM_OTHERS.get(name)
    for module in _MODULES if home is None else (home,):
        value = getattr(module, name, None)
        if value is not None and callable(value) and not name.startswith("_"):
            return value
    raise AttributeError(f"module 'headrace.math' has no attribute '{name}'")


def __dir__():
    return sorted({name for module in _MODULES for name, value in vars(module).items()
                   if not name.startswith("_") and callable(value)} | set(_FROM_OTHERS))
