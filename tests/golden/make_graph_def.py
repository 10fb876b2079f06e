"""Writes graph_def.pb: a GraphDef by TensorFlow with functions, control flow of both versions and attributes of every kind.

Usage: python make_graph_def.py [OUTPUT]
"""
import sys

import tensorflow as tf
import tensorflow.compat.v1 as tf1
from tensorflow.python.framework import function


def build():
  with tf1.device("/job:ps/task:1"):
    variable = tf1.get_variable("variable", [2, 3], use_resource=True)
  with tf1.device("/job:worker/task:0/device:CPU:0"):
    x = tf1.placeholder(tf.float32, [None, 2], name="x")
    y = tf.matmul(x, variable, name="y")
  texts = tf.constant([b"text", b"\x00\xff"], name="texts")
  loop = tf1.while_loop(lambda i: i < 10, lambda i: i + 1, [tf.constant(0)], name="loop")
  branch = tf.cond(tf.reduce_sum(y) > 0, lambda: y + 1, lambda: y - 1, name="branch")

  @function.Defun(tf.float32, tf.float32, func_name="Scaled")
  def scaled(a, b):
    return a * b, a + b

  call = scaled(tf.constant(1.0), tf.constant(2.0), name="call")

  @tf.function
  def square(a):
    return a * a

  squares = square(y)
  dataset = tf1.data.Dataset.range(10).map(lambda i: i * 2).batch(2)
  element = tf1.data.make_one_shot_iterator(dataset).get_next()
  tf1.parse_example(texts, {"f": tf1.FixedLenFeature([2], tf.float32, [0.0, 1.0])})
  with tf1.control_dependencies([element.op]):
    tf1.train.AdamOptimizer().minimize(tf.reduce_mean(squares + branch[0, 0] + call[0]))
  return loop


def main():
  tf1.disable_eager_execution()
  tf1.disable_control_flow_v2()
  build()
  tf1.enable_control_flow_v2()
  with tf1.name_scope("v2"):
    tf.cond(tf.constant(True), lambda: tf.constant(1), lambda: tf.constant(2))
  graph = tf1.get_default_graph().as_graph_def()
  with open(sys.argv[1] if len(sys.argv) > 1 else "graph_def.pb", "wb") as out:
    out.write(graph.SerializeToString(deterministic=True))


main()
