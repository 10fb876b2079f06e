"""Operations that call Python functions of this process. The graph names them by token; no other process can call them."""

import itertools
import os
import traceback
import weakref

import numpy as np

from .._native import native
from ..framework import dtypes
from ..framework.convert import convert_to_tensor, native_value, to_numpy
from ..framework.graph import get_default_graph, name_scope

_next_number = itertools.count()
_process_mark = f"{os.getpid():x}{os.urandom(3).hex()}"
# Kept by the graphs that name them; what a function refers to, its own graph too, can be collected.
_functions = weakref.WeakValueDictionary()
_OK, _UNKNOWN = 0, 2
_CODES = ((ValueError, 3), (TypeError, 3), (MemoryError, 8), (StopIteration, 11), (NotImplementedError, 12))


class _HostFunction:
    """A Python function that has a token."""

    def __init__(self, function):
        self.function = function
        # Tokens of different processes differ: none calls its own function in place of another's.
        self.token = f"pyfunc_{next(_next_number)}_{_process_mark}"
        _functions[self.token] = self
        native.add_host_function(self.token)
        weakref.finalize(self, native.remove_host_function, self.token).atexit = False


def _argument(value, number):
    array = to_numpy(value, dtypes.as_dtype(number))
    return array[()] if array.ndim == 0 else array


def _result(value):
    """A returned value as (native value, dtype)."""
    array = np.asarray(value, order="C")
    dtype = dtypes.string if array.dtype.kind in "OSU" else dtypes.as_dtype(array.dtype)
    if dtype is dtypes.bfloat16:
        array = array.view(np.uint16)
    return native_value(array, dtype), dtype.as_datatype_enum


def _dispatch(token, arguments):
    """Called by the engine: (0, results) or, after an exception, (code of the error, text)."""
    try:
        found = _functions.get(token)
        if found is None:
            raise ValueError(f"callback {token} is not found: the graph that it was made for is gone")
        returned = found.function(*[_argument(*argument) for argument in arguments])
        if returned is None:
            returned = []
        elif not isinstance(returned, (list, tuple)):
            returned = [returned]
        return _OK, [_result(value) for value in returned]
    except BaseException as error:  # also what would end a thread: the step is told
        code = next((code for kind, code in _CODES if isinstance(error, kind)), _UNKNOWN)
        inner = error.__traceback__.tb_next or error.__traceback__
        trace = "".join(traceback.format_exception(type(error), error, inner))
        return code, f"{type(error).__name__}: {error}\n{trace}"


native.set_host_dispatcher(_dispatch)


def _outermost(graph):
    while getattr(graph, "outer_graph", None) is not None:
        graph = graph.outer_graph
    return graph


def py_func(func, inp, Tout, stateful=True, name=None):  # noqa: N803 - TensorFlow's name
    """The results of func(*arrays of `inp`): a tensor, or a list of tensors where Tout is a list of dtypes.

    The function runs in this process, on a thread of its own, each time that a step runs the operation. An exception ends the
    step: ValueError and TypeError as InvalidArgumentError, StopIteration as OutOfRangeError, MemoryError as
    ResourceExhaustedError, NotImplementedError as UnimplementedError, others as UnknownError. There is no gradient. Unless
    `stateful`, the function may be called less often where its inputs are the same.
    """
    if not callable(func):
        raise ValueError(f"Expected func to be callable. Received func={func!r} of type {type(func)}.")
    is_list = isinstance(Tout, (list, tuple))
    types = [dtypes.as_dtype(t) for t in (Tout if is_list else [Tout])]
    graph = get_default_graph()
    held = _HostFunction(func)
    _outermost(graph)._host_functions.append(held)
    op_type = "PyFunc" if stateful else "PyFuncStateless"
    with name_scope(name or op_type) as scope:
        inputs = [convert_to_tensor(value, name=f"input_{i}") for i, value in enumerate(inp or [])]
        attrs = {"token": held.token, "Tin": [t.dtype.base_dtype.as_datatype_enum for t in inputs],
                 "Tout": [t.as_datatype_enum for t in types]}
        op = graph.create_op(op_type, inputs, attrs, scope)
    if not types:
        return op
    return list(op.outputs) if is_list else op.outputs[0]


def numpy_function(func=None, inp=None, Tout=None, stateful=True, name=None):  # noqa: N803 - TensorFlow's name
    """As py_func."""
    return py_func(func, inp, Tout, stateful, name)
