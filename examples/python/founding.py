#!/usr/bin/env python3
"""The founding program: softmax regression on one parameter server and two workers, trained until the data ends.

As the workers of a cluster on this machine:   headrace local --ps 1 --workers 2 -- python examples/python/founding.py
By itself, with all three tasks in one process: python examples/python/founding.py
"""
import json
import os
import time

import numpy as np

import headrace as tf

EXAMPLES, FEATURES, CLASSES, BATCH = 6400, 784, 10, 64


def make_examples():
    """Examples whose class can be told from a block of brighter features."""
    random = np.random.default_rng(1)
    labels = random.integers(0, CLASSES, EXAMPLES).astype(np.int64)
    brighter = np.arange(FEATURES) % CLASSES == labels[:, np.newaxis]
    features = random.random((EXAMPLES, FEATURES), np.float32) + np.float32(0.5) * brighter
    return features, labels


def train(cluster, target, task=0):
    features, labels = make_examples()
    workers = cluster.num_tasks("worker")
    with tf.device(tf.train.replica_device_setter(worker_device=f"/job:worker/task:{task}", cluster=cluster)):
        dataset = tf.data.Dataset.from_tensor_slices((features, labels)).shard(workers, task).shuffle(1000).batch(BATCH)
        iterator = tf.data.make_initializable_iterator(dataset)
        x, y = iterator.get_next()
        w = tf.Variable(tf.zeros([FEATURES, CLASSES]), name="w")
        b = tf.Variable(tf.zeros([CLASSES]), name="b")
        logits = tf.matmul(x, w) + b
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        optimizer = tf.train.AdamOptimizer(0.01).minimize(loss)
        missing = tf.report_uninitialized_variables()

    # The session needs the parameter servers and its own worker; the others may come and go.
    config = tf.ConfigProto(device_filters=["/job:ps", f"/job:worker/task:{task}"])
    with tf.Session(target, config=config) as session:
        if task == 0:
            session.run(tf.global_variables_initializer())
        while session.run(missing).size > 0:
            time.sleep(0.05)  # until worker 0 has set the variables, which all workers share
        session.run(iterator.initializer)
        step = 0
        while True:
            try:
                _, value = session.run([optimizer, loss])
            except tf.errors.OutOfRangeError:
                break
            if step % 10 == 0:
                print(f"worker {task}, step {step}: loss {value:.4f}", flush=True)
            step += 1
        print(f"worker {task} trained {step} batches, last loss {value:.4f}", flush=True)


def main():
    config = json.loads(os.environ.get("TF_CONFIG", "{}"))
    if config:
        cluster, task = tf.train.ClusterSpec(config["cluster"]), config["task"]
        server = tf.train.Server(cluster, job_name=task["type"], task_index=task["index"])
        if task["type"] == "ps":
            server.join()
        else:
            train(cluster, server.target, task["index"])
        return
    cluster = tf.train.ClusterSpec({"ps": ["127.0.0.1:2222"], "worker": ["127.0.0.1:2223", "127.0.0.1:2224"]})
    servers = [tf.train.Server(cluster, job, index) for job in cluster.jobs for index in cluster.task_indices(job)]
    train(cluster, next(server.target for server in servers if server.target.endswith(":2223")))


if __name__ == "__main__":
    main()
