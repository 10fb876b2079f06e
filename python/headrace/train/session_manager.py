"""SessionManager: sessions with an initialized or restored model, or that wait until somebody has made it so."""

import time

from .. import logging
from ..framework import errors
from ..framework.graph import get_default_graph
from ..framework.session import Session
from .saver import checkpoint_exists, get_checkpoint_state


class SessionManager:
    """Opens sessions and brings the model into a state to train from.

    `ready_op`: a string vector, empty when the model is ready. `recovery_wait_secs`: how often a waiting session asks.
    """

    def __init__(self, local_init_op=None, ready_op=None, ready_for_local_init_op=None, graph=None, recovery_wait_secs=30,
                 local_init_run_options=None, local_init_feed_dict=None):
        self._local_init_op, self._ready_op = local_init_op, ready_op
        self._ready_for_local_init_op = ready_for_local_init_op
        self._graph = graph or get_default_graph()
        self._recovery_wait_secs = recovery_wait_secs
        self._local_init_feed_dict = local_init_feed_dict
        if ready_for_local_init_op is not None and local_init_op is None:
            raise ValueError("If you pass a ready_for_local_init_op you must also pass a local_init_op")

    def _restore(self, sess, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint, max_wait_secs):
        if checkpoint_dir and checkpoint_filename_with_path:
            raise ValueError("Can not provide both checkpoint_dir and checkpoint_filename_with_path.")
        if not saver or not (checkpoint_dir or checkpoint_filename_with_path):
            return False
        if checkpoint_filename_with_path:
            saver.restore(sess, checkpoint_filename_with_path)
            return True
        deadline = time.monotonic() + max_wait_secs
        state = get_checkpoint_state(checkpoint_dir)
        while not state or not state.model_checkpoint_path:
            if not wait_for_checkpoint or time.monotonic() >= deadline:
                return False
            logging.info("Waiting for checkpoint to be available.")
            time.sleep(min(self._recovery_wait_secs, 1.0))
            state = get_checkpoint_state(checkpoint_dir)
        if not checkpoint_exists(state.model_checkpoint_path):
            return False
        saver.restore(sess, state.model_checkpoint_path)
        saver.recover_last_checkpoints(state.all_model_checkpoint_paths)
        return True

    def prepare_session(self, master, init_op=None, saver=None, checkpoint_dir=None, checkpoint_filename_with_path=None,
                        wait_for_checkpoint=False, max_wait_secs=7200, config=None, init_feed_dict=None, init_fn=None):
        """A session whose model is restored from the newest checkpoint, or else initialized. Raises RuntimeError if neither."""
        sess, restored = self.recover_or_open(master, saver, checkpoint_dir, checkpoint_filename_with_path,
                                              wait_for_checkpoint, max_wait_secs, config)
        if not restored:
            if init_op is None and not init_fn and self._local_init_op is None:
                raise RuntimeError("Model is not initialized and no init_op or init_fn or local_init_op was given")
            if init_op is not None:
                sess.run(init_op, feed_dict=init_feed_dict)
            if init_fn:
                init_fn(sess)
        ready, message = self._try_local_init(sess)
        if not ready:
            raise RuntimeError("Init operations did not make model ready for local_init. Init op: "
                               f"{_name(init_op)}, init fn: {init_fn}, error: {message}")
        ready, message = self._is_ready(sess, self._ready_op)
        if not ready:
            raise RuntimeError(f"Init operations did not make model ready. Init op: {_name(init_op)}, init fn: {init_fn}, "
                               f"local_init_op: {_name(self._local_init_op)}, error: {message}")
        return sess

    def recover_or_open(self, master, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint,
                        max_wait_secs, config):
        sess = Session(master, graph=self._graph, config=config)
        try:
            restored = self._restore(sess, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint,
                                     max_wait_secs)
        except BaseException:
            sess.close()
            raise
        return sess, restored

    def recover_session(self, master, saver=None, checkpoint_dir=None, checkpoint_filename_with_path=None,
                        wait_for_checkpoint=False, max_wait_secs=7200, config=None):
        """(session, whether its model was restored and is ready)."""
        sess, restored = self.recover_or_open(master, saver, checkpoint_dir, checkpoint_filename_with_path,
                                              wait_for_checkpoint, max_wait_secs, config)
        local_ready, message = self._try_local_init(sess)
        if not restored:
            return sess, False
        if not local_ready:
            logging.info("Restoring the model did not make it ready for local initialization: %s", message)
            return sess, False
        ready, message = self._is_ready(sess, self._ready_op)
        return sess, ready

    def wait_for_session(self, master, config=None, max_wait_secs=float("inf")):
        """A session whose model somebody else (the chief) has initialized. Raises tf.errors.DeadlineExceededError."""
        deadline = time.monotonic() + (float("inf") if max_wait_secs is None else max_wait_secs)
        pause = 0.05
        while True:
            sess = Session(master, graph=self._graph, config=config)
            message = None
            try:
                local_ready, message = self._try_local_init(sess)
                if local_ready:
                    ready, message = self._is_ready(sess, self._ready_op)
                    if ready:
                        return sess
            except errors.OpError:
                sess.close()
                raise
            sess.close()
            if time.monotonic() + pause > deadline:
                raise errors.DeadlineExceededError(None, None, f"Session was not ready after waiting {max_wait_secs} secs: "
                                                               f"{message}")
            logging.info("Waiting for model to be ready: %s", message)
            # Asking costs little, so a worker that is early by a moment loses a moment, not recovery_wait_secs.
            time.sleep(min(pause, self._recovery_wait_secs))
            pause = min(pause * 2, 1.0)

    def _is_ready(self, sess, op):
        if op is None:
            return True, None
        try:
            missing = sess.run(op)
        except errors.FailedPreconditionError as error:
            return False, str(error)
        if missing is None or missing.size == 0:
            return True, None
        return False, "Variables not initialized: " + ", ".join(name.decode() for name in missing.ravel())

    def _try_local_init(self, sess):
        if self._local_init_op is None:
            return True, None
        ready, message = self._is_ready(sess, self._ready_for_local_init_op)
        if ready:
            sess.run(self._local_init_op, feed_dict=self._local_init_feed_dict)
        return ready, message


def _name(op):
    return getattr(op, "name", None)
