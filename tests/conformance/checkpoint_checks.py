"""Checkpoints and record files both ways: what a Headrace server writes TensorFlow reads, and the other way round."""
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np
import tensorflow.compat.v1 as tf

import servers

tf.disable_eager_execution()
VALUES = {
    "layer/weights": np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
    "layer/bias": np.array([1e-30, -2.5, np.inf, np.nan]),
    "counts": np.array([[2**40, -3]], np.int64),
    "flags": np.array([True, False, True]),
    "half": np.array([0.5, -1.25], np.float16),
    "scalar": np.int32(-7),
}


class Directory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=1, workers=1).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)


class Checkpoints(Directory):
    def graph(self, zero=False, device=None):
        """Variables of VALUES, or zeros of their shapes, and a saver."""
        with tf.device(device):
            for name, value in VALUES.items():
                tf.get_variable(name, initializer=tf.constant(np.zeros_like(value) if zero else value), use_resource=True)
        return tf.train.Saver()

    def saves(self, target, device=None):
        with tf.Graph().as_default():
            saver = self.graph(device=device)
            with tf.Session(target) as session:
                session.run(tf.global_variables_initializer())
                return saver.save(session, str(self.directory / "model"), global_step=3)

    def restores(self, target, path, device=None):
        with tf.Graph().as_default():
            saver = self.graph(zero=True, device=device)
            with tf.Session(target) as session:
                saver.restore(session, path)
                return session.run({v.op.name: v for v in tf.global_variables()})

    def check(self, found):
        self.assertEqual(set(found), set(VALUES))
        for name, value in VALUES.items():
            self.assertEqual(np.asarray(found[name]).dtype, value.dtype, name)
            np.testing.assert_array_equal(found[name], value, err_msg=name)

    def test_tensorflow_reads_what_a_headrace_session_saved(self):
        for device in None, "/job:ps/task:0":
            path = self.saves(self.cluster.target, device)
            reader = tf.train.load_checkpoint(path)
            self.check({name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()})
            self.check(self.restores("", path))
            self.assertEqual(tf.train.latest_checkpoint(str(self.directory)), path)

    def test_a_headrace_session_restores_what_tensorflow_saved(self):
        path = self.saves("")
        self.check(self.restores(self.cluster.target, path))
        self.check(self.restores(self.cluster.target, path, "/job:ps/task:0"))

    def test_a_missing_tensor_is_not_found(self):
        path = self.saves("")
        with tf.Graph().as_default(), tf.Session(self.cluster.target) as session:
            restored = tf.raw_ops.RestoreV2(prefix=path, tensor_names=["absent"], shape_and_slices=[""], dtypes=[tf.float32])
            with self.assertRaisesRegex(tf.errors.NotFoundError, "absent"):
                session.run(restored)


class Partitioned(unittest.TestCase):
    """A table in slices on two parameter servers, resource and ref, saved in shards."""
    TABLE = np.arange(22, dtype=np.float32).reshape(11, 2)

    @classmethod
    def setUpClass(cls):
        cls.cluster = servers.Cluster(ps=2, workers=1).__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def run_saver(self, target, parts, use_resource, act, zero=False):
        """act(session, saver) on a graph with the table in `parts` slices; returns the table, its slot and act's result."""
        device = tf.train.replica_device_setter(ps_tasks=2) if target else None
        # Ref variables outlive sessions: those of other shapes need another container.
        with tf.Graph().as_default() as graph, tf.device(device), graph.container(f"parts{parts}"):
            table = tf.get_variable("table", self.TABLE.shape, partitioner=tf.fixed_size_partitioner(parts) if parts > 1 else None,
                                    initializer=tf.zeros_initializer(), use_resource=use_resource)
            slices = list(table) if parts > 1 else [table]
            rows = tf.nn.embedding_lookup(table, [1, 4, 9], partition_strategy="div")
            train = tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(rows * rows - rows))
            whole = tf.concat([tf.identity(s) for s in slices], 0)
            begins = np.cumsum([0] + [int(s.shape[0]) for s in slices])
            fill = [s.assign(self.TABLE[b:b + int(s.shape[0])]) for s, b in zip(slices, begins)]
            slot = tf.concat([tf.identity(v) for v in tf.global_variables() if v.op.name.endswith("/Adam")], 0)
            saver = tf.train.Saver(sharded=True)
            with tf.Session(target) as session:
                session.run(tf.global_variables_initializer())
                if not zero:
                    session.run(fill)
                    session.run(train)
                done = act(session, saver)
                return session.run([whole, slot]) + [done]

    def test_slices_go_between_headrace_and_tensorflow_both_ways(self):
        for use_resource in True, False:
            with tempfile.TemporaryDirectory() as directory:
                save = lambda session, saver: saver.save(session, f"{directory}/model", write_meta_graph=False)
                for saves, reads in (self.cluster.target, ""), ("", self.cluster.target), (self.cluster.target,) * 2:
                    for parts, other in (2, 1), (1, 2), (3, 2):
                        table, slot, path = self.run_saver(saves, parts, use_resource, save)
                        self.assertEqual(tf.train.load_checkpoint(path).get_tensor("table").tolist(), table.tolist())
                        restored, its_slot, _ = self.run_saver(reads, other, use_resource, lambda session, saver: saver.restore(session, path),
                                                               zero=True)
                        np.testing.assert_array_equal(restored, table)
                        np.testing.assert_array_equal(its_slot, slot)
                        self.assertTrue(np.any(slot != 0))
                        self.assertFalse(list(pathlib.Path(directory).glob("*_temp*")))


class Records(Directory):
    FEATURES = {"label": tf.FixedLenFeature([], tf.int64), "x": tf.FixedLenFeature([2], tf.float32, [0.5, 0.25]),
                "words": tf.VarLenFeature(tf.string)}

    def write(self, name, compression):
        """Twelve examples written by TensorFlow."""
        path = str(self.directory / name)
        with tf.io.TFRecordWriter(path, compression) as writer:
            for i in range(12):
                example = tf.train.Example()
                example.features.feature["label"].int64_list.value.append(i * 3 - 5)
                if i % 4:
                    example.features.feature["x"].float_list.value.extend([i / 3, -i])
                example.features.feature["words"].bytes_list.value.extend([b"w%d" % j for j in range(i % 3)])
                writer.write(example.SerializeToString())
        return path

    def batches(self, target, path, compression):
        with tf.Graph().as_default(), tf.Session(target) as session:
            data = tf.data.TFRecordDataset(path, compression_type=compression).batch(5)
            following = tf.io.parse_example(tf.data.make_one_shot_iterator(data).get_next(), self.FEATURES)
            found = []
            with self.assertRaises(tf.errors.OutOfRangeError):
                while True:
                    found.append(session.run(following))
            return found

    def test_headrace_reads_records_that_tensorflow_wrote(self):
        for compression in "", "GZIP", "ZLIB":
            path = self.write("records" + compression, compression)
            expected, actual = self.batches("", path, compression), self.batches(self.cluster.target, path, compression)
            self.assertEqual([len(batch["label"]) for batch in actual], [5, 5, 2])
            for a, b in zip(expected, actual, strict=True):
                np.testing.assert_array_equal(a["label"], b["label"])
                np.testing.assert_array_equal(a["x"], b["x"])
                for part in "indices", "values", "dense_shape":
                    np.testing.assert_array_equal(getattr(a["words"], part), getattr(b["words"], part))

    def test_tensorflow_reads_what_convert_wrote(self):
        rows = [(i, i * 0.5 - 1, f"name {i}" if i % 2 else 'quoted, "twice"') for i in range(9)]
        table = self.directory / "table.csv"
        quoted = [(i, x, '"' + name.replace('"', '""') + '"') for i, x, name in rows]
        table.write_text("\n".join(["id,x,name", *(",".join(map(str, row)) for row in quoted)]) + "\n")
        subprocess.run([str(servers.BINARY), "convert", str(table), "--shards", "2", "--out", str(self.directory / "out")], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        files = sorted(map(str, self.directory.glob("out-0000?-of-00002*")))
        self.assertEqual(len(files), 2)
        features = {name: tf.FixedLenFeature([], dtype) for name, dtype in (("id", tf.int64), ("x", tf.float32), ("name", tf.string))}
        with tf.Graph().as_default(), tf.Session() as session:
            data = tf.data.TFRecordDataset(files).batch(100).map(lambda batch: tf.io.parse_example(batch, features))
            found = session.run(tf.data.make_one_shot_iterator(data).get_next())
        self.assertEqual(sorted(zip(found["id"].tolist(), found["x"].tolist(), [n.decode() for n in found["name"]])), rows)


if __name__ == "__main__":
    unittest.main()
