#!/usr/bin/env python3
"""An image classifier on a cluster: Fashion-MNIST (Debian's package dataset-fashion-mnist), flags, MonitoredTrainingSession.

headrace local --ps 1 --workers 2 -- python examples/python/mnist_cluster.py --steps 400
Elsewhere, on every machine, with its own --job_name and --task_index:
  python mnist_cluster.py --ps_hosts ps0:2222 --worker_hosts w0:2222,w1:2222 --job_name worker --task_index 0
"""
import gzip
import json
import os

import numpy as np

import headrace as tf

flags = tf.app.flags
flags.DEFINE_string("data_dir", "/usr/share/datasets/fashion-mnist", "Where the four files lie")
flags.DEFINE_string("ps_hosts", "", "host:port of each parameter server, between commas")
flags.DEFINE_string("worker_hosts", "", "host:port of each worker, between commas")
flags.DEFINE_string("job_name", "", "ps or worker; without one, TF_CONFIG tells, or this process is the whole cluster")
flags.DEFINE_integer("task_index", 0, "Which task of the job this is")
flags.DEFINE_string("checkpoint_dir", "", "Where checkpoints and summaries go, and from where training goes on; none if empty")
flags.DEFINE_integer("steps", 1000, "How many steps all workers take together")
flags.DEFINE_integer("batch_size", 100, "Examples a step")
flags.DEFINE_integer("hidden_units", 128, "Units of the hidden layer")
FLAGS = flags.FLAGS


def read_images(part):
    """The images of "train" or "t10k" as float32[n, 784] in 0 to 1, and their labels as int64[n]."""
    with gzip.open(os.path.join(FLAGS.data_dir, f"{part}-images-idx3-ubyte.gz")) as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(os.path.join(FLAGS.data_dir, f"{part}-labels-idx1-ubyte.gz")) as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int64)


def find_task():
    """(cluster or None, job, index) from the flags or TF_CONFIG."""
    if FLAGS.job_name:
        hosts = {"ps": FLAGS.ps_hosts.split(","), "worker": FLAGS.worker_hosts.split(",")}
        return tf.train.ClusterSpec(hosts), FLAGS.job_name, FLAGS.task_index
    config = json.loads(os.environ.get("TF_CONFIG", "{}"))
    if config:
        return tf.train.ClusterSpec(config["cluster"]), config["task"]["type"], config["task"]["index"]
    return None, "worker", 0


def build_model():
    images = tf.placeholder(tf.float32, [None, 784], name="images")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    hidden_w = tf.get_variable("hidden/weights", [784, FLAGS.hidden_units], initializer=tf.glorot_uniform_initializer())
    hidden_b = tf.get_variable("hidden/biases", [FLAGS.hidden_units], initializer=tf.zeros_initializer())
    hidden = tf.nn.relu(tf.nn.xw_plus_b(images, hidden_w, hidden_b))
    out_w = tf.get_variable("out/weights", [FLAGS.hidden_units, 10], initializer=tf.glorot_uniform_initializer())
    out_b = tf.get_variable("out/biases", [10], initializer=tf.zeros_initializer())
    logits = tf.nn.xw_plus_b(hidden, out_w, out_b)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), labels), tf.float32))
    tf.summary.scalar("loss", loss)
    tf.summary.scalar("accuracy", accuracy)
    tf.summary.histogram("hidden", hidden)
    global_step = tf.train.get_or_create_global_step()
    train_op = tf.train.AdamOptimizer(1e-3).minimize(loss, global_step=global_step)
    return images, labels, loss, accuracy, global_step, train_op


def train(cluster, target, task):
    device = tf.train.replica_device_setter(worker_device=f"/job:worker/task:{task}", cluster=cluster) if cluster else None
    train_images, train_labels = read_images("train")
    test_images, test_labels = read_images("t10k")
    random = np.random.default_rng(task)
    with tf.device(device):
        images, labels, loss, accuracy, global_step, train_op = build_model()

    step, value = 0, 0.0
    with tf.train.MonitoredTrainingSession(
            target, is_chief=task == 0, checkpoint_dir=FLAGS.checkpoint_dir or None,
            hooks=[tf.train.StopAtStepHook(last_step=FLAGS.steps)]) as session:
        while not session.should_stop():
            rows = random.integers(0, len(train_labels), FLAGS.batch_size)
            feed = {images: train_images[rows], labels: train_labels[rows]}
            _, value, step = session.run([train_op, loss, global_step], feed)
            if step % 100 == 0:
                print(f"worker {task}, global step {step}: loss {value:.4f}", flush=True)
            if task == 0 and step >= FLAGS.steps - 1:
                feed = {images: test_images, labels: test_labels}
                print(f"accuracy on {len(test_labels)} test images: {session.run(accuracy, feed):.4f}", flush=True)
                break
    print(f"worker {task} ends at global step {step}, loss {value:.4f}", flush=True)


def main(_):
    cluster, job, task = find_task()
    if cluster is None:
        train(None, "", task)
        return
    server = tf.train.Server(cluster, job_name=job, task_index=task)
    if job == "ps":
        server.join()
    else:
        train(cluster, server.target, task)


if __name__ == "__main__":
    tf.app.run()
