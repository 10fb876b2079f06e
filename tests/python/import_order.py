"""Imports modules in the order of the command line, then trains through a session and a server of this process.

Run by test_imports.py, each order in a process of its own.
"""
import importlib
import sys


def exercise(tf):
    """A variable on a server, read back through a session over gRPC, and a graph as a message."""
    server = tf.train.Server.create_local_server()
    w = tf.get_variable("w", [3], initializer=tf.ones_initializer())
    train = tf.train.GradientDescentOptimizer(0.5).minimize(tf.reduce_sum(tf.square(w)))
    for target in (server.target, ""):
        with tf.Session(target) as session:
            session.run(tf.global_variables_initializer())
            session.run(train)
            assert session.run(w).tolist() == [0.0, 0.0, 0.0], session.run(w)
    assert len(tf.GraphDef.FromString(tf.get_default_graph().as_graph_def().SerializeToString()).node) > 0
    server.stop()


for name in sys.argv[1:]:
    importlib.import_module(name)
exercise(importlib.import_module("headrace"))
if "tensorflow" in sys.argv:
    tensorflow = importlib.import_module("tensorflow").compat.v1
    with tensorflow.Graph().as_default(), tensorflow.Session() as own:
        assert own.run(tensorflow.constant(2.0) * 3.0) == 6.0
print("ok")
