"""Hooks, summaries and checkpoints of a training session, and an evaluator process that follows its checkpoints."""

import glob
import os

import harness
import numpy as np

CLUSTER = {"ps": 1, "worker": 1, "evaluator": 1}
READ_BACK = "read"
STEPS = 40


def rows(seed):
    rng = np.random.RandomState(seed)
    x = rng.randn(64, 2).astype(np.float32)
    return x, (x @ np.array([[2.0], [-1.0]], np.float32))


def model(tf):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    y = tf.placeholder(tf.float32, [None, 1], name="y")
    weights = tf.get_variable("weights", [2, 1], initializer=tf.zeros_initializer())
    predicted = tf.matmul(x, weights, name="predicted")
    loss = tf.reduce_mean(tf.square(predicted - y), name="loss")
    return x, y, weights, predicted, loss


def training_hooks(tf, record):
    """Hooks of one's own; `record` takes what they see."""

    class Losses(tf.train.SessionRunHook):
        def begin(self):
            record["begun"] = record.get("begun", 0) + 1
            self.loss = tf.get_default_graph().get_tensor_by_name("loss:0")

        def before_run(self, run_context):
            return tf.train.SessionRunArgs({"loss": self.loss})

        def after_run(self, run_context, run_values):
            record.setdefault("losses", []).append(float(run_values.results["loss"]))

        def end(self, session):
            record["ended"] = int(session.run(tf.train.get_global_step()))

    class Saves(tf.train.CheckpointSaverListener):
        def before_save(self, session, global_step_value):
            record.setdefault("before", []).append(int(global_step_value))

        def after_save(self, session, global_step_value):
            record.setdefault("after", []).append(int(global_step_value))

        def end(self, session, global_step_value):
            record["listener_ended"] = int(global_step_value)

    def logged(values):
        record.setdefault("logged", []).append(sorted(values))
        return "logged"

    return Losses(), Saves(), tf.train.LoggingTensorHook({"the loss": "loss", "step": "global_step:0"}, every_n_iter=10,
                                                         formatter=logged)


def train(tf, task):
    server = task.server(tf)
    directory = os.path.join(task.directory, "model")
    with task.device(tf):
        global_step = tf.train.get_or_create_global_step()
        x, y, weights, predicted, loss = model(tf)
        tf.summary.scalar("loss", loss)
        tf.summary.histogram("predictions", predicted)
        tf.summary.image("picture", tf.reshape(predicted[:64], [1, 8, 8, 1]))
        update = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=global_step)
    record = {}
    losses, saves, logging = training_hooks(tf, record)
    saver = tf.train.CheckpointSaverHook(directory, save_steps=10, listeners=[saves],
                                         saver=tf.train.Saver(sharded=True, max_to_keep=3))
    with tf.train.MonitoredTrainingSession(
            master=server.target, is_chief=True, checkpoint_dir=directory, save_checkpoint_secs=None, save_summaries_steps=5,
            log_step_count_steps=10, hooks=[tf.train.StopAtStepHook(num_steps=STEPS), losses, logging],
            chief_only_hooks=[saver], stop_grace_period_secs=3) as session:
        try:
            tf.constant(1)
        except RuntimeError as error:
            record["finalized"] = "finalized" in str(error)
        while not session.should_stop():
            features, wanted = rows(len(record.get("losses", [])))
            session.run(update, {x: features, y: wanted})
    record["kept"] = sorted(os.path.basename(p) for p in tf.train.get_checkpoint_state(directory).all_model_checkpoint_paths)
    return record


def evaluate(tf, task):
    directory = os.path.join(task.directory, "model")
    with tf.Graph().as_default():
        global_step = tf.train.get_or_create_global_step()
        x, y, weights, predicted, loss = model(tf)
        summary = tf.summary.scalar("evaluated", loss)
        saver = tf.train.Saver()
        writer = tf.summary.FileWriter(os.path.join(task.directory, "eval"), tf.get_default_graph())
        features, wanted = rows(1000)
        steps, values = [], []
        for path in tf.train.checkpoints_iterator(directory, min_interval_secs=0, timeout=100):
            with tf.Session() as session:
                try:
                    saver.restore(session, path)
                except (ValueError, tf.errors.NotFoundError):
                    continue  # deleted meanwhile: a newer one is there
                step, value, text = session.run([global_step, loss, summary], {x: features, y: wanted})
            writer.add_summary(text, step)
            steps.append(int(step))
            values.append(float(value))
            if step >= STEPS:
                break
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="by hand", simple_value=2.5)]), steps[-1])
        writer.close()
    return {"steps": steps, "last": values[-1]}


def read(tf, task):
    """What the event files say: {directory: {kind of event or tag: [steps]}}, and the values of the loss."""
    found, losses = {}, []
    for directory in ("model", "eval"):
        seen = found[directory] = {}
        for path in sorted(glob.glob(os.path.join(task.directory, directory, "events.out.tfevents.*"))):
            for event in tf.train.summary_iterator(path):
                kind = event.WhichOneof("what")
                if kind == "summary":
                    for value in event.summary.value:
                        seen.setdefault(value.tag, []).append(event.step)
                        if value.tag == "loss_1":
                            losses.append(value.simple_value)
                elif kind in ("graph_def", "meta_graph_def", "session_log"):
                    seen.setdefault(kind, []).append(event.step)
    return {"found": found, "losses": losses}


def main(tf, task):
    if task.phase == "read":
        return read(tf, task)
    return evaluate(tf, task) if task.job == "evaluator" else train(tf, task)


def check_training(evaluator, trainer):
    steps = list(range(0, STEPS + 1, 10))
    assert trainer["before"] == trainer["after"] == steps and trainer["listener_ended"] == STEPS, trainer
    assert trainer["begun"] == 1 and trainer["ended"] == STEPS and len(trainer["losses"]) == STEPS, trainer
    assert trainer["logged"] == [["step", "the loss"]] * 4 and trainer["finalized"], trainer
    assert trainer["kept"] == ["model.ckpt-20", "model.ckpt-30", "model.ckpt-40"], trainer
    assert evaluator["steps"] == sorted(set(evaluator["steps"])) and evaluator["steps"][-1] == STEPS, evaluator
    assert evaluator["last"] < 1e-3, evaluator


def compare(ours, theirs):
    for evaluator, trainer in (ours[:2], theirs[:2]):
        check_training(evaluator, trainer)
    np.testing.assert_allclose(ours[1]["losses"], theirs[1]["losses"], rtol=1e-3, atol=1e-6)
    for events in (ours[2:], theirs[2:]):
        assert events[0] == events[1], events  # both modules read the same
    for events, trainer in ((ours[2], ours[1]), (theirs[2], theirs[1])):
        seen = events["found"]["model"]
        steps = seen["loss_1"]
        assert steps == seen["predictions"] == seen["picture/image/0"] and steps[0] == 1, seen
        # TensorFlow's hook is early by one where the step that it fetched is that after the update.
        assert set(np.diff(steps)) <= {4, 5} and len(steps) >= STEPS // 5, seen
        np.testing.assert_allclose(events["losses"], [trainer["losses"][step - 1] for step in steps], rtol=1e-6)
        assert len(seen["global_step/sec"]) == STEPS // 10 - 1, seen
        assert {"graph_def", "meta_graph_def", "session_log"} <= set(seen), seen
        assert events["found"]["eval"]["by hand"] == [STEPS] and "graph_def" in events["found"]["eval"], events
    assert ours[2]["found"]["model"]["loss_1"] == [1, *range(6, STEPS + 1, 5)], ours[2]


if __name__ == "__main__":
    harness.start(main)
