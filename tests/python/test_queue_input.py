"""Queue runners and coordinators, input by queues, and synchronous replicas, which are made of them."""

import collections
import os
import threading
import time
import unittest

import headrace as tf
import numpy as np
from training_testing import Background, TrainingTest


def take_all(session, fetches):
    """What a step gives until its input ends."""
    taken = []
    while True:
        try:
            taken.append(session.run(fetches))
        except tf.errors.OutOfRangeError:
            return taken


class InputTest(TrainingTest):

    def lines(self, files, lines):
        """Paths of files of numbered lines."""
        paths = []
        for file in range(files):
            paths.append(os.path.join(self.directory, f"part-{file}"))
            with open(paths[-1], "w") as out:
                out.writelines(f"{file * lines + line}\n" for line in range(lines))
        return paths

    def run_input(self, fetches):
        with tf.Session() as session:
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            coordinator = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(session, coordinator)
            taken = take_all(session, fetches)
            coordinator.request_stop()
            coordinator.join(threads)
        return taken

    def test_elements_that_are_alike_are_batched_together(self):
        numbers = tf.train.range_input_producer(12, num_epochs=1, shuffle=False).dequeue()
        which, batch = tf.contrib.training.bucket(tf.fill([2], numbers), numbers % 3, 2, 3)
        self.assertEqual(batch.shape.as_list(), [2, 2])
        taken = self.run_input([which, batch])
        self.assertEqual(sorted((int(bucket), rows[:, 0].tolist()) for bucket, rows in taken),
                         [(0, [0, 3]), (0, [6, 9]), (1, [1, 4]), (1, [7, 10]), (2, [2, 5]), (2, [8, 11])])

    def test_sequences_are_batched_by_length_and_padded(self):
        number = tf.train.range_input_producer(8, num_epochs=1, shuffle=False).dequeue()
        lengths, batch = tf.contrib.training.bucket_by_sequence_length(
            number, {"row": tf.fill([number], number), "id": number}, 3, [2, 5], dynamic_pad=True,
            allow_smaller_final_batch=True, keep_input=tf.not_equal(number, 3))
        taken = sorted((length.tolist(), found["row"].tolist(), found["id"].tolist())
                       for length, found in self.run_input([lengths, batch]))
        self.assertEqual(taken, [([0, 1], [[0], [1]], [0, 1]), ([2, 4], [[2, 2, 0, 0], [4] * 4], [2, 4]),
                                 ([5, 6, 7], [[5] * 5 + [0] * 2, [6] * 6 + [0], [7] * 7], [5, 6, 7])])

    def test_buckets_need_as_many_sizes_as_there_are_and_rising_boundaries(self):
        for sizes, boundaries in (([1, 2], [3, 5]), (2, [5, 3]), (2, [])):
            with self.assertRaises(ValueError):
                tf.contrib.training.bucket_by_sequence_length(3, [tf.zeros([3])], sizes, boundaries)

    def test_every_record_comes_once_an_epoch(self):
        names = tf.train.string_input_producer(self.lines(3, 11), num_epochs=2)
        key, line = tf.TextLineReader().read(names)
        batch = tf.train.shuffle_batch([key, tf.string_to_number(line, tf.int32)], batch_size=8, capacity=40,
                                       min_after_dequeue=10, num_threads=3, allow_smaller_final_batch=True)
        batches = self.run_input(batch)
        self.assertEqual([len(numbers) for _, numbers in batches], [8] * 8 + [2])
        numbers = [int(number) for _, numbers in batches for number in numbers]
        self.assertEqual(collections.Counter(numbers), dict.fromkeys(range(33), 2))
        self.assertNotEqual(numbers, sorted(numbers))

    def test_a_last_batch_that_is_not_full_is_left_out_unless_asked_for(self):
        row, = tf.train.slice_input_producer([np.arange(10)], num_epochs=1, shuffle=False)
        batches = self.run_input(tf.train.batch([row], batch_size=4))
        self.assertEqual([batch.tolist() for batch in batches], [[0, 1, 2, 3], [4, 5, 6, 7]])

    def test_a_dict_of_tensors_comes_back_as_a_dict(self):
        number = tf.train.range_input_producer(4, num_epochs=1, shuffle=False).dequeue()
        batches = self.run_input(tf.train.batch({"n": number, "square": number * number}, batch_size=2))
        self.assertEqual([b["square"].tolist() for b in batches], [[0, 1], [4, 9]])

    def test_a_failure_of_a_runner_is_raised_by_join(self):
        queue = tf.FIFOQueue(4, tf.float32, shapes=[[]])
        wrong = tf.check_numerics(tf.constant(0.0) / tf.constant(0.0), "not a number", name="wrong")
        tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(wrong)]))
        with tf.Session() as session:
            coordinator = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(session, coordinator)
            self.assertTrue(coordinator.wait_for_stop(20))
            with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "not a number"):
                coordinator.join(threads)

    def test_a_step_that_waits_for_ever_ends_at_the_stop(self):
        empty = tf.FIFOQueue(1, tf.int32, shapes=[[]])
        other = tf.FIFOQueue(1, tf.int32, shapes=[[]])
        tf.train.add_queue_runner(tf.train.QueueRunner(other, [other.enqueue(empty.dequeue())]))
        with tf.Session() as session:
            coordinator = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(session, coordinator)
            started = time.monotonic()
            coordinator.request_stop()
            coordinator.join(threads)
            self.assertLess(time.monotonic() - started, 5)
            self.assertEqual(session.run(other.size()), 0)

    def test_a_training_session_starts_the_runners_and_ends_with_the_input(self):
        number = tf.train.range_input_producer(5, num_epochs=1, shuffle=False).dequeue()
        seen = []
        with tf.train.MonitoredTrainingSession() as session:
            while not session.should_stop():
                seen.append(int(session.run(number)))
        self.assertEqual(seen, [0, 1, 2, 3, 4])


class CoordinatorTest(unittest.TestCase):

    def test_the_first_failure_stops_all_and_is_raised(self):
        coordinator = tf.train.Coordinator()

        def fail():
            with coordinator.stop_on_exception():
                raise KeyError("first")

        waiting = threading.Thread(target=coordinator.wait_for_stop)
        failing = threading.Thread(target=fail)
        waiting.start()
        failing.start()
        with self.assertRaisesRegex(KeyError, "first"):
            coordinator.join([waiting, failing])
        self.assertTrue(coordinator.should_stop() and coordinator.joined)

    def test_the_end_of_the_input_is_not_a_failure(self):
        coordinator = tf.train.Coordinator()
        with coordinator.stop_on_exception():
            raise tf.errors.OutOfRangeError(None, None, "the end")
        coordinator.join([])

    def test_threads_that_go_on_are_named(self):
        coordinator = tf.train.Coordinator()
        free = threading.Event()
        thread = threading.Thread(target=free.wait, name="stubborn")
        thread.start()
        coordinator.request_stop()
        with self.assertRaisesRegex(RuntimeError, "stubborn"):
            coordinator.join([thread], stop_grace_period_secs=0.05)
        free.set()
        thread.join()


class SyncReplicasTest(TrainingTest):

    def build(self, to_aggregate, workers=None):
        """(optimizer, weight, train operation, gradient's placeholder)."""
        step = tf.train.get_or_create_global_step()
        weight = tf.get_variable("weight", [], initializer=tf.zeros_initializer())
        gradient = tf.placeholder(tf.float32, [], name="gradient")
        optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(1.0), to_aggregate, workers)
        train = optimizer.apply_gradients([(gradient, weight)], global_step=step)
        return optimizer, weight, train, gradient

    def test_an_update_takes_the_mean_of_the_gradients(self):
        server = tf.train.Server.create_local_server()
        self._cleanup.callback(server.stop)
        ready = threading.Barrier(2)

        def work(index):
            with tf.Graph().as_default():
                # Both tasks are one here: the workers' own counters need names of their own.
                with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE):
                    optimizer, weight, train, gradient = self.build(2)
                hook = optimizer.make_session_run_hook(is_chief=index == 0, num_tokens=0)
                with tf.train.MonitoredTrainingSession(server.target, is_chief=index == 0, hooks=[hook]) as session:
                    ready.wait(20)
                    session.run(train, {gradient: 1.0 if index == 0 else 3.0})
                    ready.wait(20)
                    return float(session.run(weight)), int(session.run(tf.train.get_global_step()))

        workers = [Background(work, index) for index in range(2)]
        self.assertEqual([worker.result() for worker in workers], [(-2.0, 1)] * 2)

    def test_a_lone_chief_runs_alone_and_ends_at_once(self):
        optimizer, weight, train, gradient = self.build(1)
        hooks = [optimizer.make_session_run_hook(is_chief=True), tf.train.StopAtStepHook(last_step=5)]
        with tf.train.MonitoredTrainingSession(hooks=hooks) as session:
            while not session.should_stop():
                session.run(train, {gradient: 0.5})
            started = time.monotonic()
        self.assertLess(time.monotonic() - started, 5)

    def test_a_stale_gradient_is_dropped(self):
        optimizer, weight, train, gradient = self.build(1)
        local_step = optimizer._local_step
        hook = optimizer.make_session_run_hook(is_chief=True, num_tokens=1)
        with tf.train.MonitoredTrainingSession(hooks=[hook]) as session:
            session.run(train, {gradient: 1.0})  # takes the first token, of step 0
            stop = time.monotonic() + 20
            while session.run(tf.train.get_global_step()) < 1 and time.monotonic() < stop:
                pass
            self.assertEqual(session.run(local_step), 0)
            session.run(train, {gradient: 100.0})  # of step 0 still, so it counts for nothing but its token
            self.assertEqual((session.run(local_step), session.run(weight)), (1, -1.0))

    def test_what_it_needs_is_asked_for(self):
        optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(1.0), 3, total_num_replicas=2)
        weight = tf.Variable(1.0)
        with self.assertRaisesRegex(ValueError, "Global step"):
            optimizer.minimize(weight * weight)
        with self.assertRaisesRegex(ValueError, "apply_gradients"):
            optimizer.get_chief_queue_runner()
        optimizer.minimize(weight * weight, global_step=tf.train.get_or_create_global_step())
        with self.assertRaisesRegex(ValueError, "Too few tokens"):
            optimizer.get_init_tokens_op(0)


if __name__ == "__main__":
    unittest.main()
