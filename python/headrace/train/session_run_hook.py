"""SessionRunHook: what wants to see, or to add to, every step of a monitored session."""

import collections

SessionRunArgs = collections.namedtuple("SessionRunArgs", ["fetches", "feed_dict", "options"], defaults=(None, None))
SessionRunValues = collections.namedtuple("SessionRunValues", ["results", "options", "run_metadata"])


class SessionRunHook:
    """Base of hooks; each method may be left as it is."""

    def begin(self):
        """Once, before the session is made: the graph may still grow."""

    def after_create_session(self, session, coord):
        """After each making of the session, also after a recovery: the graph is finalized."""

    def before_run(self, run_context):
        """Before each step; a returned SessionRunArgs is run with it."""

    def after_run(self, run_context, run_values):
        """After each step that succeeded."""

    def end(self, session):
        """At the end, unless an exception other than OutOfRangeError or StopIteration ends the session."""


class SessionRunContext:
    """What a hook sees of a step."""

    def __init__(self, original_args, session):
        self._original_args, self._session = original_args, session
        self._stop_requested = False

    original_args = property(lambda self: self._original_args)
    session = property(lambda self: self._session)
    stop_requested = property(lambda self: self._stop_requested)

    def request_stop(self):
        """Ends the session after this step."""
        self._stop_requested = True
