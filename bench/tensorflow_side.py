"""TensorFlow's side of bench/run: measures one thing, checks its answer, prints {"value": .., "check": ..} as JSON.

Usage: tensorflow_side.py NAME [--data DIRECTORY] [--cluster CLUSTER]; `server CLUSTER JOB` serves a task until it is ended.
Headrace's side is bench/measure.cc: both do the same work.
"""
import argparse
import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402

tf.disable_eager_execution()


def seconds_per_call(repeats, calls, call):
  best = 1e30
  for _ in range(repeats):
    begin = time.perf_counter()
    for _ in range(calls):
      call()
    best = min(best, (time.perf_counter() - begin) / calls)
  return best


def cluster_spec(text):
  jobs = dict(job.split("|") for job in text.split(","))
  return tf.train.ClusterSpec({name: hosts.split(";") for name, hosts in jobs.items()})


def open_session(args, **config):
  """The session, in a process that is worker 0 of the cluster where there is one."""
  if not args.cluster:
    return tf.Session(config=tf.ConfigProto(**config))
  server = tf.train.Server(cluster_spec(args.cluster), job_name="worker", task_index=0)
  return tf.Session(server.target, config=tf.ConfigProto(**config))


def devices(args):
  return ("/job:ps/task:0", "/job:worker/task:0") if args.cluster else (None, None)


def noop(args):
  with tf.Session(args.cluster) as session:
    call = session.make_callable(tf.no_op())  # the better of TensorFlow's two ways
    call()
    return seconds_per_call(7, 1000, call) * 1e6, 0


def chain(_):
  start = tf.placeholder(tf.float32, [])
  value = start
  for _ in range(1000):
    value = value + 1.0
  options = tf.GraphOptions(rewrite_options={"disable_meta_optimizer": True})
  with tf.Session(config=tf.ConfigProto(graph_options=options)) as session:
    call = session.make_callable(value, feed_list=[start])
    one = np.float32(1)
    result = call(one)
    return seconds_per_call(7, 300, lambda: call(one)) * 1e6 / 1000, float(result)


PUSHED = 2_500_000


def push(args):
  ps, worker = devices(args)
  with tf.device(ps):
    total = tf.get_variable("total", [PUSHED], initializer=tf.zeros_initializer(), use_resource=True)
  with tf.device(worker):
    part = tf.get_variable("part", [PUSHED], initializer=tf.ones_initializer(), use_resource=True)
    value = tf.identity(part)
  update = total.assign_add(value, read_value=False)
  with open_session(args) as session:
    session.run(tf.global_variables_initializer())
    call = session.make_callable(update)
    seconds = seconds_per_call(5, 20, call)
    return PUSHED * 4 / seconds / 1e9, float(session.run(total)[-1] == 100)


def pull(args):
  ps, worker = devices(args)
  with tf.device(ps):
    values = tf.get_variable("values", [PUSHED], initializer=tf.ones_initializer(), use_resource=True)
    read = values.read_value()
  with tf.device(worker):
    total = tf.reduce_sum(tf.identity(read))
  with open_session(args) as session:
    session.run(tf.global_variables_initializer())
    call = session.make_callable(total)
    result = call()
    return PUSHED * 4 / seconds_per_call(5, 20, call) / 1e9, float(result == PUSHED)


def gather(args):
  ps, worker = devices(args)
  rows, gathered = 1_000_000, 4096
  with tf.device(ps):
    table = tf.get_variable("table", [rows, 16], initializer=tf.ones_initializer(), use_resource=True)
  with tf.device(worker):
    ids = tf.constant([i * 7919 % rows for i in range(gathered)], tf.int64)
    total = tf.reduce_sum(tf.identity(tf.nn.embedding_lookup(table, ids)))
  with open_session(args) as session:
    session.run(tf.global_variables_initializer())
    call = session.make_callable(total)
    result = call()
    return gathered / seconds_per_call(7, 100, call), float(result == gathered * 16)


def drain(dataset, feeds=None):
  """Rows a second, and rows, of a run through the dataset."""
  iterator = tf.data.make_initializable_iterator(dataset)
  rows = tf.shape(tf.nest.flatten(iterator.get_next())[0])[0]
  with tf.Session() as session:
    session.run(iterator.initializer, feeds)
    call = session.make_callable(rows)
    begin = time.perf_counter()
    total = 0
    while True:
      try:
        total += int(call())
      except tf.errors.OutOfRangeError:
        return total / (time.perf_counter() - begin), total


def records(args):
  return drain(tf.data.TFRecordDataset(args.data + "/records.tfrecord").batch(512))


def parse(args):
  features = {"label": tf.FixedLenFeature([], tf.int64)}
  features.update({f"i{i}": tf.FixedLenFeature([], tf.float32) for i in range(13)})
  features.update({f"c{i}": tf.FixedLenFeature([], tf.string) for i in range(26)})
  dataset = tf.data.TFRecordDataset(args.data + "/criteo.tfrecord").batch(512)
  return drain(dataset.map(lambda batch: tf.io.parse_example(batch, features)).prefetch(2))


def pipeline(_):
  images = np.full([60_000, 784], 0.5, np.float32)
  value = tf.placeholder(tf.float32, images.shape)
  return drain(tf.data.Dataset.from_tensor_slices(value).shuffle(1000, seed=1).repeat(3).batch(64), {value: images})


def mlp(_):
  pixels = (np.arange(64 * 784) % 97 / 97).astype(np.float32).reshape(64, 784)
  images, labels = tf.placeholder(tf.float32, [64, 784]), tf.placeholder(tf.int32, [64])
  hidden, inputs = images, 784
  for i, units in enumerate([512, 512, 10]):
    w = tf.get_variable(f"w{i}", [inputs, units], initializer=tf.random_normal_initializer(0, 0.05, seed=1), use_resource=True)
    b = tf.get_variable(f"b{i}", [units], initializer=tf.zeros_initializer(), use_resource=True)
    hidden = tf.nn.bias_add(tf.matmul(hidden, w), b)
    if units != 10:
      hidden = tf.nn.relu(hidden)
    inputs = units
  loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=hidden))
  train = tf.train.AdamOptimizer(0.001).minimize(loss)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    call = session.make_callable([loss, train], feed_list=[images, labels])
    classes = np.arange(64, dtype=np.int32) % 10
    seconds = seconds_per_call(5, 40, lambda: call(pixels, classes))
    return 64 / seconds, float(call(pixels, classes)[0] < 0.1)


def start(_):
  with tf.Session() as session:
    return 0, float(session.run(tf.constant(1.0) + 2))


def serve(cluster, job):
  tf.train.Server(cluster_spec(cluster), job_name=job, task_index=0).join()


def make_files(args):
  """The record files that both sides read."""
  with tf.io.TFRecordWriter(args.data + "/records.tfrecord") as writer:
    body = bytes(range(256)) * 4
    for _ in range(200_000):
      writer.write(body)
  random = np.random.default_rng(1)
  with tf.io.TFRecordWriter(args.data + "/criteo.tfrecord") as writer:
    for _ in range(60_000):
      example = tf.train.Example()
      example.features.feature["label"].int64_list.value.append(int(random.integers(2)))
      for i, number in enumerate(random.random(13)):
        example.features.feature[f"i{i}"].float_list.value.append(number)
      for i, word in enumerate(random.integers(2**32, size=26)):
        example.features.feature[f"c{i}"].bytes_list.value.append(b"%08x" % word)
      writer.write(example.SerializeToString())
  return 0, 1


def main():
  if sys.argv[1] == "server":
    serve(*sys.argv[2:4])
  parser = argparse.ArgumentParser()
  parser.add_argument("name")
  parser.add_argument("--data", default="")
  parser.add_argument("--cluster", default="")
  args = parser.parse_args()
  value, check = globals()[args.name](args)
  print(json.dumps({"value": value, "check": check}))


main()
