"""Writes train_graph_def.pb: an MLP and a wide & deep model by TensorFlow with gradients, optimizers, saver and input pipeline.

Every node has the attribute _output_shapes, TensorFlow's own shape inference.
Usage: python make_train_graph_def.py [OUTPUT]
"""
import sys

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as tf1
from tensorflow.python.data.ops import readers


def build():
  features = {"x": tf1.FixedLenFeature([4], tf.float32), "id": tf1.FixedLenFeature([], tf.int64), "y": tf1.FixedLenFeature([], tf.int64)}
  # The public TFRecordDataset reads a list of files through flat_map.
  files = readers._TFRecordDataset(["train.tfrecord"])
  dataset = files.shuffle(100, seed=1).repeat(2).batch(8).map(lambda batch: tf1.parse_example(batch, features)).prefetch(1)
  iterator = tf1.data.make_initializable_iterator(dataset)
  batch = iterator.get_next()

  def variable(name, shape, value=None):
    initial = tf1.random_normal_initializer(seed=3) if value is None else tf1.constant_initializer(value)
    return tf1.get_variable(name, shape, initializer=initial, use_resource=True)

  hidden = tf.nn.relu(tf.matmul(batch["x"], variable("w1", [4, 16])) + variable("b1", [16], 0.0))
  deep = tf.matmul(hidden, variable("w2", [16, 3])) + variable("b2", [3], 0.0)
  wide = tf.gather(variable("table", [1000, 3], 0.0), batch["id"])
  logits = tf.add(deep, wide, name="logits")
  loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=batch["y"], logits=logits), name="loss")
  step = tf1.train.get_or_create_global_step()
  trainable = tf1.trainable_variables()
  tf1.train.AdamOptimizer(0.01).minimize(loss, var_list=trainable[:4], global_step=step)
  tf1.train.FtrlOptimizer(0.1).minimize(loss, var_list=trainable[4:], name="wide")
  tf1.train.AdagradOptimizer(0.1).minimize(loss, var_list=trainable[4:], name="adagrad")
  tf1.train.GradientDescentOptimizer(0.1).minimize(loss, name="descent")
  tf1.global_variables_initializer()
  tf1.train.Saver()


def main():
  tf1.disable_v2_behavior()
  np.random.seed(0)
  build()
  graph = tf1.get_default_graph().as_graph_def(add_shapes=True)
  with open(sys.argv[1] if len(sys.argv) > 1 else "train_graph_def.pb", "wb") as out:
    out.write(graph.SerializeToString(deterministic=True))


main()
