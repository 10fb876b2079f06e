"""Traced steps: what their metadata tells, and the Chrome traces made of it."""

import glob
import json
import os
import unittest

import headrace as tf
from headrace.python.client import timeline

from training_testing import free_addresses, TrainingTest


def traced(session, fetches, feed_dict=None):
    """RunMetadata of a step."""
    metadata = tf.RunMetadata()
    session.run(fetches, feed_dict, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=metadata)
    return metadata


def nodes_of(metadata):
    """{device: {node name: its stats}}."""
    return {device.device: {stats.node_name: stats for stats in device.node_stats} for device in metadata.step_stats.dev_stats}


class TracedStepTest(TrainingTest):

    def test_a_traced_step_tells_of_each_operation_that_ran(self):
        x = tf.placeholder(tf.float32, [2, 3], name="x")
        y = tf.matmul(x, tf.ones([3, 4]), name="y")
        with tf.Session() as session:
            metadata = tf.RunMetadata()
            value = session.run(y, {x: [[1, 2, 3], [4, 5, 6]]},
                                options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=metadata)
        self.assertEqual(value[1, 0], 15)
        (device, nodes), = nodes_of(metadata).items()
        self.assertEqual(device, "/job:localhost/replica:0/task:0/device:CPU:0")
        stats = nodes["y"]
        self.assertRegex(stats.timeline_label, r"^y = MatMul\(.*, ones\)$")
        self.assertGreaterEqual(stats.all_end_rel_micros, 1)
        tensor = stats.output[0].tensor_description
        self.assertEqual([d.size for d in tensor.shape.dim], [2, 4])
        self.assertEqual(tensor.allocation_description.requested_bytes, 32)

    def test_metadata_of_a_step_that_is_not_traced_is_empty(self):
        x = tf.constant(1.0) + 2.0
        with tf.Session() as session:
            metadata = traced(session, x)
            self.assertTrue(metadata.step_stats.dev_stats)
            session.run(x, run_metadata=metadata)
            self.assertFalse(metadata.step_stats.dev_stats)
            session.run(x, options=tf.RunOptions(timeout_in_ms=10000), run_metadata=metadata)
            self.assertFalse(metadata.step_stats.dev_stats)

    def test_the_graphs_of_the_devices_are_given_when_asked_for(self):
        x = tf.placeholder(tf.float32, name="x")
        y = tf.add(x, 1.0, name="y")
        with tf.Session() as session:
            metadata = tf.RunMetadata()
            session.run(y, {x: 1}, options=tf.RunOptions(output_partition_graphs=True), run_metadata=metadata)
        self.assertFalse(metadata.step_stats.dev_stats)
        self.assertIn("y", {node.name for graph in metadata.partition_graphs for node in graph.node})

    def test_a_traced_step_that_fails_raises_as_any_other(self):
        check = tf.check_numerics(tf.log(tf.placeholder_with_default(0.0, [])), "bad", name="check")
        with tf.Session() as session, self.assertRaises(tf.errors.InvalidArgumentError) as raised:
            traced(session, check)
        self.assertEqual(raised.exception.op.name, "check")

    def test_a_step_of_two_tasks_tells_of_both_and_of_what_crosses(self):
        addresses = free_addresses(2)
        cluster = {"ps": addresses[:1], "worker": addresses[1:]}
        self.serve(cluster, "ps", 0)
        server = self.serve(cluster, "worker", 0)
        with tf.device("/job:ps"):
            v = tf.Variable(tf.ones([100]), name="v")
        with tf.device("/job:worker"):
            total = tf.reduce_sum(v * 2.0, name="total")
        with tf.Session(server.target) as session:
            session.run(v.initializer)
            metadata = traced(session, total)
        nodes = nodes_of(metadata)
        ps, worker = (f"/job:{job}/replica:0/task:0/device:CPU:0" for job in ("ps", "worker"))
        self.assertEqual(sorted(nodes), [ps, worker])
        self.assertIn("total", nodes[worker])
        self.assertRegex(nodes[worker]["RecvTensor"].timeline_label, rf"^\[400B\] \S+ from {ps} to {worker}$")
        trace = json.loads(timeline.Timeline(metadata.step_stats).generate_chrome_trace_format())["traceEvents"]
        named = {event["args"]["name"]: event["pid"] for event in trace if event["ph"] == "M"}
        self.assertEqual(set(named), {f"{ps} Compute", f"{worker} Compute"})
        arrows = [(event["ph"], event["pid"]) for event in trace if event["ph"] in "st"]
        self.assertIn(("s", named[f"{ps} Compute"]), arrows)
        self.assertIn(("t", named[f"{worker} Compute"]), arrows)


class TimelineTest(unittest.TestCase):

    def stats(self):
        """Two producers at the same time, and a consumer of the longer one."""
        from headrace.protos import StepStats
        stats = StepStats()
        device = stats.dev_stats.add(device="/job:a/device:CPU:0")
        for name, label, start, took in (("c", "c = Neg(b)", 160, 40), ("a", "a = Const()", 100, 30), ("b", "b = Exp(a:1, ^a)",
                                                                                                      110, 50)):
            node = device.node_stats.add(node_name=name, timeline_label=label, all_start_micros=start, all_end_rel_micros=took)
            allocation = node.output.add(slot=0).tensor_description.allocation_description
            allocation.allocator_name, allocation.requested_bytes = "cpu", 1000
        return stats

    def test_operations_at_the_same_time_are_in_different_lanes(self):
        events = json.loads(timeline.Timeline(self.stats()).generate_chrome_trace_format(show_dataflow=False))["traceEvents"]
        slices = {event["args"]["name"]: event for event in events if event["ph"] == "X"}
        self.assertEqual({name: (s["tid"], s["ts"], s["dur"]) for name, s in slices.items()},
                         {"a": (0, 100, 30), "b": (1, 110, 50), "c": (0, 160, 40)})
        self.assertEqual(slices["b"]["args"], {"name": "b", "op": "Exp", "input0": "a:1", "input1": "^a"})
        self.assertEqual(len(events), 4)

    def test_arrows_lead_from_producers_to_consumers(self):
        events = json.loads(timeline.Timeline(self.stats()).generate_chrome_trace_format())["traceEvents"]
        self.assertEqual([(e["ph"], e["name"], e["tid"], e["ts"]) for e in events if e["ph"] in "st"],
                         [("s", "b", 1, 160), ("t", "b", 0, 160)])

    def test_memory_is_counted_from_a_tensors_start_to_its_last_consumers_end(self):
        analysis = timeline.Timeline(self.stats()).analyze_step_stats()
        counted = [(e["ts"], e["args"]["cpu"]) for e in json.loads(analysis.chrome_trace.format_to_string())["traceEvents"]
                   if e["ph"] == "C"]
        self.assertEqual(counted, [(100, 1000), (110, 2000), (130, 1000), (160, 2000), (200, 1000), (200, 0)])
        self.assertEqual(analysis.allocator_maximums["cpu"], timeline.AllocationMaximum(110, 2000, {"a", "b"}))


class ProfilerHookTest(TrainingTest):

    def test_it_writes_a_timeline_every_so_many_steps(self):
        step, count = self.count_up()
        hook = tf.train.ProfilerHook(save_steps=3, output_dir=self.directory, show_memory=True)
        with tf.train.MonitoredTrainingSession(hooks=[hook]) as session:
            for _ in range(8):
                session.run(count)
        written = sorted(map(os.path.basename, glob.glob(os.path.join(self.directory, "timeline-*.json"))))
        self.assertEqual(len(written), 2, written)
        with open(os.path.join(self.directory, written[0])) as file:
            events = json.load(file)["traceEvents"]
        self.assertTrue({"M", "X", "C"} <= {event["ph"] for event in events})
        tf.summary.FileWriterCache.clear()
        tags = [event.tagged_run_metadata.tag for event in self.events() if event.WhichOneof("what") == "tagged_run_metadata"]
        self.assertEqual([f"timeline-{tag.removeprefix('step_')}.json" for tag in tags], written)

    def test_it_leaves_the_callers_options_as_they_are(self):
        step, count = self.count_up()
        options, metadata = tf.RunOptions(timeout_in_ms=20000), tf.RunMetadata()
        hook = tf.train.ProfilerHook(save_steps=1, output_dir=self.directory)
        with tf.train.MonitoredTrainingSession(hooks=[hook]) as session:
            for _ in range(3):
                session.run(count, options=options, run_metadata=metadata)
        self.assertEqual(options, tf.RunOptions(timeout_in_ms=20000))
        self.assertTrue(metadata.step_stats.dev_stats)

    def test_a_writer_keeps_metadata_under_tags_of_their_own(self):
        with tf.Session() as session:
            metadata = traced(session, tf.constant(1.0) + 1.0)
        with tf.summary.FileWriter(self.directory) as writer:
            writer.add_run_metadata(metadata, "step1", 1)
            with self.assertRaisesRegex(ValueError, "step1"):
                writer.add_run_metadata(metadata, "step1", 2)
        tagged = [event.tagged_run_metadata for event in self.events() if event.WhichOneof("what") == "tagged_run_metadata"]
        self.assertEqual([(each.tag, each.run_metadata) for each in tagged], [("step1", metadata.SerializeToString())])
