"""tf.logging, over Python's own logging. Quiet unless asked: warnings and worse are shown."""

import logging as _logging

DEBUG, INFO, WARN, WARNING, ERROR, FATAL = (_logging.DEBUG, _logging.INFO, _logging.WARNING, _logging.WARNING,
                                            _logging.ERROR, _logging.FATAL)

_logger = _logging.getLogger("headrace")
_once, _counts = set(), {}


def _prepare():
    if not _logger.handlers and not _logging.getLogger().handlers:
        handler = _logging.StreamHandler()
        handler.setFormatter(_logging.Formatter("%(levelname).1s%(asctime)s %(message)s", "%m%d %H:%M:%S"))
        _logger.addHandler(handler)
        _logger.propagate = False
    if _logger.level == _logging.NOTSET:
        _logger.setLevel(WARN)


_prepare()
debug, info, warn, warning, error, fatal = (_logger.debug, _logger.info, _logger.warning, _logger.warning, _logger.error,
                                            _logger.critical)
vlog = log = _logger.log


def set_verbosity(level):
    """Shows messages from this level on."""
    _logger.setLevel(level)


def get_verbosity():
    return _logger.level


def get_logger():
    return _logger


def log_every_n(level, msg, n, *args):
    """Logs the first and then every n-th call with this message."""
    count = _counts[msg] = _counts.get(msg, -1) + 1
    if count % n == 0:
        _logger.log(level, msg, *args)


def log_first_n(level, msg, n, *args):
    """Logs the first n calls with this message."""
    count = _counts[msg] = _counts.get(msg, -1) + 1
    if count < n:
        _logger.log(level, msg, *args)


def flush():
    for handler in _logger.handlers:
        handler.flush()
