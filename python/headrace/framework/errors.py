"""Exceptions: one class for each status code, as in tf.errors."""

import re

from .._native import native


class OpError(Exception):
    """An error of a step or a file.

    Attributes: `message`; `error_code` (the status code's number); `node_def` and `op`, the operation that failed, where the
    message names one that the session's graph has.
    """

    def __init__(self, node_def, op, message, error_code=2):
        super().__init__(message)
        self._node_def = node_def
        self._op = op
        self._message = message
        self._error_code = error_code

    @property
    def message(self):
        return self._message

    @property
    def op(self):
        return self._op

    @property
    def node_def(self):
        return self._node_def if self._op is None else self._op.node_def

    @property
    def error_code(self):
        return self._error_code

    def __str__(self):
        if self._op is None:
            return self._message
        where = self._op.traceback_line()
        return f"{self._message}\n  operation {self._op.name} ({self._op.type})" + (f", made at {where}" if where else "")


_NAMES = ("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
          "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
          "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED")
_CLASSES = {}


def _define(code, name):
    def __init__(self, node_def, op, message):
        OpError.__init__(self, node_def, op, message, code)

    cls = type(name, (OpError,), {"__init__": __init__, "__module__": __name__,
                                  "__doc__": f"The error of status code {_NAMES[code]}."})
    _CLASSES[code] = cls
    return cls


CancelledError = _define(1, "CancelledError")
UnknownError = _define(2, "UnknownError")
InvalidArgumentError = _define(3, "InvalidArgumentError")
DeadlineExceededError = _define(4, "DeadlineExceededError")
NotFoundError = _define(5, "NotFoundError")
AlreadyExistsError = _define(6, "AlreadyExistsError")
PermissionDeniedError = _define(7, "PermissionDeniedError")
ResourceExhaustedError = _define(8, "ResourceExhaustedError")
FailedPreconditionError = _define(9, "FailedPreconditionError")
AbortedError = _define(10, "AbortedError")
OutOfRangeError = _define(11, "OutOfRangeError")
UnimplementedError = _define(12, "UnimplementedError")
InternalError = _define(13, "InternalError")
UnavailableError = _define(14, "UnavailableError")
DataLossError = _define(15, "DataLossError")
UnauthenticatedError = _define(16, "UnauthenticatedError")

for _code, _name in enumerate(_NAMES):
    globals()[_name] = _code


def exception_type_from_error_code(code):
    """The class for a status code's number."""
    return _CLASSES[code]


def error_code_from_exception_type(cls):
    """The status code's number of a class."""
    return next(code for code, known in _CLASSES.items() if known is cls)


def _from_status(code, message, while_building):
    if while_building and code in (3, 5):
        return ValueError(message)
    return _CLASSES.get(code, UnknownError)(None, None, message)


def with_operation(error, graph):
    """The same error that knows the operation its message names, where `graph` has it."""
    for name in re.findall(r"node '?\{?\{?(?:node )?([A-Za-z0-9_.\-/\\>]+)", error.message):
        op = graph._find_operation(name)
        if op is not None:
            error._op = op
            break
    return error


native.set_exception_factory(_from_status)
