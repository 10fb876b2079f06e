"""Sessions with hooks, that go on after a lost task: MonitoredTrainingSession and its parts."""

import time

from .. import logging
from ..framework import errors
from ..framework.graph import GraphKeys, get_default_graph
from ..framework.variables import (global_variables, global_variables_initializer, group, local_variables_initializer,
                                   report_uninitialized_variables, variables_initializer)
from .coordinator import Coordinator, start_queue_runners
from .hooks import CheckpointSaverHook, StepCounterHook, SummarySaverHook
from .saver import Saver
from .session_manager import SessionManager
from .session_run_hook import SessionRunArgs, SessionRunContext, SessionRunValues

USE_DEFAULT = object()
# What a lost task looks like from here: a new session recovers from it.
_PREEMPTION_ERRORS = (errors.AbortedError, errors.UnavailableError)


def _merged(options, more):
    """RunOptions for one step of two that want something of it: the more telling trace, the longer timeout."""
    if options is None or more is None:
        return more if options is None else options
    merged = type(options)()
    merged.CopyFrom(options)
    merged.trace_level = max(options.trace_level, more.trace_level)
    merged.timeout_in_ms = max(options.timeout_in_ms, more.timeout_in_ms)
    merged.output_partition_graphs = options.output_partition_graphs or more.output_partition_graphs
    return merged


class Scaffold:
    """The parts of a graph that a training session needs; what is not given is taken from the graph's collections or made."""

    def __init__(self, init_op=None, init_feed_dict=None, init_fn=None, ready_op=None, ready_for_local_init_op=None,
                 local_init_op=None, summary_op=None, saver=None, copy_from_scaffold=None, local_init_feed_dict=None):
        other = copy_from_scaffold
        given = dict(init_op=init_op, init_feed_dict=init_feed_dict, init_fn=init_fn, ready_op=ready_op,
                     ready_for_local_init_op=ready_for_local_init_op, local_init_op=local_init_op, summary_op=summary_op,
                     saver=saver, local_init_feed_dict=local_init_feed_dict)
        if init_fn is not None and not callable(init_fn):
            raise TypeError(f"init_fn is not callable: {init_fn}")
        for key, value in given.items():
            setattr(self, "_" + key, value if value is not None or other is None else getattr(other, "_" + key))
        if self._init_fn is not None:
            function = self._init_fn
            self._session_init_fn = lambda sess: function(self, sess)
        else:
            self._session_init_fn = None

    init_op = property(lambda self: self._init_op)
    init_fn = property(lambda self: self._session_init_fn)
    init_feed_dict = property(lambda self: self._init_feed_dict)
    ready_op = property(lambda self: self._ready_op)
    ready_for_local_init_op = property(lambda self: self._ready_for_local_init_op)
    local_init_op = property(lambda self: self._local_init_op)
    local_init_feed_dict = property(lambda self: self._local_init_feed_dict)
    summary_op = property(lambda self: self._summary_op)
    saver = property(lambda self: self._saver)

    @staticmethod
    def get_or_default(arg_name, collection_key, default_constructor):
        """The collection's one item, or what the function makes (which is added to it)."""
        items = get_default_graph().get_collection(collection_key)
        if len(items) > 1:
            raise RuntimeError(f"More than one item in the collection \"{collection_key}\". Please indicate which one to use by "
                               f"passing it to the tf.Scaffold constructor as: tf.Scaffold({arg_name}=item to use)")
        if items and items[0] is not None:
            return items[0]
        made = default_constructor()
        if made is not None:
            get_default_graph().add_to_collection(collection_key, made)
        return made

    @staticmethod
    def default_local_init_op():
        """Initializes local variables and tables."""
        return group(local_variables_initializer(), *get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS))

    def finalize(self):
        """Makes what is missing, and forbids more operations."""
        from .. import summary
        graph = get_default_graph()
        if self._init_op is None:
            self._init_op = Scaffold.get_or_default("init_op", GraphKeys.INIT_OP, lambda: group(
                global_variables_initializer(), variables_initializer(graph.get_collection(GraphKeys.RESOURCES))))
        if self._ready_op is None:
            self._ready_op = Scaffold.get_or_default("ready_op", GraphKeys.READY_OP, report_uninitialized_variables)
        if self._ready_for_local_init_op is None:
            self._ready_for_local_init_op = Scaffold.get_or_default(
                "ready_for_local_init_op", GraphKeys.READY_FOR_LOCAL_INIT_OP,
                lambda: report_uninitialized_variables(global_variables()))
        if self._local_init_op is None:
            self._local_init_op = Scaffold.get_or_default("local_init_op", GraphKeys.LOCAL_INIT_OP,
                                                          Scaffold.default_local_init_op)
        if self._summary_op is None:
            self._summary_op = Scaffold.get_or_default("summary_op", GraphKeys.SUMMARY_OP, summary.merge_all)
        if self._saver is None:
            self._saver = Scaffold.get_or_default("saver", GraphKeys.SAVERS, lambda: Saver(
                sharded=True, allow_empty=True))
        self._saver.build()
        graph.finalize()
        return self


class SessionCreator:
    """Makes sessions: create_session()."""

    def create_session(self):
        raise NotImplementedError


class _ScaffoldSessionCreator(SessionCreator):
    """A creator whose sessions start from a scaffold, which is finalized before the first."""

    def __init__(self, scaffold, master, config):
        self._scaffold = scaffold or Scaffold()
        self._master, self._config = master, config
        self._manager = None

    def _session_manager(self):
        if self._manager is None:
            scaffold = self._scaffold.finalize()
            self._manager = SessionManager(local_init_op=scaffold.local_init_op, ready_op=scaffold.ready_op,
                                           ready_for_local_init_op=scaffold.ready_for_local_init_op,
                                           graph=get_default_graph(), local_init_feed_dict=scaffold.local_init_feed_dict)
        return self._manager


class ChiefSessionCreator(_ScaffoldSessionCreator):
    """Makes sessions whose model is restored or initialized."""

    def __init__(self, scaffold=None, master="", config=None, checkpoint_dir=None, checkpoint_filename_with_path=None):
        super().__init__(scaffold, master, config)
        self._checkpoint_dir, self._checkpoint_path = checkpoint_dir, checkpoint_filename_with_path

    def create_session(self):
        scaffold = self._scaffold
        return self._session_manager().prepare_session(
            self._master, saver=scaffold.saver, checkpoint_dir=self._checkpoint_dir,
            checkpoint_filename_with_path=self._checkpoint_path, config=self._config, init_op=scaffold.init_op,
            init_feed_dict=scaffold.init_feed_dict, init_fn=scaffold.init_fn)


class WorkerSessionCreator(_ScaffoldSessionCreator):
    """Makes sessions that wait until the chief has made the model ready."""

    def __init__(self, scaffold=None, master="", config=None, max_wait_secs=30 * 60):
        super().__init__(scaffold, master, config)
        self._max_wait_secs = max_wait_secs

    def create_session(self):
        return self._session_manager().wait_for_session(self._master, config=self._config, max_wait_secs=self._max_wait_secs)


class _Coordinated:
    """A session with its coordinator and queue runners."""

    def __init__(self, session, hooks, stop_grace_period_secs):
        self.session = session
        self.coord = Coordinator()
        self._grace = stop_grace_period_secs
        try:
            for hook in hooks:
                hook.after_create_session(session, self.coord)
            for thread in start_queue_runners(session, self.coord, daemon=True):
                self.coord.register_thread(thread)
        except BaseException:
            self.close(quietly=True)
            raise

    def check_stop(self):
        """Whether a thread has asked to stop. Raises what made it ask."""
        self.coord.raise_requested_exception()
        return self.coord.should_stop()

    def close(self, quietly=False):
        """Ends the threads, then the session. `quietly`: after a failure, which is not to be followed by others."""
        self.coord.request_stop()
        try:
            try:
                grace = min(self._grace, 1.0) if quietly else self._grace
                self.coord.join(stop_grace_period_secs=grace, ignore_live_threads=True)
            finally:
                self.session.close()
        except Exception as error:
            if not quietly:
                raise
            logging.debug("closing a session after a failure: %s", error)


class _MonitoredSession:
    """What MonitoredSession and SingularMonitoredSession share."""

    def __init__(self, session_creator, hooks, should_recover, stop_grace_period_secs=120):
        self._graph_was_finalized = get_default_graph().finalized
        self._hooks = list(hooks or [])
        self._creator = session_creator or ChiefSessionCreator()
        self._should_recover = should_recover
        self._grace = stop_grace_period_secs
        self._coordinated = None
        self._closed = False
        self._stop_requested = False
        for hook in self._hooks:
            hook.begin()
        self._graph = get_default_graph()
        self._open()

    def _open(self):
        while True:
            try:
                with self._graph.as_default():
                    self._coordinated = _Coordinated(self._creator.create_session(), self._hooks, self._grace)
                return
            except _PREEMPTION_ERRORS as error:
                if not self._should_recover:
                    raise
                logging.info("An error was raised while a session was being created; a new one is made: %s", error)
                time.sleep(0.1)

    @property
    def graph(self):
        return None if self._coordinated is None else self._coordinated.session.graph

    def raw_session(self):
        """The plain session underneath."""
        return self._session()

    def _tf_sess(self):
        return self._session()

    def _session(self):
        if self._coordinated is None:
            raise RuntimeError("The session is closed.")
        return self._coordinated.session

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """Runs a step with all hooks. After the loss of a task a new session goes on from the newest checkpoint."""
        if self._closed:
            raise RuntimeError("Run called even after should_stop requested.")
        while True:
            try:
                if self._coordinated is None:
                    self._open()
                return self._run_with_hooks(fetches, feed_dict, options, run_metadata)
            except _PREEMPTION_ERRORS as error:
                if not self._should_recover:
                    raise
                logging.info("A task was lost; the session is made anew: %s", error)
                self._drop()

    def run_step_fn(self, step_fn):
        """step_fn(step_context): step_context.session runs without hooks, step_context.run_with_hooks with them."""
        if not callable(step_fn):
            raise TypeError("step_fn must be callable.")
        return step_fn(_StepContext(self))

    def _drop(self):
        if self._coordinated is not None:
            self._coordinated.close(quietly=True)
            self._coordinated = None

    def _run_with_hooks(self, fetches, feed_dict, options, run_metadata):
        try:
            return self._run_once(fetches, feed_dict, options, run_metadata)
        except _PREEMPTION_ERRORS:
            raise
        except Exception:
            # The step may have failed because a thread did: then that is what to tell.
            if self._coordinated is not None:
                self._coordinated.coord.raise_requested_exception()
            raise

    def _run_once(self, fetches, feed_dict, options, run_metadata):
        session = self._session()
        self._coordinated.coord.raise_requested_exception()
        if not self._hooks:
            return session.run(fetches, feed_dict, options, run_metadata)
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict, options), session)
        everything, feeds = {"caller": fetches}, dict(feed_dict or {})
        for hook in self._hooks:
            request = hook.before_run(context)
            if request is None:
                continue
            if request.fetches is not None:
                everything[hook] = request.fetches
            options = _merged(options, request.options)
            for key, value in (request.feed_dict or {}).items():
                if key in feeds:
                    raise RuntimeError(f"Same tensor is fed by two hooks or by a hook and the caller: {key}")
                feeds[key] = value
        if options is not None and run_metadata is None:
            from ..protos import RunMetadata
            run_metadata = RunMetadata()
        results = session.run(everything, feeds, options, run_metadata)
        for hook in self._hooks:
            hook.after_run(context, SessionRunValues(results.get(hook), options, run_metadata))
        self._stop_requested = self._stop_requested or context.stop_requested
        return results["caller"]

    def should_stop(self):
        """Whether a hook or a thread has asked to stop, or the session is closed."""
        if self._closed or self._stop_requested:
            return True
        try:
            return self._coordinated is not None and self._coordinated.check_stop()
        except _PREEMPTION_ERRORS as error:
            if not self._should_recover:
                raise
            logging.info("A task was lost; the session is made anew: %s", error)
            self._drop()
            self._open()
            return False
        except Exception:
            return False  # the next run raises it

    def close(self):
        self._close_internal()

    def _close_internal(self, exception_type=None):
        if self._closed:
            return
        try:
            if exception_type in (None, errors.OutOfRangeError, StopIteration) and self._coordinated is not None:
                self._end_hooks()
        finally:
            self._closed = True
            try:
                if self._coordinated is not None:
                    self._coordinated.close(quietly=exception_type is not None)
            finally:
                self._coordinated = None
                if not self._graph_was_finalized:
                    self._graph._unsafe_unfinalize()

    def _end_hooks(self):
        try:
            for hook in self._hooks:
                hook.end(self._session())
        except _PREEMPTION_ERRORS as error:
            if not self._should_recover:
                raise
            logging.info("A task was lost at the end; the session is made anew for the hooks: %s", error)
            self._drop()
            self._open()
            for hook in self._hooks:
                hook.end(self._session())

    def _is_closed(self):
        return self._closed

    def __enter__(self):
        return self

    def __exit__(self, exception_type, exception_value, traceback):
        if exception_type in (errors.OutOfRangeError, StopIteration):
            exception_type = None
            self._close_internal()
            return True
        self._close_internal(exception_type)
        return False


class _StepContext:

    def __init__(self, monitored):
        self._monitored = monitored

    @property
    def session(self):
        return self._monitored._session()

    def run_with_hooks(self, *args, **kwargs):
        return self._monitored.run(*args, **kwargs)

    def request_stop(self):
        raise StopIteration("step_fn has requested the iterations to stop.")


class MonitoredSession(_MonitoredSession):
    """A session with hooks that is made anew when a task is lost; the model then comes from the newest checkpoint."""

    def __init__(self, session_creator=None, hooks=None, stop_grace_period_secs=120):
        super().__init__(session_creator, hooks, True, stop_grace_period_secs)


class SingularMonitoredSession(_MonitoredSession):
    """A session with hooks that raises what happens, a lost task too."""

    def __init__(self, hooks=None, scaffold=None, master="", config=None, checkpoint_dir=None, stop_grace_period_secs=120,
                 checkpoint_filename_with_path=None):
        creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path)
        super().__init__(creator, hooks, False, stop_grace_period_secs)


def MonitoredTrainingSession(master="", is_chief=True, checkpoint_dir=None, scaffold=None, hooks=None, chief_only_hooks=None,
                             save_checkpoint_secs=USE_DEFAULT, save_summaries_steps=USE_DEFAULT,
                             save_summaries_secs=USE_DEFAULT, config=None, stop_grace_period_secs=120,
                             log_step_count_steps=100, max_wait_secs=7200, save_checkpoint_steps=USE_DEFAULT,
                             summary_dir=None, save_graph_def=True):
    """A MonitoredSession for training.

    The chief restores or initializes the model, saves it into `checkpoint_dir` (every 600 s by default) and writes summaries
    (every 100 steps); the others wait for it.
    """
    if save_summaries_steps is USE_DEFAULT and save_summaries_secs is USE_DEFAULT:
        save_summaries_steps, save_summaries_secs = 100, None
    else:
        save_summaries_steps = None if save_summaries_steps is USE_DEFAULT else save_summaries_steps
        save_summaries_secs = None if save_summaries_secs is USE_DEFAULT else save_summaries_secs
    if save_checkpoint_secs is USE_DEFAULT and save_checkpoint_steps is USE_DEFAULT:
        save_checkpoint_secs, save_checkpoint_steps = 600, None
    else:
        save_checkpoint_secs = None if save_checkpoint_secs is USE_DEFAULT else save_checkpoint_secs
        save_checkpoint_steps = None if save_checkpoint_steps is USE_DEFAULT else save_checkpoint_steps
    scaffold = scaffold or Scaffold()
    if not is_chief:
        creator = WorkerSessionCreator(scaffold=scaffold, master=master, config=config, max_wait_secs=max_wait_secs)
        return MonitoredSession(creator, hooks, stop_grace_period_secs)
    all_hooks = list(chief_only_hooks or [])
    creator = ChiefSessionCreator(scaffold=scaffold, checkpoint_dir=checkpoint_dir, master=master, config=config)
    summary_dir = summary_dir or checkpoint_dir
    if summary_dir:
        if log_step_count_steps and log_step_count_steps > 0:
            all_hooks.append(StepCounterHook(every_n_steps=log_step_count_steps, output_dir=summary_dir))
        if (save_summaries_steps and save_summaries_steps > 0) or (save_summaries_secs and save_summaries_secs > 0):
            all_hooks.append(SummarySaverHook(scaffold=scaffold, save_steps=save_summaries_steps,
                                              save_secs=save_summaries_secs, output_dir=summary_dir))
    if checkpoint_dir and ((save_checkpoint_secs and save_checkpoint_secs > 0) or (
            save_checkpoint_steps and save_checkpoint_steps > 0)):
        all_hooks.append(CheckpointSaverHook(checkpoint_dir, save_steps=save_checkpoint_steps,
                                             save_secs=save_checkpoint_secs, scaffold=scaffold))
    all_hooks += hooks or []  # last: at their end the last checkpoint is there
    return MonitoredSession(creator, all_hooks, stop_grace_period_secs)
