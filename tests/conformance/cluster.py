"""Drives clusters of Headrace servers, of TensorFlow servers, and of both, with TensorFlow's own client.

Usage: python cluster.py [--binary build/release/headrace] [unittest arguments]     (needs tensorflow)
"""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = str(ROOT / "build/release/headrace")
KEPT = []  # sessions are not closed: TensorFlow's client would wait for ever for a server that is gone
TENSORFLOW_SERVER = """
import json, sys
import tensorflow.compat.v1 as tf
server = tf.train.Server(json.loads(sys.argv[1]), job_name=sys.argv[2], task_index=0)
print("serves on", flush=True)
server.join()
"""


def free_addresses(count):
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]


class Cluster:
    """One ps and one worker; `kinds` says for each whether it is "headrace" or "tensorflow"."""

    def __init__(self, ps="headrace", worker="headrace"):
        self.kinds = {"ps": ps, "worker": worker}
        self.addresses = dict(zip(("ps", "worker"), free_addresses(2)))
        self.processes = {}
        self.output = []
        for job in self.kinds:
            self.start(job, wait=False)
        for job in self.kinds:
            self.wait(job)

    def start(self, job, wait=True):
        cluster = json.dumps({name: [address] for name, address in self.addresses.items()})
        if self.kinds[job] == "headrace":
            command = [BINARY, "server", "--cluster", cluster, "--job", job, "--task", "0"]
        else:
            command = [sys.executable, "-c", TENSORFLOW_SERVER, cluster, job]
        self.processes[job] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.output.append(self.processes[job].stdout)
        if wait:
            self.wait(job)

    def wait(self, job):
        line = self.processes[job].stdout.readline()
        assert "serves on" in line, line

    def target(self, job="worker"):
        return "grpc://" + self.addresses[job]

    def stop(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        for pipe in self.output:
            pipe.close()


def softmax_graph(on_cluster, use_resource=True):
    """Softmax regression; its variables are on the ps when `on_cluster`."""
    graph = tf.Graph()
    setter = tf.train.replica_device_setter(cluster={"ps": ["x:1"], "worker": ["x:2"]}) if on_cluster else None
    with graph.as_default(), tf.device(setter):
        x = tf.placeholder(tf.float32, [None, 20], name="x")
        y = tf.placeholder(tf.int32, [None], name="y")
        w = tf.get_variable("w", [20, 3], initializer=tf.zeros_initializer(), use_resource=use_resource)
        b = tf.get_variable("b", [3], initializer=tf.zeros_initializer(), use_resource=use_resource)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=tf.matmul(x, w) + b), name="loss")
        tf.train.GradientDescentOptimizer(0.5).minimize(loss, name="train")
        tf.global_variables_initializer()
    return graph


def samples():
    rng = np.random.RandomState(0)
    x = rng.randn(512, 20).astype(np.float32)
    return {"x:0": x, "y:0": np.argmax(x @ rng.randn(20, 3), 1).astype(np.int32)}


def train(session, steps=20):
    session.run("init")
    return [session.run(["loss:0", "train"], samples())[0] for _ in range(steps)]


class WithCluster(unittest.TestCase):
    kinds = {}

    def setUp(self):
        self.cluster = Cluster(**self.kinds)
        self.addCleanup(self.cluster.stop)

    def session(self, graph, **config):
        KEPT.append(tf.Session(self.cluster.target(), graph=graph, config=tf.ConfigProto(**config)))
        return KEPT[-1]


class Training(WithCluster):
    def test_softmax_regression_gives_tensorflows_losses(self):
        with tf.Session(graph=softmax_graph(False)) as local:
            expected = train(local)
        np.testing.assert_allclose(train(self.session(softmax_graph(True))), expected, rtol=1e-5)


    def test_loops_turn_on_both_tasks(self):
        def results(ps, worker):
            graph = tf.Graph()
            with graph.as_default(), tf.device(worker):
                x = tf.placeholder(tf.float32, [])

                def body(i, value):
                    def inner(j, value):
                        with tf.device(ps):
                            return j + 1, tf.sin(value) + x

                    return i + 1, tf.while_loop(lambda j, value: j < i, inner, [0, value])[1] * 0.5

                y = tf.while_loop(lambda i, value: i < 6, body, [0, x])[1]
                return graph, [y, tf.gradients(y, x)[0]], x

        tf.disable_control_flow_v2()
        self.addCleanup(tf.enable_control_flow_v2)
        graph, fetches, x = results("", "")
        with tf.Session(graph=graph) as local:
            expected = local.run(fetches, {x: 1.5})
        graph, fetches, x = results("/job:ps/task:0", "/job:worker/task:0")
        session = self.session(graph, operation_timeout_in_ms=20000)
        for _ in range(3):
            np.testing.assert_allclose(session.run(fetches, {x: 1.5}), expected, rtol=1e-4)


class TrainingWithTensorFlowsPs(Training):
    kinds = {"ps": "tensorflow"}


class TrainingWithTensorFlowsWorker(Training):
    kinds = {"worker": "tensorflow"}


class Client(WithCluster):
    """What TensorFlow's client does beside running steps."""

    def test_lists_the_devices_of_all_tasks(self):
        names = {device.name for device in self.session(softmax_graph(True)).list_devices()}
        self.assertEqual(names, {f"/job:{job}/replica:0/task:0/device:CPU:0" for job in ("ps", "worker")})

    def test_graph_grows_between_runs(self):
        graph = softmax_graph(True)
        session = self.session(graph)
        train(session, 1)
        with graph.as_default():
            more = tf.reduce_sum(graph.get_tensor_by_name("x:0")) * 2
        self.assertEqual(session.run(more, {"x:0": np.ones([3, 20])}), 120)

    def test_partial_run(self):
        graph = tf.Graph()
        with graph.as_default():
            a, b = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
            first = a + 1
            second = first * b
        session = self.session(graph)
        handle = session.partial_run_setup([first, second], [a, b])
        self.assertEqual(session.partial_run(handle, first, {a: 2}), 3)
        self.assertEqual(session.partial_run(handle, second, {b: 5}), 15)

    def test_callables(self):
        graph = softmax_graph(True)
        session = self.session(graph)
        train(session, 1)
        run = session.make_callable("loss:0", feed_list=["x:0", "y:0"])
        self.assertAlmostEqual(run(*samples().values()), session.run("loss:0", samples()), places=6)

    def test_strings_cross(self):
        graph = tf.Graph()
        with graph.as_default():
            text = tf.placeholder(tf.string, [None])
            with tf.device("/job:ps"):
                same = tf.identity(text)
        value = [b"", b"a" * 100_000, b"\x00\xff"]
        self.assertEqual(list(self.session(graph).run(same, {text: value})), value)

    def test_compressed_requests_are_read(self):
        config = {"rpc_options": tf.ConfigProto().rpc_options.__class__(compression_algorithm="gzip", compression_level=2)}
        self.assertEqual(len(train(self.session(softmax_graph(True), **config), 2)), 2)

    def test_closed_session_is_closed(self):
        session = self.session(softmax_graph(True))
        train(session, 1)
        session.close()
        with self.assertRaises(RuntimeError):
            session.run("train", samples())

    def test_reset_drops_state_and_sessions(self):
        session = self.session(softmax_graph(True))
        train(session, 1)
        tf.Session.reset(self.cluster.target())
        with self.assertRaises(tf.errors.AbortedError):
            session.run("train", samples())
        with self.assertRaises(tf.errors.FailedPreconditionError):
            self.session(softmax_graph(True)).run("train", samples())

    def test_error_of_a_kernel_names_its_op(self):
        graph = tf.Graph()
        with graph.as_default():
            x = tf.placeholder(tf.float32, [None, None], name="x")
            with tf.device("/job:ps"):
                tf.matmul(x, tf.ones([3, 3]), name="product")
        with self.assertRaises(tf.errors.InvalidArgumentError) as caught:
            self.session(graph).run("product:0", {"x:0": np.ones([2, 2])})
        self.assertEqual(caught.exception.op.name, "product")

    def test_unknown_names_and_bad_filters_are_errors_and_the_server_lives(self):
        with self.assertRaises(tf.errors.InvalidArgumentError):
            self.session(softmax_graph(True), device_filters=["/job:/nonsense"]).run("init")
        with self.assertRaises(tf.errors.InvalidArgumentError):
            self.session(softmax_graph(True), use_per_session_threads=True).run("init")
        self.assertEqual(len(train(self.session(softmax_graph(True)), 1)), 1)


class Faults(WithCluster):
    def train_until_error(self, session, disturb):
        timer = threading.Timer(0.5, disturb)
        timer.start()
        self.addCleanup(timer.join)
        options = tf.RunOptions(timeout_in_ms=20_000)
        begin = time.time()
        with self.assertRaises(tf.errors.OpError) as caught:
            while time.time() < begin + 30:
                session.run("train", samples(), options=options)
        self.assertLess(time.time() - begin, 25)
        return caught.exception

    def test_killed_ps_is_an_error_and_a_new_session_trains_on_its_successor(self):
        session = self.session(softmax_graph(True))
        train(session, 1)
        error = self.train_until_error(session, self.cluster.processes["ps"].kill)
        self.assertIsInstance(error, tf.errors.UnavailableError)
        self.assertIn("/job:ps/replica:0/task:0 at " + self.cluster.addresses["ps"], error.message)
        self.cluster.processes["ps"].wait()
        self.cluster.start("ps")
        error = self.train_until_error(session, lambda: None)
        self.assertIsInstance(error, (tf.errors.AbortedError, tf.errors.UnavailableError))
        self.assertEqual(len(train(self.session(softmax_graph(True)), 2)), 2)

    def test_restarted_worker_does_not_know_the_session(self):
        session = self.session(softmax_graph(True))
        train(session, 1)
        self.cluster.processes["worker"].kill()
        self.cluster.processes["worker"].wait()
        self.cluster.start("worker")
        error = self.train_until_error(session, lambda: None)
        self.assertIsInstance(error, tf.errors.AbortedError)
        self.assertIn("Session handle is not found", error.message)

    def test_terminated_worker_ends_a_blocked_client_at_once(self):
        session = self.session(softmax_graph(True))
        train(session, 1)
        self.cluster.processes["ps"].send_signal(signal.SIGSTOP)
        process = self.cluster.processes["worker"]
        error = self.train_until_error(session, process.terminate)
        self.assertIsInstance(error, tf.errors.UnavailableError)
        self.assertEqual(process.wait(timeout=6), 0)

    def test_session_waits_for_a_missing_task(self):
        self.cluster.processes["ps"].kill()
        self.cluster.processes["ps"].wait()
        timer = threading.Timer(2, lambda: self.cluster.start("ps"))
        timer.start()
        self.addCleanup(timer.join)
        self.assertEqual(len(train(self.session(softmax_graph(True)), 1)), 1)

    def test_deadline_ends_the_wait_for_a_missing_task(self):
        self.cluster.processes["ps"].kill()
        session = self.session(softmax_graph(True), operation_timeout_in_ms=1500)
        with self.assertRaises(tf.errors.DeadlineExceededError):
            session.run("init")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=BINARY)
    flags, rest = parser.parse_known_args()
    BINARY = flags.binary
    result = unittest.main(argv=[sys.argv[0], *rest], exit=False).result
    sys.stderr.flush()
    os._exit(0 if result.wasSuccessful() else 1)
