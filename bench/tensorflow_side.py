"""TensorFlow's side of bench/run: measures one thing, checks its answer, prints {"value": .., "check": ..} as JSON.

Usage: tensorflow_side.py NAME [--data DIRECTORY] [--cluster CLUSTER [--task N]]; `server CLUSTER JOB` serves a task until it is ended.
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
  """The session, in a process that is one of the cluster's workers where there is a cluster."""
  if not args.cluster:
    return tf.Session(config=tf.ConfigProto(**config))
  server = tf.train.Server(cluster_spec(args.cluster), job_name="worker", task_index=args.task)
  filters = ["/job:ps", devices(args)[1]]  # the workers need not wait for each other
  return tf.Session(server.target, config=tf.ConfigProto(device_filters=filters, **config))


def devices(args):
  return ("/job:ps/task:0", f"/job:worker/task:{args.task}") if args.cluster else (None, None)


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


ROWS, COLUMNS = 1_000_000, 16
TOUCHED = [i * 7919 % ROWS for i in range(4096)]


def gather(args):
  ps, worker = devices(args)
  with tf.device(ps):
    table = tf.get_variable("table", [ROWS, COLUMNS], initializer=tf.ones_initializer(), use_resource=True)
  with tf.device(worker):
    ids = tf.constant(TOUCHED, tf.int64)
    total = tf.reduce_sum(tf.identity(tf.nn.embedding_lookup(table, ids)))
  with open_session(args) as session:
    session.run(tf.global_variables_initializer())
    call = session.make_callable(total)
    result = call()
    return len(TOUCHED) / seconds_per_call(7, 100, call), float(result == len(TOUCHED) * COLUMNS)


def scatter(args):
  ps, worker = devices(args)
  with tf.device(ps):
    table = tf.get_variable("table", [ROWS, COLUMNS], initializer=tf.zeros_initializer(), use_resource=True)
  with tf.device(worker):
    rows = tf.get_variable("rows", [len(TOUCHED), COLUMNS], initializer=tf.ones_initializer(), use_resource=True)
    ids, updates = tf.constant(TOUCHED, tf.int64), tf.identity(rows)
  with tf.device(ps):
    add = tf.raw_ops.ResourceScatterAdd(resource=table.handle, indices=ids, updates=updates)
    total = tf.reduce_sum(tf.nn.embedding_lookup(table, ids))
  with open_session(args) as session:
    session.run(tf.global_variables_initializer())
    seconds = seconds_per_call(7, 100, session.make_callable(add))
    return len(TOUCHED) / seconds, float(session.run(total) == 700 * len(TOUCHED) * COLUMNS)


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


def training_device(args):
  if not args.cluster:
    return tf.device(None)
  return tf.device(tf.train.replica_device_setter(cluster=cluster_spec(args.cluster), worker_device=devices(args)[1]))


def meeting(name):
  """A number on the ps at which workers wait for each other."""
  count = tf.get_variable(name, [], tf.int64, initializer=tf.zeros_initializer(), use_resource=True, trainable=False)
  arrive = count.assign_add(1, read_value=False)
  value = count.read_value()

  def arrive_and_wait(session):
    session.run(arrive)
    while session.run(value) < 2:
      time.sleep(0.001)

  return arrive_and_wait


def train(args, loss, step, feeds, batches):
  """Examples a second of this process, and the loss at the end; as Train in bench/measure/training.h."""
  rounds, steps = 5, 40
  begin, end = meeting("begin"), meeting("end")
  with tf.device(devices(args)[1]):
    uninitialized = tf.report_uninitialized_variables()
  with open_session(args) as session:
    if args.task == 0:
      session.run(tf.global_variables_initializer())
    while session.run(uninitialized).size:
      time.sleep(0.001)
    call = session.make_callable([loss, step], feed_list=feeds)
    done = 0

    def one():
      nonlocal done
      call(*batches[done % len(batches)])
      done += 1

    if args.cluster:
      begin(session)
      seconds = seconds_per_call(1, rounds * steps, one)
      end(session)
    else:
      seconds = seconds_per_call(rounds, steps, one)
    return len(batches[0][0]) / seconds, float(session.run(loss, dict(zip(feeds, batches[0]))))


def layers(hidden, inputs, widths):
  variables = []
  for i, units in enumerate(widths):
    w = tf.get_variable(f"w{i}", [inputs, units], initializer=tf.random_normal_initializer(0, 0.05, seed=1), use_resource=True)
    b = tf.get_variable(f"b{i}", [units], initializer=tf.zeros_initializer(), use_resource=True)
    variables += [w, b]
    hidden = tf.nn.bias_add(tf.matmul(hidden, w), b)
    if units != widths[-1]:
      hidden = tf.nn.relu(hidden)
    inputs = units
  return hidden, variables


def mlp(args):
  pixels = (np.arange(64 * 784) % 97 / 97).astype(np.float32).reshape(64, 784)
  with training_device(args):
    images, labels = tf.placeholder(tf.float32, [64, 784]), tf.placeholder(tf.int32, [64])
    logits, _ = layers(images, 784, [512, 512, 10])
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = tf.train.AdamOptimizer(0.001).minimize(loss)
    return train(args, loss, step, [images, labels], [(pixels, np.arange(64, dtype=np.int32) % 10)])


WIDE_COLUMNS, ROWS_OF_COLUMN, NUMBERS, WIDE_BATCH, WIDE_BATCHES = 26, 10_000, 13, 512, 16


def scrambled(shape):
  return (np.arange(np.prod(shape), dtype=np.uint64) * 2654435761 % 2**32 >> 8).astype(np.int64).reshape(shape)


def wide_deep_batches():
  rows = WIDE_BATCH * WIDE_BATCHES
  categories = scrambled([rows, WIDE_COLUMNS]) % ROWS_OF_COLUMN
  labels = (2 * (categories & 1).sum(1) > WIDE_COLUMNS).astype(np.float32)
  ids = categories + np.arange(WIDE_COLUMNS) * ROWS_OF_COLUMN
  numbers = (scrambled([rows, NUMBERS]) % 1000 / 1000).astype(np.float32)
  return list(zip(*(np.split(whole, WIDE_BATCHES) for whole in (ids, numbers, labels))))


def wide_deep(args):
  table, embedding = WIDE_COLUMNS * ROWS_OF_COLUMN, 16
  with training_device(args):
    ids = tf.placeholder(tf.int64, [WIDE_BATCH, WIDE_COLUMNS])
    numbers = tf.placeholder(tf.float32, [WIDE_BATCH, NUMBERS])
    labels = tf.placeholder(tf.float32, [WIDE_BATCH])
    wide = tf.get_variable("wide", [table, 1], initializer=tf.zeros_initializer(), use_resource=True)
    embeddings = tf.get_variable(
        "embeddings", [table, embedding], initializer=tf.random_normal_initializer(0, 0.05, seed=1), use_resource=True)
    embedded = tf.reshape(tf.nn.embedding_lookup(embeddings, ids), [WIDE_BATCH, WIDE_COLUMNS * embedding])
    hidden, deep = layers(tf.concat([embedded, numbers], 1), WIDE_COLUMNS * embedding + NUMBERS, [256, 128, 1])
    logits = tf.reduce_sum(tf.nn.embedding_lookup(wide, ids), [1, 2]) + tf.reshape(hidden, [WIDE_BATCH])
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))
    step = tf.group(tf.train.FtrlOptimizer(0.1).minimize(loss, var_list=[wide]),
                    tf.train.AdagradOptimizer(0.05).minimize(loss, var_list=[embeddings, *deep]))
    return train(args, loss, step, [ids, numbers, labels], wide_deep_batches())


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
  parser.add_argument("--task", type=int, default=0)
  args = parser.parse_args()
  value, check = globals()[args.name](args)
  print(json.dumps({"value": value, "check": check}))


main()
