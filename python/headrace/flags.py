"""tf.flags: absl's flags where absl is installed, else the same few functions over argparse."""

import argparse
import functools
import sys

try:
    from absl import flags as _absl
    from absl.flags import *  # noqa: F401,F403

    class _ParsedWhenAsked:
        """absl's flags, which read the command line when a value is asked for before main runs."""

        def __getattr__(self, name):
            if name in _absl.FLAGS and not _absl.FLAGS.is_parsed():
                _absl.FLAGS(sys.argv, known_only=True)
            return getattr(_absl.FLAGS, name)

        def __setattr__(self, name, value):
            setattr(_absl.FLAGS, name, value)

        def __delattr__(self, name):
            delattr(_absl.FLAGS, name)

        def __call__(self, *args, **kwargs):
            return _absl.FLAGS(*args, **kwargs)

        def __getitem__(self, name):
            return _absl.FLAGS[name]

        def __setitem__(self, name, flag):
            _absl.FLAGS[name] = flag

        def __contains__(self, name):
            return name in _absl.FLAGS

        def __iter__(self):
            return iter(_absl.FLAGS)

        def __len__(self):
            return len(_absl.FLAGS)

        def __dir__(self):
            return dir(_absl.FLAGS)

    FLAGS = _ParsedWhenAsked()

except ImportError:

    class _Flags:
        """The values of the flags, read from the command line when one is asked for first."""

        def __init__(self):
            self.__dict__["_parser"] = argparse.ArgumentParser(allow_abbrev=False)
            self.__dict__["_values"] = None
            self.__dict__["_defaults"] = {}

        def __call__(self, argv, known_only=False):
            """Reads argv (without looking at argv[0]); returns it with what was no flag."""
            parse = self._parser.parse_known_args
            values, rest = parse(argv[1:])
            unknown = [item for item in rest if item.startswith("-")]
            if unknown and not known_only:
                self._parser.error("unrecognized arguments: " + " ".join(unknown))
            self.__dict__["_values"] = values
            return argv[:1] + rest

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            if self._values is None:
                self(sys.argv, known_only=True)
            try:
                return getattr(self._values, name)
            except AttributeError:
                raise AttributeError(f"no flag '{name}' is defined") from None

        def __setattr__(self, name, value):
            if self._values is None:
                self(sys.argv, known_only=True)
            setattr(self._values, name, value)

        def __contains__(self, name):
            return name in self._defaults

        def __iter__(self):
            return iter(self._defaults)

        def flag_values_dict(self):
            return {name: getattr(self, name) for name in self._defaults}

        def _define(self, name, default, doc, **how):
            if name in self._defaults:
                raise ValueError(f"The flag '{name}' is defined twice.")
            self._defaults[name] = default
            self._parser.add_argument(f"--{name}", dest=name, default=default, help=doc, **how)
            self.__dict__["_values"] = None

    FLAGS = _Flags()

    def _bool(text):
        lowered = text.lower()
        if lowered in ("true", "t", "1", "yes", "y"):
            return True
        if lowered in ("false", "f", "0", "no", "n"):
            return False
        raise argparse.ArgumentTypeError(f"not a boolean: {text!r}")

    def DEFINE_string(name, default, help="", **ignored):
        FLAGS._define(name, default, help, type=str)

    def DEFINE_integer(name, default, help="", **ignored):
        FLAGS._define(name, default, help, type=int)

    def DEFINE_float(name, default, help="", **ignored):
        FLAGS._define(name, default, help, type=float)

    def DEFINE_boolean(name, default, help="", **ignored):
        FLAGS._define(name, default, help, type=_bool, nargs="?", const=True)
        FLAGS._parser.add_argument(f"--no{name}", dest=name, action="store_false", help=argparse.SUPPRESS,
                                   default=argparse.SUPPRESS)

    DEFINE_bool = DEFINE_boolean

    def DEFINE_list(name, default, help="", **ignored):
        FLAGS._define(name, default.split(",") if isinstance(default, str) else default, help,
                      type=lambda text: [item.strip() for item in text.split(",")] if text else [])

    def DEFINE_enum(name, default, enum_values, help="", **ignored):
        FLAGS._define(name, default, help, choices=list(enum_values))

    def mark_flag_as_required(name):
        FLAGS._parser._option_string_actions[f"--{name}"].required = True

    def mark_flags_as_required(names):
        for name in names:
            mark_flag_as_required(name)


def _with_old_names(define):
    """A DEFINE function that also takes the arguments' names of TensorFlow's first versions."""
    @functools.wraps(define)
    def function(*args, **kwargs):
        renamed = {"flag_name": "name", "default_value": "default", "docstring": "help"}
        return define(*args, **{renamed.get(key, key): value for key, value in kwargs.items()})

    return function


DEFINE_string, DEFINE_integer, DEFINE_float = (_with_old_names(f) for f in (DEFINE_string, DEFINE_integer, DEFINE_float))
DEFINE_boolean = DEFINE_bool = _with_old_names(DEFINE_boolean)
