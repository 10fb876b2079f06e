"""headrace.compat.v1: the same surface as headrace, for `import headrace.compat.v1 as tf`."""

import headrace as _headrace


def disable_v2_behavior():
    """There is no other behavior to disable."""


disable_eager_execution = disable_control_flow_v2 = disable_v2_tensorshape = disable_tensor_equality = disable_v2_behavior


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(_headrace, name)


def __dir__():
    return dir(_headrace)
