"""Coordinator and queue runners: the client's threads that keep queues filled."""

import contextlib
import sys
import threading
import time
import weakref

from .._native import native
from ..framework import errors
from ..framework.graph import GraphKeys, get_default_graph
from ..framework.session import cancelled_by, get_default_session

_GRACE_S = 0.5  # for a queue runner's step to end by itself, once its coordinator has asked to stop


class Coordinator:
    """Ends a set of threads together: any of them may ask all to stop; the first exception is raised by join()."""

    def __init__(self, clean_stop_exception_types=None):
        self._clean = tuple(clean_stop_exception_types or (errors.OutOfRangeError,))
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._raised = None  # sys.exc_info() of the first failure
        self._joined = False
        self._threads = set()

    def _is_clean(self, error):
        return isinstance(error, self._clean)

    def request_stop(self, ex=None):
        """Asks all threads to stop; `ex` (an exception or sys.exc_info()) is raised by join, unless it is a clean one."""
        with self._lock:
            error = ex[1] if isinstance(ex, tuple) else ex
            if error is not None and self._is_clean(error):
                error = None
            if not self._stop.is_set():
                if error is not None:
                    self._raised = ex if isinstance(ex, tuple) else (type(ex), ex, ex.__traceback__)
                self._joined = False
                self._stop.set()

    def clear_stop(self):
        with self._lock:
            self._joined, self._raised = False, None
            self._stop.clear()

    def should_stop(self):
        return self._stop.is_set()

    @contextlib.contextmanager
    def stop_on_exception(self):
        """An exception inside the block asks all threads to stop."""
        try:
            yield
        except BaseException:
            self.request_stop(ex=sys.exc_info())

    def wait_for_stop(self, timeout=None):
        return self._stop.wait(timeout)

    def register_thread(self, thread):
        with self._lock:
            self._threads.add(thread)

    @property
    def joined(self):
        return self._joined

    def raise_requested_exception(self):
        if self._raised is not None:
            raise self._raised[1].with_traceback(self._raised[2])

    def join(self, threads=None, stop_grace_period_secs=120, ignore_live_threads=False):
        """Waits for the threads to end; after a stop request for at most the grace period. Raises the first failure.

        Raises RuntimeError when threads are still alive after the period, unless `ignore_live_threads`.
        """
        with self._lock:
            threads = [t for t in self._threads.union(threads or ())]
        while any(t.is_alive() for t in threads) and not self.wait_for_stop(0.05):
            pass
        deadline = time.monotonic() + stop_grace_period_secs
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        alive = [t.name for t in threads if t.is_alive()]
        with self._lock:
            self._joined = True
            self._threads.clear()
            self.raise_requested_exception()
        if alive and not ignore_live_threads:
            raise RuntimeError(f"Coordinator stopped with threads still running: {' '.join(alive)}")


class LooperThread(threading.Thread):
    """Calls a function until the coordinator says stop: every `timer_interval_secs`, or without a pause if that is None."""

    def __init__(self, coord, timer_interval_secs, target=None, args=None, kwargs=None):
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        super().__init__(daemon=True)
        self._coord, self._interval = coord, timer_interval_secs
        self._function, self._arguments, self._named = target, args or (), kwargs or {}
        coord.register_thread(self)

    @staticmethod
    def loop(coord, timer_interval_secs, target, args=None, kwargs=None):
        looper = LooperThread(coord, timer_interval_secs, target, args, kwargs)
        looper.start()
        return looper

    def run(self):
        with self._coord.stop_on_exception():
            self.start_loop()
            if self._interval is None:
                while not self._coord.should_stop():
                    self.run_loop()
            else:
                next_time = time.monotonic()
                while not self._coord.wait_for_stop(max(0.0, next_time - time.monotonic())):
                    next_time += self._interval
                    self.run_loop()
            self.stop_loop()

    def start_loop(self):
        pass

    def stop_loop(self):
        pass

    def run_loop(self):
        if self._function:
            self._function(*self._arguments, **self._named)


class QueueRunner:
    """Threads that run enqueue operations until their input ends; then the queue is closed.

    Each operation of `enqueue_ops` has a thread of its own in every session.
    """

    def __init__(self, queue=None, enqueue_ops=None, close_op=None, cancel_op=None, queue_closed_exception_types=None,
                 queue_runner_def=None, import_scope=None):
        if not queue or not enqueue_ops:
            raise ValueError("Must provide queue and enqueue_ops.")
        self._queue = queue
        self._enqueue_ops = list(enqueue_ops)
        self._close_op = queue.close() if close_op is None else close_op
        self._cancel_op = queue.close(cancel_pending_enqueues=True) if cancel_op is None else cancel_op
        self._closed_types = tuple(queue_closed_exception_types or (errors.OutOfRangeError,))
        self._lock = threading.Lock()
        self._runs = weakref.WeakKeyDictionary()  # session -> threads that still run
        self._exceptions = []

    queue = property(lambda self: self._queue)
    enqueue_ops = property(lambda self: self._enqueue_ops)
    close_op = property(lambda self: self._close_op)
    cancel_op = property(lambda self: self._cancel_op)
    queue_closed_exception_types = property(lambda self: self._closed_types)
    name = property(lambda self: self._queue.name)
    exceptions_raised = property(lambda self: self._exceptions)

    def _run(self, sess, enqueue_op, coord):
        """What a thread does: enqueues until the input ends; the last one to end closes the queue."""
        counted = True
        try:
            while not (coord and coord.should_stop()):
                try:
                    sess.run(enqueue_op)
                except self._closed_types:
                    counted = False
                    if self._one_ended(sess):
                        try:
                            sess.run(self._close_op)
                        except Exception as error:  # the session may be closing
                            _log("closing the queue", error)
                    return
        except Exception as error:
            if coord:
                coord.request_stop(error)
            else:
                _log("a queue runner", error)
                with self._lock:
                    self._exceptions.append(error)
        finally:
            if counted:
                self._one_ended(sess)

    def _one_ended(self, sess):
        """Whether it was the session's last thread."""
        with self._lock:
            self._runs[sess] -= 1
            return self._runs[sess] == 0

    def _close_on_stop(self, sess, coord, threads, cancellation):
        """Ends the threads at a stop: their queue is closed, and a step that then still waits, for something else, is ended."""
        coord.wait_for_stop()
        try:
            sess.run(self._cancel_op)
        except Exception as error:  # the session may be closed already
            _log("cancelling the queue", error)
        deadline = time.monotonic() + _GRACE_S
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        cancellation.cancel()

    def create_threads(self, sess, coord=None, daemon=False, start=False):
        """The threads for a session; none if those of before still run."""
        with self._lock:
            if self._runs.get(sess, 0) > 0:
                return []
            self._runs[sess] = len(self._enqueue_ops)
            self._exceptions = []
        cancellation = native.Cancellation()

        def run(enqueue_op):
            with cancelled_by(cancellation):
                self._run(sess, enqueue_op, coord)

        threads = [threading.Thread(target=run, args=(op,), name=f"QueueRunner-{self.name}-{op.name}")
                   for op in self._enqueue_ops]
        if coord:
            threads.append(threading.Thread(target=self._close_on_stop, args=(sess, coord, list(threads), cancellation),
                                            name=f"QueueRunner-{self.name}-close_on_stop"))
        for thread in threads:
            if coord:
                coord.register_thread(thread)
            thread.daemon = daemon or thread.daemon
            if start:
                thread.start()
        return threads


def _log(what, error):
    from .. import logging
    logging.debug("%s: %s", what, error)


def add_queue_runner(qr, collection=GraphKeys.QUEUE_RUNNERS):
    """Remembers a runner for start_queue_runners."""
    get_default_graph().add_to_collection(collection, qr)


def start_queue_runners(sess=None, coord=None, daemon=True, start=True, collection=GraphKeys.QUEUE_RUNNERS):
    """Starts all runners of the graph in a session; returns their threads."""
    sess = sess or get_default_session()
    if sess is None:
        raise ValueError("Cannot start queue runners: No default session is registered. Use `with sess.as_default()` or pass "
                         "an explicit session to tf.start_queue_runners(sess=sess)")
    runners = sess.graph.get_collection(collection)
    return [t for runner in runners for t in runner.create_threads(sess, coord=coord, daemon=daemon, start=start)]
