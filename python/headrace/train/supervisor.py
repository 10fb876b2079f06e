"""Supervisor: a training session with checkpoints and summaries in the background."""

import contextlib
import os
import time

from .. import logging
from ..framework import errors
from ..framework.graph import GraphKeys, get_default_graph
from ..framework.variables import (global_variables, global_variables_initializer, group, local_variables_initializer,
                                   report_uninitialized_variables)
from .coordinator import Coordinator, LooperThread
from .global_step import get_global_step
from .meta_graph import export_meta_graph
from .saver import Saver
from .session_manager import SessionManager


class Supervisor:
    """Opens training sessions and, on the chief, saves checkpoints and summaries from threads of its own.

    The graph is finished with it: making operations raises RuntimeError from here on.
    `logdir`: where these go; None or "": nowhere. `summary_op=None`, `saver=None`, `save_model_secs=0` turn things off.
    """

    USE_DEFAULT = 0

    def __init__(self, graph=None, ready_op=USE_DEFAULT, ready_for_local_init_op=USE_DEFAULT, is_chief=True,
                 init_op=USE_DEFAULT, init_feed_dict=None, local_init_op=USE_DEFAULT, logdir=None, summary_op=USE_DEFAULT,
                 saver=USE_DEFAULT, global_step=USE_DEFAULT, save_summaries_secs=120, save_model_secs=600,
                 recovery_wait_secs=30, stop_grace_secs=120, checkpoint_basename="model.ckpt", session_manager=None,
                 summary_writer=USE_DEFAULT, init_fn=None, local_init_run_options=None):
        self._graph = graph or get_default_graph()
        self._is_chief = is_chief
        self._coord = Coordinator()
        self._recovery_wait_secs, self._stop_grace_secs = recovery_wait_secs, stop_grace_secs
        self._init_fn, self._init_feed_dict = init_fn, init_feed_dict
        self._sessions = []
        with self._graph.as_default():
            self._init_parts(ready_op, ready_for_local_init_op, init_op, local_init_op, summary_op, saver, global_step)
        self._logdir = os.fspath(logdir) if logdir else None
        self._save_summaries_secs = self._save_model_secs = None
        self._save_path = None
        self._writer = None
        if self._is_chief and self._logdir:
            self._save_summaries_secs, self._save_model_secs = save_summaries_secs, save_model_secs
            self._save_path = os.path.join(self._logdir, checkpoint_basename)
            os.makedirs(self._logdir, exist_ok=True)
            if summary_writer is Supervisor.USE_DEFAULT:
                from ..summary import FileWriter
                self._writer = FileWriter(self._logdir)
            else:
                self._writer = summary_writer
        self._graph_added_to_summary = False
        self._manager = session_manager or SessionManager(
            local_init_op=self._local_init_op, ready_op=self._ready_op,
            ready_for_local_init_op=self._ready_for_local_init_op, graph=self._graph,
            recovery_wait_secs=self._recovery_wait_secs)
        self._started_threads = []
        self._graph.finalize()

    def _init_parts(self, ready_op, ready_for_local_init_op, init_op, local_init_op, summary_op, saver, global_step):
        default = Supervisor.USE_DEFAULT
        graph = self._graph

        def pick(value, key, make):
            if value is not default:
                return value
            known = graph.get_collection(key)
            return known[0] if known else make()

        self._ready_op = pick(ready_op, GraphKeys.READY_OP, report_uninitialized_variables)
        # Without one local variables are initialized at once: a worker's own may count as global ones that nobody initializes.
        self._ready_for_local_init_op = pick(ready_for_local_init_op, GraphKeys.READY_FOR_LOCAL_INIT_OP, lambda: None)
        self._init_op = pick(init_op, GraphKeys.INIT_OP, global_variables_initializer)
        self._local_init_op = pick(local_init_op, GraphKeys.LOCAL_INIT_OP, lambda: group(
            local_variables_initializer(), *graph.get_collection(GraphKeys.TABLE_INITIALIZERS)))
        if self._local_init_op is None:
            self._ready_for_local_init_op = None
        self._global_step = get_global_step(graph) if global_step is default else global_step
        from .. import summary
        self._summary_op = pick(summary_op, GraphKeys.SUMMARY_OP, summary.merge_all)
        self._saver = pick(saver, GraphKeys.SAVERS, lambda: Saver() if global_variables() else None)

    is_chief = property(lambda self: self._is_chief)
    session_manager = property(lambda self: self._manager)
    coord = property(lambda self: self._coord)
    init_op = property(lambda self: self._init_op)
    init_feed_dict = property(lambda self: self._init_feed_dict)
    ready_op = property(lambda self: self._ready_op)
    ready_for_local_init_op = property(lambda self: self._ready_for_local_init_op)
    local_init_op = property(lambda self: self._local_init_op)
    summary_op = property(lambda self: self._summary_op)
    summary_writer = property(lambda self: self._writer)
    save_summaries_secs = property(lambda self: self._save_summaries_secs)
    save_model_secs = property(lambda self: self._save_model_secs)
    save_path = property(lambda self: self._save_path)
    global_step = property(lambda self: self._global_step)
    saver = property(lambda self: self._saver)

    # --- sessions

    def prepare_or_wait_for_session(self, master="", config=None, wait_for_checkpoint=False, max_wait_secs=7200,
                                    start_standard_services=True):
        """The chief's session is restored or initialized, and its services started; the others wait for it."""
        self._coord.clear_stop()
        if self._is_chief:
            sess = self._manager.prepare_session(
                master, init_op=self._init_op, saver=self._saver, checkpoint_dir=self._logdir,
                wait_for_checkpoint=wait_for_checkpoint, max_wait_secs=max_wait_secs, config=config,
                init_feed_dict=self._init_feed_dict, init_fn=self._init_fn)
            self._write_graph()
            if start_standard_services:
                logging.info("Starting standard services.")
                self.start_standard_services(sess)
        else:
            sess = self._manager.wait_for_session(master, config=config, max_wait_secs=max_wait_secs)
        if start_standard_services:
            logging.info("Starting queue runners.")
            self.start_queue_runners(sess)
        self._sessions.append(sess)
        return sess

    PrepareSession = prepare_or_wait_for_session

    @contextlib.contextmanager
    def managed_session(self, master="", config=None, start_standard_services=True, close_summary_writer=True):
        """A session for a `with`; at its end everything stops, and the final checkpoint is written.

        tf.errors.OutOfRangeError ends the block quietly.
        """
        try:
            sess = self.prepare_or_wait_for_session(master, config=config, start_standard_services=start_standard_services)
            yield sess
        except Exception as error:
            self.request_stop(error)
        finally:
            try:
                self.stop(close_summary_writer=close_summary_writer)
            finally:
                if "sess" in locals():
                    try:
                        sess.close()
                    except errors.OpError as error:  # its work is done or lost already
                        logging.debug("closing the session: %s", error)

    def _write_graph(self):
        if self._logdir:
            with open(os.path.join(self._logdir, "graph.pbtxt"), "w") as file:
                file.write(str(self._graph.as_graph_def()))
        if self._writer is not None and not self._graph_added_to_summary:
            self._writer.add_graph(self._graph)
            self._writer.add_meta_graph(export_meta_graph(
                graph=self._graph, saver_def=self._saver.as_saver_def() if self._saver else None))
            self._graph_added_to_summary = True

    # --- services

    def start_standard_services(self, sess):
        """The chief's threads: checkpoints, summaries, steps per second. Returns them."""
        if not self._is_chief:
            raise RuntimeError("Only chief supervisor can start standard services. Because only chief supervisors can write "
                               "events.")
        if not self._logdir:
            logging.warning("Standard services need a 'logdir' passed to the SessionManager")
            return None
        threads = []
        if self._save_summaries_secs and self._writer is not None:
            if self._summary_op is not None:
                threads.append(_Every(self, sess, self._save_summaries_secs, self._write_summaries))
            if self._global_step is not None:
                threads.append(_StepCounter(self, sess, self._save_summaries_secs))
        if self._saver and self._save_model_secs:
            threads.append(_Every(self, sess, self._save_model_secs, self._save_model))
        for thread in threads:
            thread.start()
        self._started_threads += threads
        return threads

    def _step(self, sess):
        return int(sess.run(self._global_step)) if self._global_step is not None else None

    def _write_summaries(self, sess):
        if self._global_step is not None:
            summary, step = sess.run([self._summary_op, self._global_step])
        else:
            summary, step = sess.run(self._summary_op), None
        if self._writer is not None:
            self._writer.add_summary(summary, step)

    def _save_model(self, sess):
        from ..protos import SessionLog
        self._saver.save(sess, self._save_path, global_step=self._global_step)
        if self._writer is not None and self._global_step is not None:
            self._writer.add_session_log(SessionLog(status=SessionLog.CHECKPOINT, checkpoint_path=self._save_path),
                                         self._step(sess))

    def summary_computed(self, sess, summary, global_step=None):
        """Writes a summary that the program computed. Raises RuntimeError where no summaries are written."""
        if not self._writer:
            raise RuntimeError("Writing a summary requires a summary writer.")
        if global_step is None and self._global_step is not None:
            global_step = self._step(sess)
        self._writer.add_summary(summary, global_step)

    def start_queue_runners(self, sess, queue_runners=None):
        """Starts the runners of the graph (or those given); returns their threads."""
        runners = self._graph.get_collection(GraphKeys.QUEUE_RUNNERS) if queue_runners is None else queue_runners
        threads = []
        for runner in runners:
            threads += runner.create_threads(sess, coord=self._coord, daemon=True, start=True)
        self._started_threads += threads
        return threads

    def loop(self, timer_interval_secs, target, args=None, kwargs=None):
        """Calls a function every so many seconds until the stop."""
        looper = LooperThread(self._coord, timer_interval_secs, target=target, args=args, kwargs=kwargs)
        looper.start()
        self._started_threads.append(looper)
        return looper

    # --- the end

    def request_stop(self, ex=None):
        self._coord.request_stop(ex=ex)

    def should_stop(self):
        return self._coord.should_stop()

    def stop_on_exception(self):
        return self._coord.stop_on_exception()

    def wait_for_stop(self):
        self._coord.wait_for_stop()

    def stop(self, threads=None, close_summary_writer=True, ignore_live_threads=False):
        """Ends the services, writes what is left, and raises what stopped them."""
        self._coord.request_stop()
        try:
            self._coord.join(threads, stop_grace_period_secs=self._stop_grace_secs, ignore_live_threads=ignore_live_threads)
        finally:
            if close_summary_writer and self._writer is not None:
                self._writer.close()
                self._graph_added_to_summary = False

    Loop, ShouldStop, RequestStop, Stop, StopOnException, WaitForStop = (
        loop, should_stop, request_stop, stop, stop_on_exception, wait_for_stop)


class _Every(LooperThread):
    """Calls a service every so many seconds; the last time when it stops by itself in good order."""

    def __init__(self, supervisor, sess, seconds, service):
        super().__init__(supervisor.coord, seconds)
        self._sess, self._service = sess, service

    def run_loop(self):
        self._service(self._sess)

    def stop_loop(self):
        self._service(self._sess)


class _StepCounter(LooperThread):
    """Writes global_step/sec."""

    def __init__(self, supervisor, sess, seconds):
        super().__init__(supervisor.coord, seconds)
        self._supervisor, self._sess = supervisor, sess
        self._tag = f"{supervisor.global_step.op.name}/sec"

    def start_loop(self):
        self._last_time, self._last_step = time.time(), self._supervisor._step(self._sess)

    def run_loop(self):
        from ..protos import Summary
        now, step = time.time(), self._supervisor._step(self._sess)
        rate = (step - self._last_step) / max(now - self._last_time, 1e-6)
        self._last_time, self._last_step = now, step
        summary = Summary(value=[Summary.Value(tag=self._tag, simple_value=rate)])
        if self._supervisor.summary_writer is not None:
            self._supervisor.summary_writer.add_summary(summary, step)


def basic_train_loop(supervisor, train_step_fn, args=None, kwargs=None, master=""):
    """Calls `train_step_fn(session, *args, **kwargs)` until the supervisor stops, in a new session after tf.errors.AbortedError."""
    while True:
        try:
            with supervisor.managed_session(master) as sess:
                while not supervisor.should_stop():
                    train_step_fn(sess, *(args or ()), **(kwargs or {}))
            return
        except errors.AbortedError:
            logging.info("The session was aborted: training goes on in a new one")
