"""Loads the native module.

TensorFlow exports its own copy of protobuf to the whole process, so after it the module must bind to its own libraries first
(RTLD_DEEPBIND). A malloc that is preloaded would then be split in two, which nothing survives.
"""

import atexit
import os
import sys


def _load():
    if "tensorflow" not in sys.modules:
        from . import _headrace
        return _headrace
    if "malloc" in os.environ.get("LD_PRELOAD", ""):
        raise ImportError(
            "import headrace before tensorflow: with the preloaded allocator LD_PRELOAD="
            f"{os.environ['LD_PRELOAD']} the other order cannot work")
    before = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_LOCAL | os.RTLD_DEEPBIND)
    try:
        from . import _headrace
    finally:
        sys.setdlopenflags(before)
    return _headrace


native = _load()
atexit.register(native.begin_exit)
