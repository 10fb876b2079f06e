"""tf.app: runs a program's main after its flags are read."""

import sys

from . import flags


def run(main=None, argv=None):
    """Reads the flags from the command line and exits with what main(rest of the arguments) returns.

    Flags that nobody defined are among the rest.
    """
    rest = flags.FLAGS(sys.argv if argv is None else argv, known_only=True)
    main = main or sys.modules["__main__"].main
    sys.exit(main(rest))


__all__ = ["run", "flags"]
