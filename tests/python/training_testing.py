"""What the tests of training sessions share: servers in this process, threads whose failure is seen, event files."""

import contextlib
import glob
import os
import socket
import tempfile
import threading
import unittest

import headrace as tf


def free_addresses(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    addresses = ["127.0.0.1:%d" % each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return addresses


class Background:
    """Runs a function in a thread; result() waits for it and raises what it raised."""

    def __init__(self, function, *arguments):
        self._outcome = None
        self._thread = threading.Thread(target=self._run, args=(function, arguments), daemon=True)
        self._thread.start()

    def _run(self, function, arguments):
        try:
            self._outcome = function(*arguments), None
        except BaseException as error:
            self._outcome = None, error

    def result(self, seconds=20):
        self._thread.join(seconds)
        if self._outcome is None:
            raise AssertionError("it did not end in time")
        if self._outcome[1] is not None:
            raise self._outcome[1]
        return self._outcome[0]


class Seen(tf.train.SessionRunHook):
    """Keeps the global step at each making of the session, and whether it has ended."""

    def __init__(self):
        self.made, self.ended = [], False

    def begin(self):
        self.step = tf.train.get_global_step()

    def after_create_session(self, session, coord):
        self.made.append(int(session.run(self.step)))

    def end(self, session):
        self.ended = True


class TrainingTest(unittest.TestCase):
    """A test with a directory, and servers that end with it."""

    def setUp(self):
        tf.reset_default_graph()
        self._cleanup = contextlib.ExitStack()
        self.addCleanup(self._cleanup.close)
        self.directory = self._cleanup.enter_context(tempfile.TemporaryDirectory())

    def serve(self, cluster, job, index):
        server = tf.train.Server(cluster, job_name=job, task_index=index)
        self._cleanup.callback(server.stop)
        return server

    def count_up(self, device=None):
        """(global step, an operation that counts it up), in the default graph."""
        with tf.device(device):
            step = tf.train.get_or_create_global_step()
            return step, tf.assign_add(step, 1, use_locking=True)

    def events(self, directory=None):
        paths = sorted(glob.glob(os.path.join(directory or self.directory, "events.out.tfevents.*")))
        return [event for path in paths for event in tf.train.summary_iterator(path)]

    def steps_of(self, tag):
        """At which steps the event files have a value of that tag."""
        return [event.step for event in self.events() for value in event.summary.value if value.tag == tag]
