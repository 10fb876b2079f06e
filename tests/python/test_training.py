"""Training sessions on clusters: who waits for whom, what outlives what, and what happens when a task is lost."""

import os
import subprocess
import sys
import textwrap
import threading
import time
import unittest

import headrace as tf
from training_testing import Background, Seen, TrainingTest, free_addresses

PS = "/job:ps/task:0"


class WaitingTest(TrainingTest):

    def test_a_worker_that_is_early_loses_a_moment_only(self):
        cluster = {"ps": free_addresses(1), "worker": free_addresses(2)}
        targets = [self.serve(cluster, job, i).target for job, i in (("ps", 0), ("worker", 0), ("worker", 1))]
        waiting = threading.Event()

        class Waits(tf.train.SessionManager):
            def _is_ready(self, sess, op):
                ready = super()._is_ready(sess, op)
                waiting.set()
                return ready

        def work():
            with tf.Graph().as_default() as graph:
                step, count = self.count_up(PS)
                manager = Waits(ready_op=tf.report_uninitialized_variables(), graph=graph, recovery_wait_secs=30)
                with manager.wait_for_session(targets[2]) as session:
                    return int(session.run(count))

        worker = Background(work)
        self.assertTrue(waiting.wait(20))
        started = time.monotonic()
        self.count_up(PS)
        with tf.train.MonitoredTrainingSession(targets[1]):
            self.assertEqual(worker.result(), 1)
        self.assertLess(time.monotonic() - started, 5)

    def test_a_session_waits_for_every_task_unless_filters_leave_some_out(self):
        cluster = {"ps": free_addresses(1), "worker": free_addresses(2)}
        target = self.serve(cluster, "worker", 0).target
        x = tf.constant(3)
        everyone = Background(lambda: tf.Session(target, graph=x.graph).run(x))
        alone = tf.ConfigProto(device_filters=["/job:worker/task:0"])
        with tf.Session(target, config=alone) as session:
            self.assertEqual(session.run(x), 3)
        self.serve(cluster, "worker", 1)
        with self.assertRaisesRegex(AssertionError, "in time"):
            everyone.result(0.2)
        self.serve(cluster, "ps", 0)  # the last one: now the session is there
        self.assertEqual(everyone.result(), 3)

    def test_what_is_trained_outlives_the_training_session(self):
        cluster = {"ps": free_addresses(1), "worker": free_addresses(1)}
        self.serve(cluster, "ps", 0)
        target = self.serve(cluster, "worker", 0).target
        step, count = self.count_up(PS)
        with tf.train.MonitoredTrainingSession(target) as session:
            for _ in range(3):
                session.run(count)
        with tf.Session(target) as session:
            self.assertEqual(session.run(step), 3)

    def test_local_variables_of_one_name_are_one_variable_where_the_setter_sends_them(self):
        cluster = {"ps": free_addresses(1), "worker": free_addresses(1)}
        self.serve(cluster, "ps", 0)
        target = self.serve(cluster, "worker", 0).target
        setter = tf.train.replica_device_setter(cluster=cluster)
        graphs = []
        for _ in range(2):
            with tf.Graph().as_default() as graph, tf.device(setter):
                limited = tf.train.limit_epochs(tf.constant(1), num_epochs=1)
                graphs.append((graph, limited, tf.local_variables_initializer()))
        with tf.Session(target, graph=graphs[0][0]) as session:
            session.run(graphs[0][2])
            session.run(graphs[0][1])
        with tf.Session(target, graph=graphs[1][0]) as session, self.assertRaises(tf.errors.OutOfRangeError):
            session.run(graphs[1][1])

    def test_a_task_can_take_its_port_again_at_once(self):
        cluster = {"local": free_addresses(1)}
        for _ in range(3):
            server = self.serve(cluster, "local", 0)
            with tf.Session(server.target) as session:
                self.assertEqual(session.run(tf.constant(1) + 1), 2)
            server.stop()


class SupervisorTest(TrainingTest):

    def test_the_graph_is_finished_with_it(self):
        self.count_up()
        supervisor = tf.train.Supervisor()
        with self.assertRaisesRegex(RuntimeError, "finalized"):
            tf.constant(1)
        with supervisor.managed_session() as session:
            self.assertEqual(session.run(supervisor.global_step), 0)

    def test_the_basic_loop_goes_on_after_an_abortion(self):
        step, count = self.count_up()
        supervisor = tf.train.Supervisor(logdir=self.directory, save_summaries_secs=0)
        seen = []

        def train(session, most, by=0):
            seen.append(session.run(count))
            if len(seen) == 3:
                raise tf.errors.AbortedError(None, None, "as if a task were lost")
            if len(seen) >= most + by:
                supervisor.request_stop()

        tf.train.basic_train_loop(supervisor, train, (4,), {"by": 1})
        self.assertEqual(seen, [1, 2, 3, 4, 5])  # from the checkpoint at the end of the first session

    def test_a_worker_does_not_wait_for_variables_that_its_ready_op_leaves_out(self):
        cluster = {"ps": free_addresses(1), "worker": free_addresses(1)}
        self.serve(cluster, "ps", 0)
        target = self.serve(cluster, "worker", 0).target
        step, _ = self.count_up(PS)
        with tf.device("/job:worker/task:0"):
            own = tf.Variable(1.0, name="own")
        with tf.Session(target) as session:
            session.run(step.initializer)
        supervisor = tf.train.Supervisor(is_chief=False, ready_op=tf.report_uninitialized_variables([step]), global_step=step)
        session = Background(lambda: supervisor.prepare_or_wait_for_session(target)).result()
        with session, self.assertRaises(tf.errors.FailedPreconditionError):
            session.run(own)


class RecoveryTest(TrainingTest):

    def test_a_lost_parameter_server_costs_the_steps_since_the_checkpoint(self):
        cluster = {"ps": free_addresses(1), "worker": free_addresses(1)}
        server = self.serve(cluster, "ps", 0)
        target = self.serve(cluster, "worker", 0).target
        step, count = self.count_up(PS)
        seen = Seen()
        with tf.train.MonitoredTrainingSession(target, checkpoint_dir=self.directory, save_checkpoint_steps=5, hooks=[seen],
                                               save_checkpoint_secs=None) as session:
            for _ in range(8):
                session.run(count)
            server.stop()
            self.serve(cluster, "ps", 0)
            self.assertFalse(session.should_stop())
            self.assertEqual(session.run(count), 6)
        self.assertEqual(seen.made, [0, 5])
        self.assertTrue(tf.train.latest_checkpoint(self.directory).endswith("model.ckpt-6"))

    def test_a_loss_that_a_queue_runner_sees_first_is_recovered_from_too(self):
        cluster = {"ps": free_addresses(1), "worker": free_addresses(1)}
        server = self.serve(cluster, "ps", 0)
        target = self.serve(cluster, "worker", 0).target
        step, count = self.count_up(PS)
        with tf.device(PS):
            queue = tf.FIFOQueue(1, tf.int64, shapes=[[]], shared_name="shared")
            tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(step + 0)]))
            item = queue.dequeue()
        seen = Seen()
        coordinators = []
        seen.after_create_session = lambda session, coord: (coordinators.append(coord),
                                                            Seen.after_create_session(seen, session, coord))
        with tf.train.MonitoredTrainingSession(target, checkpoint_dir=self.directory, hooks=[seen]) as session:
            session.run([count, item])
            server.stop()
            coordinators[0].wait_for_stop(20)  # the runner's thread has failed
            self.serve(cluster, "ps", 0)
            self.assertFalse(session.should_stop())
            session.run([count, item])
        self.assertEqual(seen.made, [0, 0])

    def test_a_singular_session_raises_the_loss(self):
        cluster = {"ps": free_addresses(1), "worker": free_addresses(1)}
        server = self.serve(cluster, "ps", 0)
        target = self.serve(cluster, "worker", 0).target
        step, count = self.count_up(PS)
        with self.assertRaises((tf.errors.UnavailableError, tf.errors.AbortedError)):
            with tf.train.SingularMonitoredSession(master=target) as session:
                session.run(count)
                server.stop()
                session.run(count)

    def test_training_resumes_from_the_directory(self):
        for first, last in ((0, 4), (4, 7)):
            with tf.Graph().as_default():
                step, count = self.count_up()
                seen = Seen()
                hooks = [seen, tf.train.StopAtStepHook(num_steps=last - first)]  # counted from the restored step
                with tf.train.MonitoredTrainingSession(checkpoint_dir=self.directory, hooks=hooks) as session:
                    state = tf.train.get_checkpoint_state(self.directory)
                    self.assertTrue(state.model_checkpoint_path.endswith(f"-{first}"), "the first one is written at the start")
                    while not session.should_stop():
                        session.run(count)
                self.assertEqual((seen.made, seen.ended), ([first], True))
                self.assertEqual(tf.train.latest_checkpoint(self.directory), os.path.join(self.directory, f"model.ckpt-{last}"))
        self.assertEqual(tf.train.load_variable(self.directory, "global_step"), 7)


class HooksTest(TrainingTest):

    def test_hooks_of_the_program_come_after_those_of_the_session(self):
        directory, told = self.directory, []

        class Told(tf.train.SessionRunHook):

            def __init__(self, name):
                self.name = name

            def begin(self):
                told.append(self.name)

            def after_create_session(self, session, coord):
                told.append(tf.train.latest_checkpoint(directory))

            def end(self, session):
                told.append(tf.train.latest_checkpoint(directory))

        _, count = self.count_up()
        with tf.train.MonitoredTrainingSession(checkpoint_dir=directory, hooks=[Told("hook")], save_summaries_steps=None,
                                               save_summaries_secs=None, log_step_count_steps=None) as session:
            session.run(count)
        self.assertEqual(told, ["hook", os.path.join(directory, "model.ckpt-0"), os.path.join(directory, "model.ckpt-1")])
        told.clear()
        with tf.train.MonitoredTrainingSession(hooks=[Told("hook")], chief_only_hooks=[Told("chief's")]):
            self.assertEqual(told[:2], ["chief's", "hook"])

    def test_a_fetched_global_step_is_that_before_or_after_the_update(self):
        step = tf.train.get_or_create_global_step()
        weight = tf.Variable(1.0)
        train = tf.train.GradientDescentOptimizer(0.1).minimize(weight * weight, global_step=step)
        with tf.train.MonitoredTrainingSession() as session:
            for done in range(5):
                _, fetched = session.run([train, step])
                self.assertIn(fetched, (done, done + 1))
            self.assertEqual(session.run(step), 5)

    def test_all_workers_stop_at_the_last_step_but_for_those_under_way(self):
        step, count = self.count_up()
        hooks = [[tf.train.StopAtStepHook(last_step=20)] for _ in range(2)]
        server = self.serve({"local": free_addresses(1)}, "local", 0)

        def work():
            with tf.Graph().as_default():
                other_count = self.count_up()[1]
                with tf.train.MonitoredTrainingSession(server.target, is_chief=False, hooks=hooks[1]) as session:
                    while not session.should_stop():
                        session.run(other_count)

        worker = Background(work)
        with tf.train.MonitoredTrainingSession(server.target, hooks=hooks[0]) as session:
            while not session.should_stop():
                session.run(count)
        worker.result()
        with tf.Session(server.target) as session:
            self.assertIn(session.run(step), (20, 21))

    def test_the_graph_of_a_training_session_is_finished(self):
        step, count = self.count_up()
        tf.identity(tf.cast(step, tf.float32) * 0.5, name="loss")

        class Looks(tf.train.SessionRunHook):
            losses = []

            def begin(self):
                self.loss = tf.get_default_graph().get_tensor_by_name("loss:0")

            def before_run(self, run_context):
                return tf.train.SessionRunArgs([self.loss, "global_step:0"])

            def after_run(self, run_context, run_values):
                self.losses.append(run_values.results)

        hook = Looks()
        with tf.train.MonitoredTrainingSession(hooks=[hook]) as session:
            with self.assertRaisesRegex(RuntimeError, "finalized"):
                tf.constant(1)
            session.run(count)
            session.run(count)
        self.assertEqual(len(hook.losses), 2)
        self.assertIn(hook.losses[1][0], (0.5, 1.0))
        self.assertIn(hook.losses[1][1], (1, 2))
        tf.constant(1)  # once it is closed, the graph is open again

    def test_a_training_session_writes_summaries_the_graph_and_its_speed(self):
        step, count = self.count_up()
        tf.identity(3.0, name="loss")
        loss = tf.summary.scalar("loss", tf.get_default_graph().get_tensor_by_name("loss:0"))
        self.assertEqual(loss.op.name, "loss_1")
        with tf.train.MonitoredTrainingSession(checkpoint_dir=self.directory) as session:
            for _ in range(202):
                session.run(count)
        self.assertEqual(self.steps_of("loss_1"), [1, 101, 201])
        self.assertEqual(self.steps_of("global_step/sec"), [101, 201])
        kinds = [event.WhichOneof("what") for event in self.events()]
        self.assertTrue({"graph_def", "meta_graph_def", "session_log", "summary"} <= set(kinds), kinds)
        graph = next(event.graph_def for event in self.events() if event.WhichOneof("what") == "graph_def")
        self.assertIn(b"global_step", graph)

    def test_slots_are_asked_for_by_the_optimizers_own_keys(self):
        weight = tf.Variable(1.0, name="weight")
        optimizer = tf.train.AdagradOptimizer(0.1)
        optimizer.minimize(weight * weight)
        self.assertEqual(optimizer.get_slot_names(), ["accumulator"])
        self.assertEqual(optimizer.get_slot(weight, "accumulator").name, "weight/Adagrad:0")

    def test_an_evaluator_sees_each_checkpoint_whole(self):
        step, count = self.count_up()
        found = []

        def follow():
            for path in tf.train.checkpoints_iterator(self.directory, timeout=20):
                found.append((path, int(tf.train.load_variable(path, "global_step"))))
                if found[-1][1] >= 60:
                    return

        evaluator = Background(follow)
        with tf.train.MonitoredTrainingSession(checkpoint_dir=self.directory, save_checkpoint_steps=2, save_checkpoint_secs=None,
                                               scaffold=tf.train.Scaffold(saver=tf.train.Saver(max_to_keep=0))) as session:
            for _ in range(60):
                session.run(count)
        evaluator.result()
        self.assertTrue(all(path.endswith(f"-{step}") for path, step in found), found)
        self.assertEqual(sorted(step for _, step in found), [step for _, step in found])


class StepsTest(TrainingTest):

    def test_counters_are_exact_under_concurrent_updates(self):
        step, count = self.count_up()
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            threads = [Background(lambda: [session.run(count) for _ in range(40)]) for _ in range(2)]
            for thread in threads:
                thread.result()
            self.assertEqual(session.run(step), 80)

    def test_a_failed_operation_raises_the_class_of_its_code_and_tells_its_name(self):
        x = tf.placeholder(tf.int32, [None])
        picked = tf.gather(tf.constant([1, 2, 3]), x, name="picked")
        limited = tf.train.limit_epochs(tf.constant(1), num_epochs=1, name="limit")
        cluster = {"ps": free_addresses(1), "worker": free_addresses(1)}
        self.serve(cluster, "ps", 0)
        for target in ("", self.serve(cluster, "worker", 0).target):
            with tf.Session(target) as session:
                session.run(tf.local_variables_initializer())
                with self.assertRaises(tf.errors.InvalidArgumentError) as caught:
                    session.run(picked, {x: [7]})
                self.assertEqual(caught.exception.op.name, "picked")
                self.assertIn("test_training.py", str(caught.exception))
                session.run(limited)
                with self.assertRaises(tf.errors.OutOfRangeError) as caught:
                    session.run(limited)
                self.assertEqual(caught.exception.error_code, tf.errors.OUT_OF_RANGE)

    def test_a_process_can_end_while_threads_are_in_steps(self):
        program = textwrap.dedent("""
            import threading
            import headrace as tf
            item = tf.FIFOQueue(1, tf.int32, shapes=[[]]).dequeue()
            x = tf.constant(1)

            def run_for_ever(session):
                while True:
                    session.run(x)

            server = tf.train.Server.create_local_server()
            for target in ("", server.target):
                session = tf.Session(target)
                session.run(x)
                for _ in range(3):
                    threading.Thread(target=session.run, args=(item,), daemon=True).start()
                    threading.Thread(target=run_for_ever, args=(session,), daemon=True).start()
            """)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertNotIn("leaked", done.stderr)

    def test_a_server_logs_where_each_operation_is_placed_when_asked(self):
        program = textwrap.dedent("""
            import headrace as tf
            server = tf.train.Server.create_local_server()
            with tf.device("/job:local/task:0/cpu:0"):
                x = tf.add(tf.constant(1, name="one"), 2, name="sum")
            with tf.Session(server.target, config=tf.ConfigProto(log_device_placement=True)) as session:
                session.run(x)
            """)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
        line = next(line for line in done.stderr.splitlines() if "sum" in line)
        self.assertRegex(line, r"/job:local/replica:0/task:0/device:CPU:0")


if __name__ == "__main__":
    unittest.main()
