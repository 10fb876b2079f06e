"""Steps that TensorFlow's client traces on a Headrace cluster: what their RunMetadata says, and TensorFlow's timeline of it."""
import json
import os
import re
import unittest

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # it gives operations names of its own

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import rewriter_config_pb2
from tensorflow.python.client import timeline

import servers

tf.disable_eager_execution()

PS, WORKER = (f"/job:{job}/replica:0/task:0/device:CPU:0" for job in ("ps", "worker"))


def traced(session, fetches, level=tf.RunOptions.FULL_TRACE, **options):
    metadata = tf.RunMetadata()
    value = session.run(fetches, options=tf.RunOptions(trace_level=level, **options), run_metadata=metadata)
    return value, metadata


def nodes_of(metadata):
    return {device.device: {stats.node_name: stats for stats in device.node_stats} for device in metadata.step_stats.dev_stats}


class Traces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=1, workers=1).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        graph = tf.Graph().as_default()
        graph.__enter__()
        self.addCleanup(graph.__exit__, None, None, None)

    def training(self, ps="/job:ps", worker="/job:worker"):
        """A weight on the ps, a step of gradient descent of a loss on the worker."""
        with tf.device(ps):
            weight = tf.get_variable("weight", initializer=np.full([200, 300], 0.01, np.float32), use_resource=True)
        with tf.device(worker):
            x = tf.random.uniform([50, 200], seed=1, name="x")
            loss = tf.reduce_mean(tf.square(tf.matmul(x, weight, name="product")), name="loss")
            return weight, loss, tf.train.GradientDescentOptimizer(0.1).minimize(loss)

    def test_a_full_trace_tells_of_every_task(self):
        weight, loss, train = self.training()
        with tf.Session(self.cluster.target) as session:
            session.run(weight.initializer)
            _, metadata = traced(session, [loss, train])
        nodes = nodes_of(metadata)
        self.assertEqual(sorted(nodes), [PS, WORKER])
        product = nodes[WORKER]["product"]
        self.assertRegex(product.timeline_label, r"^product = MatMul\(x/RandomUniform, \S+\)$")
        self.assertEqual([d.size for d in product.output[0].tensor_description.shape.dim], [50, 300])
        self.assertEqual(product.output[0].tensor_description.allocation_description.requested_bytes, 50 * 300 * 4)
        self.assertRegex(nodes[WORKER]["RecvTensor"].timeline_label, rf"^\[0\.2MB\] \S+ from {PS} to {WORKER}$")
        updates = [stats for stats in nodes[PS].values() if "ResourceApplyGradientDescent(" in stats.timeline_label]
        self.assertEqual(len(updates), 1)
        self.assertLess(product.all_start_micros, updates[0].all_start_micros)  # one machine, one clock

    def test_tensorflows_timeline_reads_it(self):
        weight, loss, train = self.training()
        with tf.Session(self.cluster.target) as session:
            session.run(weight.initializer)
            _, metadata = traced(session, [loss, train])
        for memory in (False, True):
            text = timeline.Timeline(metadata.step_stats).generate_chrome_trace_format(show_memory=memory)
            events = json.loads(text)["traceEvents"]
            ops = {event["args"]["op"] for event in events if event["ph"] == "X"}
            self.assertTrue({"MatMul", "RecvTensor", "_Send", "_Recv", "ResourceApplyGradientDescent"} <= ops, ops)
            self.assertNotIn("unknown", ops)
            self.assertTrue(any(event["ph"] == "s" for event in events))

    def test_labels_are_those_that_tensorflow_writes(self):
        weight, loss, train = self.training("/device:CPU:0", "/device:CPU:0")
        rewrites = tf.GraphOptions(optimizer_options=tf.OptimizerOptions(opt_level=tf.OptimizerOptions.L0),
                                   rewrite_options=rewriter_config_pb2.RewriterConfig(disable_meta_optimizer=True))
        with tf.Session(config=tf.ConfigProto(graph_options=rewrites)) as session:
            session.run(weight.initializer)
            (theirs,) = nodes_of(traced(session, [loss, train])[1]).values()
        with tf.Session(self.cluster.target) as session:
            session.run(weight.initializer)
            (ours,) = nodes_of(traced(session, [loss, train])[1]).values()
        both = {"product", "x/RandomUniform", "Square", "weight/Read/ReadVariableOp", "gradients/product_grad/MatMul_1"} \
            & theirs.keys() & ours.keys()
        self.assertGreaterEqual(len(both), 4, (sorted(theirs), sorted(ours)))
        for name in sorted(both):
            without_memory = re.sub(r"^(\[[^\]]*\] )+", "", theirs[name].timeline_label)
            as_in_the_graph = without_memory.replace(" = _Mkl", " = ")  # what TensorFlow puts in its place where it has oneDNN
            self.assertEqual(ours[name].timeline_label, as_in_the_graph)
            for field in ("dtype", "shape"):
                self.assertEqual([getattr(o.tensor_description, field) for o in ours[name].output],
                                 [getattr(o.tensor_description, field) for o in theirs[name].output], (name, field))

    def test_only_what_is_asked_for_is_told(self):
        total = tf.reduce_sum(tf.random.uniform([10]), name="total")
        with tf.Session(self.cluster.target) as session:
            _, metadata = traced(session, total, tf.RunOptions.NO_TRACE)
            self.assertEqual(metadata, tf.RunMetadata())
            _, metadata = traced(session, total, tf.RunOptions.SOFTWARE_TRACE)
            self.assertTrue(metadata.step_stats.dev_stats)
            _, metadata = traced(session, total, tf.RunOptions.NO_TRACE, output_partition_graphs=True)
            self.assertFalse(metadata.HasField("step_stats"))
            self.assertIn("total", {node.name for graph in metadata.partition_graphs for node in graph.node})


if __name__ == "__main__":
    unittest.main()
