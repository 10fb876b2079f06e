"""Everything is killed and started again on new ports: the training goes on from the newest checkpoint."""

import os
import re

import harness
import numpy as np

PHASES = ["first", "second"]
STEPS = {"first": 47, "second": 80}


def value_hook(tf, tensors):
    """A hook that keeps what the tensors are when the session has been made."""

    class Hook(tf.train.SessionRunHook):
        def after_create_session(self, session, coord):
            self.values = session.run(tensors)

    return Hook()


def main(tf, task):
    server = task.server(tf)
    with task.device(tf):
        global_step = tf.train.get_or_create_global_step()
        x = tf.placeholder(tf.float32, [None, 3])
        weights = tf.get_variable("weights", [3, 1], initializer=tf.random_normal_initializer(seed=1))
        loss = tf.reduce_mean(tf.square(tf.matmul(x, weights) - tf.reduce_sum(x, 1, keepdims=True)))
        train = tf.train.MomentumOptimizer(0.05, 0.5).minimize(loss, global_step=global_step)
    directory = os.path.join(task.directory, "model")
    saved = tf.train.latest_checkpoint(directory)
    contents = {}
    if task.phase == "second" and task.is_chief:  # before training, whose own checkpoints may push this one out
        reader = tf.train.load_checkpoint(saved)
        contents = {"saved": int(re.search(r"-(\d+)$", saved).group(1)), "saved_step": int(reader.get_tensor("global_step")),
                    "saved_weights": reader.get_tensor("weights").ravel().tolist()}
    first = value_hook(tf, {"step": global_step, "weights": weights})
    if task.phase == "second" and not task.is_chief:
        task.wait_for("restored")  # so that the chief sees the state before anybody has gone on with it
    hooks = [first, tf.train.StopAtStepHook(last_step=STEPS[task.phase])]
    with tf.train.MonitoredTrainingSession(master=server.target, is_chief=task.is_chief, checkpoint_dir=directory, hooks=hooks,
                                           save_checkpoint_steps=10, save_checkpoint_secs=None,
                                           stop_grace_period_secs=3) as session:
        if task.phase == "second":
            task.mark("restored")
        rng = np.random.RandomState(task.index)
        step = 0
        while not session.should_stop():
            _, step = session.run([train, global_step], {x: rng.randn(8, 3)})
        if task.phase == "first":
            task.wait_for_all("trained")
            harness.report({"step": int(step)})
            os._exit(0)  # no final checkpoint, nothing closed
    result = {"restored": int(first.values["step"]), "restored_weights": first.values["weights"].ravel().tolist()}
    result.update(contents)
    with tf.Session(server.target) as session:
        result["final"] = int(session.run(global_step))
    task.wait_for_all("end")
    result["newest"] = os.path.basename(tf.train.latest_checkpoint(directory))
    return result


def compare(ours, theirs):
    for results in (ours, theirs):
        chief = results[0]
        assert 30 <= chief["saved"] <= STEPS["first"] + 2, chief
        assert chief["restored"] == chief["saved_step"], chief
        assert chief["restored_weights"] == chief["saved_weights"], chief
        assert all(STEPS["second"] <= r["final"] <= STEPS["second"] + 2 for r in results), results
        step = int(chief["newest"].rsplit("-", 1)[1])
        assert chief["newest"].startswith("model.ckpt-") and STEPS["second"] <= step <= STEPS["second"] + 2, chief


if __name__ == "__main__":
    harness.start(main)
