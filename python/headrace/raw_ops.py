"""Every op of the native registry as a function: `headrace.raw_ops.MatMul(a=x, b=y)`. Made when first asked for."""

from ._native import native
from .framework.op_library import make_op_function


def __getattr__(name):
    if name.startswith("__") or not native.has_op(name):
        raise AttributeError(f"module 'headrace.raw_ops' has no attribute '{name}'")
    function = globals()[name] = make_op_function(name)
    return function


def __dir__():
    return native.op_names()
