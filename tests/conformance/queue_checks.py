"""Queues, readers over them and synchronous replicas: TensorFlow's client on Headrace servers, beside TensorFlow's own session."""
import pathlib
import tempfile
import threading
import time
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers

tf.disable_eager_execution()


class Waiting(threading.Thread):
    """Runs fetches in a thread that is expected to wait; `outcome()` is the value or the exception."""

    def __init__(self, session, fetches, **arguments):
        super().__init__(daemon=True)
        self.call = lambda: session.run(fetches, **arguments)
        self.result = None
        self.start()

    def run(self):
        try:
            self.result = self.call()
        except Exception as error:  # the test looks at it
            self.result = error

    def outcome(self, limit=20):
        self.join(limit)
        if self.is_alive():
            raise AssertionError("it still waits")
        return self.result


def until(condition, limit=20):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.01)


class Queues(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=1, workers=2).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        graph = tf.Graph().as_default()
        graph.__enter__()
        self.addCleanup(graph.__exit__, None, None, None)

    def session(self, worker=0):
        return tf.Session(self.cluster.targets["worker", worker])

    def shared(self, name, capacity=4):
        with tf.device("/job:ps/task:0"):
            return tf.FIFOQueue(capacity, [tf.int32], shapes=[[]], shared_name=name)

    def test_two_sessions_share_a_queue(self):
        queue = self.shared("between")
        take, put = queue.dequeue(), queue.enqueue_many([[1, 2, 3]])
        with self.session(0) as a, self.session(1) as b:
            waiting = Waiting(b, take)
            a.run(put)
            self.assertEqual(waiting.outcome(), 1)
            self.assertEqual([a.run(take), b.run(take)], [2, 3])

    def test_a_queue_without_a_shared_name_is_its_sessions_own(self):
        queue = tf.FIFOQueue(4, [tf.int32], shapes=[[]], name="own")
        with self.session() as a, self.session() as b:
            a.run(queue.enqueue(1))
            self.assertEqual([a.run(queue.size()), b.run(queue.size())], [1, 0])

    def test_closing_wakes_who_waits_in_another_session(self):
        queue = self.shared("closed")
        take, batch, close = queue.dequeue(), queue.dequeue_many(3), queue.close()
        with self.session(0) as a, self.session(1) as b:
            a.run(queue.enqueue(7))
            waiting = Waiting(b, batch)
            until(lambda: a.run(queue.size()) == 0)  # the batch has collected it
            a.run(close)
            error = waiting.outcome()
            self.assertIsInstance(error, tf.errors.OutOfRangeError)
            self.assertIn("FIFOQueue 'closed' is closed and has insufficient elements (requested 2, current size 0)", str(error))
            self.assertEqual(b.run(take), 7)
            with self.assertRaisesRegex(tf.errors.CancelledError, "Queue 'closed' is already closed."):
                a.run(close)
            with self.assertRaisesRegex(tf.errors.CancelledError, "FIFOQueue 'closed' is closed."):
                a.run(queue.enqueue(1))

    def test_a_wait_ends_when_its_session_is_closed(self):
        queue = self.shared("session")
        with self.session(0) as other:
            closed = self.session(1)
            waiting = Waiting(closed, queue.dequeue())
            with self.assertRaises(AssertionError):
                waiting.outcome(0.3)
            closed.close()
            self.assertIsInstance(waiting.outcome(), tf.errors.CancelledError)
            other.run(queue.enqueue(5))  # nobody takes it
            self.assertEqual(other.run(queue.size()), 1)

    def test_a_wait_ends_at_the_clients_deadline(self):
        queue = self.shared("deadline")
        with self.session(1) as session:
            with self.assertRaises(tf.errors.DeadlineExceededError):
                session.run(queue.dequeue(), options=tf.RunOptions(timeout_in_ms=200))
            session.run(queue.enqueue_many([[1, 2]]))
            with self.assertRaises(tf.errors.DeadlineExceededError):
                session.run(queue.dequeue_many(3), options=tf.RunOptions(timeout_in_ms=200))
            until(lambda: session.run(queue.size()) == 2)  # what the batch had collected is back

    def test_a_wait_ends_when_the_server_stops(self):
        with servers.Cluster(ps=0) as cluster:
            session = tf.Session(cluster.target)
            waiting = Waiting(session, tf.FIFOQueue(4, [tf.int32]).dequeue())
            with self.assertRaises(AssertionError):
                waiting.outcome(0.3)
            cluster.stop()
            self.assertIsInstance(waiting.outcome(), tf.errors.OpError)
            session._closed, session._session = True, None  # never closed: the client would wait for the server to come back

    def test_random_shuffle_padding_and_priority_queues_are_tensorflows(self):
        def build():
            random = tf.RandomShuffleQueue(30, 2, [tf.int32], shapes=[[]], seed=11, name="random")
            padding = tf.PaddingFIFOQueue(9, [tf.float32], shapes=[[None, 2]], name="padding")
            priority = tf.PriorityQueue(9, [tf.string], shapes=[[]], name="priority")
            fill = [random.enqueue_many([np.arange(30)]), priority.enqueue_many([np.array([3, 1, 2]), ["c", "a", "b"]])]
            rows = [padding.enqueue([np.full((n, 2), n, np.float32)]) for n in (1, 3, 2)]
            return fill, rows, [[random.dequeue(), random.dequeue_many(5), random.dequeue_many(7)], padding.dequeue_many(3), priority.dequeue_many(3)]
        found = []
        for target in "", self.cluster.target:
            with tf.Graph().as_default(), tf.Session(target) as session:
                fill, rows, (draws, padded, by_priority) = build()
                session.run(fill)
                for row in rows:
                    session.run(row)
                found.append(tf.nest.flatten([session.run(draw) for draw in draws] + [session.run([padded, by_priority])]))
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_count_up_to(self):
        for resource in False, True:
            counter = tf.Variable(0, use_resource=resource, name=f"counter_{resource}")
            following = counter.count_up_to(2)
            with self.session() as session:
                session.run(counter.initializer)
                self.assertEqual([session.run(following), session.run(following)], [0, 1])
                with self.assertRaisesRegex(tf.errors.OutOfRangeError, "Reached limit of 2"):
                    session.run(following)


class Pipelines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=0).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def test_queue_runners_use_every_record_num_epochs_times(self):
        with tempfile.TemporaryDirectory() as directory, tf.Graph().as_default():
            names = [f"{directory}/{i}.csv" for i in range(3)]
            for i, name in enumerate(names):
                pathlib.Path(name).write_text("id,half\n" + "".join(f"{i * 40 + j},{(i * 40 + j) / 2}\n" for j in range(40)))
            queue = tf.train.string_input_producer(names, num_epochs=3, shuffle=True, seed=5)
            _, line = tf.TextLineReader(skip_header_lines=1).read(queue)
            columns = tf.io.decode_csv(line, [[0], [0.0]])
            batch = tf.train.shuffle_batch(columns, 7, capacity=60, min_after_dequeue=20, num_threads=3, allow_smaller_final_batch=True)
            ids = []
            with tf.Session(self.cluster.target) as session:
                session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
                coordinator = tf.train.Coordinator()
                threads = tf.train.start_queue_runners(session, coordinator)
                try:
                    while not coordinator.should_stop():
                        some, halves = session.run(batch)
                        np.testing.assert_array_equal(halves * 2, some)
                        ids.extend(some.tolist())
                except tf.errors.OutOfRangeError as error:
                    self.assertIn("is closed and has insufficient elements", str(error))
                finally:
                    coordinator.request_stop()
                    coordinator.join(threads, stop_grace_period_secs=20)
            self.assertEqual(sorted(ids), sorted(list(range(120)) * 3))
            self.assertNotEqual(ids[:40], sorted(ids[:40]))

    def test_each_kind_of_reader_gives_tensorflows_records(self):
        with tempfile.TemporaryDirectory() as directory:
            text, empty, binary, records = (f"{directory}/{name}" for name in ("a.txt", "empty", "b.bin", "c.tfrecord"))
            pathlib.Path(text).write_bytes(b"h\none\ntwo\r\n\nfour")
            pathlib.Path(empty).write_bytes(b"")
            pathlib.Path(binary).write_bytes(b"HHaabbccddF")
            gzip = tf.io.TFRecordOptions(compression_type="GZIP")
            for name, options in (records, None), (records + ".gz", gzip):
                with tf.io.TFRecordWriter(name, options) as writer:
                    writer.write(b"first")
                    writer.write(b"the second")
            kinds = [(lambda: tf.TextLineReader(), [text, empty, text]), (lambda: tf.TextLineReader(2), [text, empty]),
                     (lambda: tf.WholeFileReader(), [empty, text]), (lambda: tf.IdentityReader(), ["a", "b"]),
                     (lambda: tf.TFRecordReader(), [records, records]), (lambda: tf.TFRecordReader(options=gzip), [records + ".gz"])]
            kinds += [(lambda layout=layout: tf.FixedLengthRecordReader(**layout), [binary, binary]) for layout in (
                dict(record_bytes=2, header_bytes=2, footer_bytes=1), dict(record_bytes=3), dict(record_bytes=20),
                dict(record_bytes=4, header_bytes=2, footer_bytes=1, hop_bytes=2), dict(record_bytes=2, hop_bytes=3))]
            for make, names in kinds:
                for up_to in None, 2:
                    expected, actual = (self.drain(target, make, names, up_to) for target in ("", self.cluster.target))
                    self.assertEqual(actual, expected)

    def drain(self, target, make, names, up_to):
        """All that a reader of these files gives, with its counts at the end."""
        with tf.Graph().as_default(), tf.Session(target) as session:
            queue, reader = tf.FIFOQueue(9, [tf.string], shapes=[[]]), make()
            following = reader.read(queue) if up_to is None else reader.read_up_to(queue, up_to)
            session.run(queue.enqueue_many([names]))
            session.run(queue.close())
            found = []
            with self.assertRaisesRegex(tf.errors.OutOfRangeError, r"requested 1, current size 0"):
                while True:
                    found.append([part.tolist() if up_to else part for part in session.run(following)])
            return found + session.run([reader.num_records_produced(), reader.num_work_units_completed()])


class Accumulators(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=1, workers=2).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def test_sparse_and_dense_accumulators_give_tensorflows_numbers(self):
        random = np.random.default_rng(3)
        gradients = [(np.sort(random.choice(9, 4, replace=False)), random.standard_normal((4, 3)).astype(np.float32)) for _ in range(5)]
        found = []
        for target in "", self.cluster.target:
            with tf.Graph().as_default(), tf.Session(target) as session:
                indices, values, dense = tf.placeholder(tf.int64, [None]), tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.float32)
                for reduction in "MEAN", "SUM":
                    sparse = tf.SparseConditionalAccumulator(tf.float32, [9, 3], reduction_type=reduction)
                    sum_of = tf.ConditionalAccumulator(tf.float32, [4, 3], reduction_type=reduction)
                    apply = [sparse.apply_grad(indices, values, [9, 3]), sum_of.apply_grad(dense)]
                    for index, rows in gradients:
                        session.run(apply, {indices: index, values: rows, dense: rows})
                    found.append([*session.run(sparse.take_grad(3)), session.run(sum_of.take_grad(5))])
        for expected, actual in zip(found[:2], found[2:], strict=True):
            for a, b in zip(expected, actual, strict=True):
                np.testing.assert_allclose(b, a, rtol=1e-6)

    def test_synchronous_replicas_are_gradient_descent(self):
        for use_resource in True, False:
            with self.subTest(use_resource=use_resource):
                tf.Session.reset(self.cluster.target)
                self.check_synchronous_replicas(use_resource)

    def check_synchronous_replicas(self, use_resource):
        x = np.random.default_rng(1).standard_normal((2, 8, 3)).astype(np.float32)  # a batch for each worker
        y = x @ np.array([[1], [-2], [0.5]], np.float32)
        weights = np.zeros((3, 1), np.float32)
        for _ in range(10):
            weights -= 0.1 * np.mean([2 * a.T @ (a @ weights - b) / 8 for a, b in zip(x, y)], axis=0)
        results = [None, None]

        def train(task):
            with tf.Graph().as_default(), tf.variable_scope("", use_resource=use_resource):
                with tf.device(tf.train.replica_device_setter(cluster=tf.train.ClusterSpec(self.cluster.spec),
                                                              worker_device=f"/job:worker/task:{task}")):
                    step = tf.train.get_or_create_global_step()
                    variable = tf.get_variable("w", [3, 1], initializer=tf.zeros_initializer())
                    loss = tf.reduce_mean(tf.square(tf.matmul(x[task], variable) - y[task]))
                    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(0.1), 2, 2)
                    minimize = optimizer.minimize(loss, global_step=step)
                hooks = [optimizer.make_session_run_hook(task == 0, num_tokens=0)]
                with tf.train.MonitoredTrainingSession(self.cluster.targets["worker", task], is_chief=task == 0, hooks=hooks,
                                                       stop_grace_period_secs=2) as session:
                    for _ in range(10):
                        session.run(minimize)
                    if task == 0:
                        results[0] = session.run([step, variable])
        workers = [threading.Thread(target=train, args=(task,), daemon=True) for task in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(120)
            self.assertFalse(worker.is_alive(), "a worker still waits")
        self.assertEqual(results[0][0], 10)
        np.testing.assert_allclose(results[0][1], weights, rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    unittest.main()
