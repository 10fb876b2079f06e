"""One side of bench/python/run: measures under the module that stands for `tf`, prints a line {"name", "value", "check"} for each.

Usage: measure.py --tf MODULE [--data DIRECTORY] NAME...; with --hosts PS;WORKER,WORKER --job JOB --task N as a task of a cluster.
"""

import argparse
import importlib
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import models  # noqa: E402
import numpy as np  # noqa: E402


def seconds_per_call(call, calls, repeats=5):
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        best = min(best, (time.perf_counter() - begin) / calls)
    return best


def noop(tf):
    """us of Session.run of nothing."""
    nothing = tf.no_op()
    with tf.Session() as session:
        session.run(nothing)
        return seconds_per_call(lambda: session.run(nothing), 1000) * 1e6, 0.0


def matmul(tf):
    """us of a step that is fed and fetches 3 x 3."""
    x = tf.placeholder(tf.float32, [3, 3])
    y = tf.matmul(x, tf.constant(np.eye(3, dtype=np.float32) * 2))
    value = np.arange(9, dtype=np.float32).reshape(3, 3)
    with tf.Session() as session:
        result = session.run(y, feed_dict={x: value})
        return seconds_per_call(lambda: session.run(y, feed_dict={x: value}), 1000) * 1e6, float(result.sum())


def feed(tf):
    """ms to feed 188 MB, all of which a step could read."""
    images = np.ones([60000, 784], np.float32)
    x = tf.placeholder(tf.float32, [None, 784])
    last = x[59999, 783]
    with tf.Session() as session:
        result = session.run(last, {x: images})
        return seconds_per_call(lambda: session.run(last, {x: images}), 3) * 1e3, float(result)


def feed_all(tf):
    """ms to feed 188 MB and sum it."""
    images = np.ones([60000, 784], np.float32)
    x = tf.placeholder(tf.float32, [None, 784])
    total = tf.reduce_mean(x)
    with tf.Session() as session:
        result = session.run(total, {x: images})
        return seconds_per_call(lambda: session.run(total, {x: images}), 3) * 1e3, round(float(result), 3)


def train(tf, model, feeds, task):
    """Steps a second of a model, fed or from a pipeline, and the loss on its first rows at the end."""
    server, master = None, ""
    with task.device(tf):
        step = tf.train.get_or_create_global_step()
        ready = tf.get_variable("ready", [], tf.int32, initializer=tf.zeros_initializer(), trainable=False)
        arrive = tf.assign_add(ready, 1).op
        built = models.MODELS[model](tf, task, feeds, step)
        init = tf.global_variables_initializer()
    if task.hosts:
        server = task.server(tf)
        master = server.target
    filters = ["/job:ps", f"/job:worker/task:{task.index}"] if task.hosts else []
    with tf.Session(master, config=tf.ConfigProto(device_filters=filters)) as session:
        if task.index == 0:
            session.run(init)
        else:
            task.wait_until_initialized(tf, session)
        if built.initializer is not None:
            session.run(built.initializer, built.initial_feeds)
        for number in range(5):
            session.run(built.train, built.feed_of(number))
        session.run(arrive)
        while task.workers > 1 and session.run(ready) < task.workers:
            time.sleep(0.01)
        begin = time.perf_counter()
        for number in range(built.steps):
            session.run(built.train, built.feed_of(number + 5))
        seconds = time.perf_counter() - begin
        loss = float(session.run(built.loss, built.check_feed))
    return built.steps / seconds, loss


class Task:
    """Alone, or a worker of a cluster."""

    def __init__(self, arguments):
        self.hosts = arguments.hosts and dict(zip(("ps", "worker"), (part.split(",") for part in arguments.hosts.split(";"))))
        self.job, self.index, self.data = arguments.job, arguments.task, arguments.data
        self.workers = len(self.hosts["worker"]) if self.hosts else 1

    def server(self, tf):
        return tf.train.Server(tf.train.ClusterSpec(self.hosts), job_name=self.job, task_index=self.index)

    def device(self, tf):
        if not self.hosts:
            return tf.device(None)
        return tf.device(tf.train.replica_device_setter(worker_device=f"/job:worker/task:{self.index}",
                                                        cluster=tf.train.ClusterSpec(self.hosts)))

    @staticmethod
    def wait_until_initialized(tf, session):
        missing = tf.report_uninitialized_variables(tf.global_variables())
        while len(session.run(missing)):
            time.sleep(0.05)


SMALL = {"noop": noop, "matmul": matmul, "feed": feed, "feed_all": feed_all}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tf", required=True)
    parser.add_argument("--data", default="")
    parser.add_argument("--hosts", default="")
    parser.add_argument("--job", default="worker")
    parser.add_argument("--task", type=int, default=0)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    tf = importlib.import_module(arguments.tf)
    if arguments.tf.startswith("tensorflow"):
        tf.disable_v2_behavior()
        tf.logging.set_verbosity(tf.logging.ERROR)
    task = Task(arguments)
    if arguments.job == "ps":
        task.server(tf).join()
    for name in arguments.names:
        with tf.Graph().as_default():
            if name in SMALL:
                value, check = SMALL[name](tf)
            else:
                model, way = name.rsplit("_", 1)
                value, check = train(tf, model, way == "feed", task)
        print(json.dumps({"name": name, "value": value, "check": check}), flush=True)


if __name__ == "__main__":
    main()
