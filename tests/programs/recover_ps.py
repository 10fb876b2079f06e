"""The parameter server alone is killed and started again: the workers' sessions recover from the newest checkpoint."""

import os
import time

import harness
import numpy as np

STEPS = 60


def recovery_hook(tf, task, directory, global_step):
    """A hook that keeps, of each making of the session, the global step and that of the newest checkpoint."""

    class Hook(tf.train.SessionRunHook):
        made, saved = [], []

        def after_create_session(self, session, coord):
            if not task.is_chief and self.made:
                task.wait_for("restored")
            newest = tf.train.latest_checkpoint(directory)
            self.made.append(int(session.run(global_step)))
            self.saved.append(int(tf.train.load_variable(newest, "global_step")) if newest else 0)
            if task.is_chief and len(self.made) == 2:
                task.mark("restored")

    return Hook()


def main(tf, task):
    server = task.server(tf)
    with task.device(tf):
        global_step = tf.train.get_or_create_global_step()
        x = tf.placeholder(tf.float32, [None, 3])
        weights = tf.get_variable("weights", [3, 1], initializer=tf.zeros_initializer())
        loss = tf.reduce_mean(tf.square(tf.matmul(x, weights) - tf.reduce_sum(x, 1, keepdims=True)))
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=global_step)
    directory = os.path.join(task.directory, "model")
    hook = recovery_hook(tf, task, directory, global_step)
    restarted, longest = False, 0.0
    with tf.train.MonitoredTrainingSession(master=server.target, is_chief=task.is_chief, checkpoint_dir=directory,
                                           hooks=[hook, tf.train.StopAtStepHook(last_step=STEPS)], save_checkpoint_steps=10,
                                           save_checkpoint_secs=None, stop_grace_period_secs=3) as session:
        rng = np.random.RandomState(task.index)
        while not session.should_stop():
            started = time.monotonic()
            _, step = session.run([train, global_step], {x: rng.randn(16, 3)})
            longest = max(longest, time.monotonic() - started)
            if step >= 25 and not restarted:
                task.wait_for_all("halfway")  # both workers have trained, and neither may finish before the restart
                restarted = True
                if task.is_chief:
                    task.restart("ps", 0)
                task.wait_for("restarted", "ps", 0)
    with tf.Session(server.target) as session:
        final, trained = session.run([global_step, weights])
    task.wait_for_all("end")
    return {"made": hook.made, "saved": hook.saved, "final": int(final), "weights": trained.ravel().tolist(),
            "longest": longest}


def compare(ours, theirs):
    for results in (ours, theirs):
        chief = results[0]
        assert len(chief["made"]) == 2 and chief["made"][0] == 0, chief
        assert chief["made"][1] == chief["saved"][1] >= 20, chief
        assert all(len(r["made"]) == 2 for r in results), results
        assert all(STEPS <= r["final"] <= STEPS + 2 for r in results), results
        for result in results:
            np.testing.assert_allclose(result["weights"], 1, atol=0.05)
    assert all(r["longest"] < 10 for r in ours), ours


if __name__ == "__main__":
    harness.start(main)
