"""headrace.compat.v1: the same surface as headrace, for `import headrace.compat.v1 as tf`."""

import headrace as _headrace


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(_headrace, name)


def __dir__():
    return dir(_headrace)
