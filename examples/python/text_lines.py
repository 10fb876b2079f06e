#!/usr/bin/env python3
"""Linear regression from lines of text: a CSV file is read, parsed, shuffled and batched by the native pipeline.

python examples/python/text_lines.py [FILE.csv]     (columns: x1, x2, y; without a file, one is made)
"""
import os
import sys
import tempfile

import numpy as np

import headrace as tf


def write_lines(path):
    """4000 lines of y = 3 x1 - 2 x2 + 1 with a little noise."""
    random = np.random.default_rng(7)
    x = random.random((4000, 2))
    y = x @ [3.0, -2.0] + 1.0 + random.normal(0, 0.01, 4000)
    with open(path, "w") as file:
        file.write("x1,x2,y\n")
        file.writelines(f"{a:.5f},{b:.5f},{c:.5f}\n" for (a, b), c in zip(x, y))


def parse(line):
    x1, x2, y = tf.decode_csv(line, record_defaults=[[0.0], [0.0], [0.0]])
    return tf.stack([x1, x2]), y


def train(path):
    dataset = tf.data.TextLineDataset([path]).skip(1).map(parse).shuffle(1000, seed=1).repeat(10).batch(50)
    x, y = tf.data.make_one_shot_iterator(dataset).get_next()
    w = tf.get_variable("w", [2, 1], initializer=tf.zeros_initializer())
    b = tf.get_variable("b", [1], initializer=tf.zeros_initializer())
    loss = tf.reduce_mean(tf.square(tf.squeeze(tf.matmul(x, w) + b, axis=1) - y))
    train_op = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        while True:
            try:
                session.run(train_op)
            except tf.errors.OutOfRangeError:
                break
        weights, bias = session.run([w, b])
    print(f"y = {weights[0, 0]:.2f} x1 + {weights[1, 0]:.2f} x2 + {bias[0]:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        train(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, "lines.csv")
            write_lines(made)
            train(made)
