"""The usual hooks: stopping, checkpoints, summaries, logging, counting steps."""

import os
import time

import numpy as np

from .. import logging
from ..framework.graph import GraphKeys, get_default_graph
from .global_step import get_global_step
from .meta_graph import export_meta_graph
from .session_run_hook import SessionRunArgs, SessionRunHook


class SecondOrStepTimer:
    """Says when it is time: every so many seconds, or every so many steps."""

    def __init__(self, every_secs=None, every_steps=None):
        if (every_secs is None) == (every_steps is None):
            raise ValueError("Exactly one of every_secs and every_steps should be provided.")
        self._every_secs, self._every_steps = every_secs, every_steps
        self.reset()

    def reset(self):
        self._last_step = self._last_time = None

    def should_trigger_for_step(self, step):
        if self._last_step is None:
            return True
        if self._last_step == step:
            return False
        if self._every_secs is not None:
            return time.time() >= self._last_time + self._every_secs
        return step >= self._last_step + self._every_steps

    def update_last_triggered_step(self, step):
        """(seconds, steps) since the last time, or (None, None)."""
        now = time.time()
        passed = (None, None) if self._last_time is None else (now - self._last_time, step - self._last_step)
        self._last_time, self._last_step = now, step
        return passed

    def last_triggered_step(self):
        return self._last_step


def _require_global_step(what):
    found = get_global_step()
    if found is None:
        raise RuntimeError(f"Global step should be created to use {what}.")
    return found


class StopAtStepHook(SessionRunHook):
    """Stops after `num_steps` more steps, or at the global step `last_step`."""

    def __init__(self, num_steps=None, last_step=None):
        if (num_steps is None) == (last_step is None):
            raise ValueError("One of num_steps or last_step must be specified.")
        self._num_steps, self._last_step = num_steps, last_step

    def begin(self):
        self._global_step = _require_global_step("StopAtStepHook")

    def after_create_session(self, session, coord):
        if self._last_step is None:
            self._last_step = int(session.run(self._global_step)) + self._num_steps

    def before_run(self, run_context):
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context, run_values):
        step = run_values.results + 1
        if step >= self._last_step:
            # The fetched value may be the one before this step's update.
            if run_context.session.run(self._global_step) >= self._last_step:
                run_context.request_stop()


class CheckpointSaverListener:
    """Is told about checkpoints; each method may be left as it is."""

    def begin(self):
        pass

    def before_save(self, session, global_step_value):
        pass

    def after_save(self, session, global_step_value):
        """A returned True stops the training."""

    def end(self, session, global_step_value):
        pass


class CheckpointSaverHook(SessionRunHook):
    """Saves when the session is made, then every so many seconds or steps, and at the end."""

    def __init__(self, checkpoint_dir, save_secs=None, save_steps=None, saver=None, checkpoint_basename="model.ckpt",
                 scaffold=None, listeners=None, save_graph_def=True):
        if saver is not None and scaffold is not None:
            raise ValueError("You cannot provide both saver and scaffold.")
        self._saver, self._scaffold = saver, scaffold
        self._checkpoint_dir = os.fspath(checkpoint_dir)
        self._save_path = os.path.join(self._checkpoint_dir, checkpoint_basename)
        self._timer = SecondOrStepTimer(save_secs, save_steps)
        self._listeners = list(listeners or [])

    def begin(self):
        from ..summary import FileWriterCache
        self._global_step = _require_global_step("CheckpointSaverHook")
        os.makedirs(self._checkpoint_dir, exist_ok=True)
        self._writer = FileWriterCache.get(self._checkpoint_dir)
        for listener in self._listeners:
            listener.begin()

    def after_create_session(self, session, coord):
        step = int(session.run(self._global_step))
        graph = session.graph
        with open(os.path.join(self._checkpoint_dir, "graph.pbtxt"), "w") as file:
            file.write(str(graph.as_graph_def()))
        self._writer.add_graph(graph)
        saver = self._get_saver()
        self._writer.add_meta_graph(export_meta_graph(graph=graph, saver_def=saver.as_saver_def() if saver else None))
        self._save(session, step)
        self._timer.update_last_triggered_step(step)

    def before_run(self, run_context):
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context, run_values):
        if self._timer.should_trigger_for_step(int(run_values.results) + 1):
            step = int(run_context.session.run(self._global_step))
            if self._timer.should_trigger_for_step(step):
                self._timer.update_last_triggered_step(step)
                if self._save(run_context.session, step):
                    run_context.request_stop()

    def end(self, session):
        step = int(session.run(self._global_step))
        if step != self._timer.last_triggered_step():
            self._save(session, step)
        for listener in self._listeners:
            listener.end(session, step)

    def _save(self, session, step):
        from ..protos import SessionLog
        logging.info("Saving checkpoints for %d into %s.", step, self._save_path)
        for listener in self._listeners:
            listener.before_save(session, step)
        self._get_saver().save(session, self._save_path, global_step=step)
        self._writer.add_session_log(SessionLog(status=SessionLog.CHECKPOINT, checkpoint_path=self._save_path), step)
        self._writer.flush()
        return any([listener.after_save(session, step) for listener in self._listeners])

    def _get_saver(self):
        if self._saver is not None:
            return self._saver
        if self._scaffold is not None:
            return self._scaffold.saver
        savers = get_default_graph().get_collection(GraphKeys.SAVERS)
        if not savers:
            raise RuntimeError("No items in collection SAVERS. Please add a saver to the collection or provide a saver or "
                               "scaffold.")
        self._saver = savers[0]
        return self._saver


class StepCounterHook(SessionRunHook):
    """Logs and writes steps per second ("global_step/sec")."""

    def __init__(self, every_n_steps=100, every_n_secs=None, output_dir=None, summary_writer=None):
        self._timer = SecondOrStepTimer(every_n_secs, every_n_steps if every_n_secs is None else None)
        self._output_dir, self._writer = output_dir, summary_writer

    def begin(self):
        from ..summary import FileWriterCache
        if self._writer is None and self._output_dir:
            self._writer = FileWriterCache.get(self._output_dir)
        self._global_step = _require_global_step("StepCounterHook")
        self._tag = f"{self._global_step.op.name}/sec"

    def before_run(self, run_context):
        return SessionRunArgs(self._global_step)

    def after_run(self, run_context, run_values):
        step = int(run_values.results) + 1
        if not self._timer.should_trigger_for_step(step):
            return
        step = int(run_context.session.run(self._global_step))
        if not self._timer.should_trigger_for_step(step):
            return
        seconds, steps = self._timer.update_last_triggered_step(step)
        if seconds:
            self._log_and_record(steps, seconds, step)

    def _log_and_record(self, elapsed_steps, elapsed_time, global_step):
        rate = elapsed_steps / elapsed_time
        if self._writer is not None:
            from ..protos import Summary
            self._writer.add_summary(Summary(value=[Summary.Value(tag=self._tag, simple_value=rate)]), global_step)
        logging.info("%s: %g", self._tag, rate)


class SummarySaverHook(SessionRunHook):
    """Writes summaries every so many steps or seconds, the first step's too."""

    def __init__(self, save_steps=None, save_secs=None, output_dir=None, summary_writer=None, scaffold=None, summary_op=None):
        if (scaffold is None) == (summary_op is None):
            raise ValueError("Exactly one of scaffold or summary_op must be provided.")
        self._summary_op, self._scaffold = summary_op, scaffold
        self._output_dir, self._writer = output_dir, summary_writer
        self._timer = SecondOrStepTimer(save_secs, save_steps)

    def begin(self):
        from ..summary import FileWriterCache
        if self._writer is None and self._output_dir:
            self._writer = FileWriterCache.get(self._output_dir)
        self._next_step = None
        self._global_step = _require_global_step("SummarySaverHook")

    def _op(self):
        op = self._summary_op if self._summary_op is not None else self._scaffold.summary_op
        return None if op is None else list(op) if isinstance(op, (list, tuple)) else [op]

    def before_run(self, run_context):
        self._due = self._next_step is None or self._timer.should_trigger_for_step(self._next_step)
        fetches = {"global_step": self._global_step}
        if self._due and self._op() is not None:
            fetches["summary"] = self._op()
        return SessionRunArgs(fetches)

    def after_run(self, run_context, run_values):
        if self._writer is None:
            return
        # The fetched value is that before or after this step's update, so where it matters the step is read once more.
        step = int(run_values.results["global_step"]) + 1
        if self._next_step is None or self._due or self._timer.should_trigger_for_step(step + 1):
            step = int(run_context.session.run(self._global_step))
        if self._next_step is None:
            from ..protos import SessionLog
            self._writer.add_session_log(SessionLog(status=SessionLog.START), step)
        if self._due:
            self._timer.update_last_triggered_step(step)
            for summary in run_values.results.get("summary", []):
                self._writer.add_summary(summary, step)
        self._next_step = step + 1

    def end(self, session):
        if self._writer is not None:
            self._writer.flush()


class LoggingTensorHook(SessionRunHook):
    """Logs tensors ({label: tensor or name}, or a list) every so many local steps or seconds, or only at the end."""

    def __init__(self, tensors, every_n_iter=None, every_n_secs=None, at_end=False, formatter=None):
        only_at_end = at_end and every_n_iter is None and every_n_secs is None
        if not only_at_end and (every_n_iter is None) == (every_n_secs is None):
            raise ValueError("either at_end and/or exactly one of every_n_iter and every_n_secs must be provided.")
        if every_n_iter is not None and every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        if not isinstance(tensors, dict):
            tensors = {getattr(item, "name", item): item for item in tensors}
        self._tensors, self._formatter, self._at_end = tensors, formatter, at_end
        self._timer = None if only_at_end else SecondOrStepTimer(every_n_secs, every_n_iter)

    def begin(self):
        if self._timer is not None:
            self._timer.reset()
        self._iterations = 0
        graph = get_default_graph()
        self._current = {}
        for label, tensor in self._tensors.items():
            if isinstance(tensor, str) and ":" not in tensor:
                tensor += ":0"
            self._current[label] = graph.as_graph_element(tensor)

    def before_run(self, run_context):
        self._due = self._timer is not None and self._timer.should_trigger_for_step(self._iterations)
        return SessionRunArgs(self._current) if self._due else None

    def after_run(self, run_context, run_values):
        if self._due:
            self._log(run_values.results)
        self._iterations += 1

    def end(self, session):
        if self._at_end:
            self._log(session.run(self._current))

    def _log(self, values):
        seconds = None if self._timer is None else self._timer.update_last_triggered_step(self._iterations)[0]
        if self._formatter is not None:
            logging.info(self._formatter(values))
            return
        with np.printoptions(suppress=True):
            text = ", ".join(f"{label} = {values[label]}" for label in self._tensors)
        logging.info("%s%s", text, "" if seconds is None else f" ({seconds:.3f} sec)")


class NanLossDuringTrainingError(RuntimeError):

    def __str__(self):
        return "NaN loss during training."


class NanTensorHook(SessionRunHook):
    """Stops, or raises NanLossDuringTrainingError, when the loss is not a number."""

    def __init__(self, loss_tensor, fail_on_nan_loss=True):
        self._loss, self._fail = loss_tensor, fail_on_nan_loss

    def before_run(self, run_context):
        return SessionRunArgs(self._loss)

    def after_run(self, run_context, run_values):
        if np.isnan(run_values.results):
            message = "Model diverged with loss = NaN."
            if self._fail:
                logging.error(message)
                raise NanLossDuringTrainingError
            logging.warning(message)
            run_context.request_stop()


class FinalOpsHook(SessionRunHook):
    """Runs operations at the end; their values are `final_ops_values`."""

    def __init__(self, final_ops, final_ops_feed_dict=None):
        self._ops, self._feed = final_ops, final_ops_feed_dict
        self.final_ops_values = None

    def end(self, session):
        if self._ops is not None:
            self.final_ops_values = session.run(self._ops, feed_dict=self._feed)


class FeedFnHook(SessionRunHook):
    """Feeds every step what a function returns."""

    def __init__(self, feed_fn):
        self.feed_fn = feed_fn

    def before_run(self, run_context):
        return SessionRunArgs(fetches=None, feed_dict=self.feed_fn())


class GlobalStepWaiterHook(SessionRunHook):
    """Keeps a worker from starting before the global step is reached."""

    def __init__(self, wait_until_step):
        self._wait_until_step = wait_until_step

    def begin(self):
        self._waiting = self._wait_until_step > 0
        self._global_step = _require_global_step("GlobalStepWaiterHook")

    def before_run(self, run_context):
        while self._waiting:
            if run_context.session.run(self._global_step) >= self._wait_until_step:
                self._waiting = False
            else:
                time.sleep(0.1)


class ProfilerHook(SessionRunHook):
    """Writes a Chrome trace of a step ("timeline-N.json") every so many steps or seconds, for chrome://tracing, and the step's
    RunMetadata ("step_N") into an event file, for TensorBoard.

    `show_dataflow` adds arrows from producers to consumers, `show_memory` the bytes that the tensors take.
    """

    def __init__(self, save_steps=None, save_secs=None, output_dir="", show_dataflow=True, show_memory=False):
        self._timer = SecondOrStepTimer(save_secs, save_steps)
        from ..summary import FileWriterCache
        self._output_dir = output_dir
        self._writer, self._written = FileWriterCache.get(output_dir), set()
        self._shown = dict(show_dataflow=show_dataflow, show_memory=show_memory)

    def begin(self):
        self._next_step = None
        self._global_step = _require_global_step("ProfilerHook")

    def before_run(self, run_context):
        self._due = self._next_step is not None and self._timer.should_trigger_for_step(self._next_step)
        options = None
        if self._due:
            from ..protos import RunOptions
            options = RunOptions(trace_level=RunOptions.FULL_TRACE)
        return SessionRunArgs(self._global_step, options=options)

    def after_run(self, run_context, run_values):
        stale = int(run_values.results)
        if self._next_step is None:
            self._timer.update_last_triggered_step(stale)
        step = stale + 1
        if self._due:
            step = int(run_context.session.run(self._global_step))
            self._timer.update_last_triggered_step(step)
            self._save(step, run_values.run_metadata.step_stats)
            if step not in self._written:  # a session that went back to a checkpoint counts steps again
                self._written.add(step)
                self._writer.add_run_metadata(run_values.run_metadata, f"step_{step}", step)
        self._next_step = step + 1

    def _save(self, step, step_stats):
        from ..python.client.timeline import Timeline
        path = os.path.join(self._output_dir, f"timeline-{step}.json")
        logging.info("Saving timeline for %d into '%s'.", step, path)
        os.makedirs(self._output_dir or ".", exist_ok=True)
        with open(path, "w") as file:
            file.write(Timeline(step_stats).generate_chrome_trace_format(**self._shown))
