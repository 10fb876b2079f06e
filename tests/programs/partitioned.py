"""An embedding in two parts on two parameter servers, trained, saved in shards, and restored whole on one."""

import glob
import os

import harness
import numpy as np

PHASES = ["train", "restore"]
READ_BACK = "read back"
CLUSTERS = {"train": {"ps": 2, "worker": 1}, "restore": {"ps": 1, "worker": 1}}
ROWS, WIDTH, STEPS = 31, 4, 10


def initial():
    return np.random.RandomState(5).randn(ROWS, WIDTH).astype(np.float32)


def build(tf, parts):
    """(the table, its part list, the loss placeholder's ids, loss)"""
    partitioner = tf.fixed_size_partitioner(parts) if parts > 1 else None

    def values(shape, dtype=None, partition_info=None):
        offset = partition_info.var_offset if partition_info is not None else [0, 0]
        return tf.constant(initial()[offset[0]:offset[0] + int(shape[0]), :])

    with tf.variable_scope("model", partitioner=partitioner):
        table = tf.get_variable("table", [ROWS, WIDTH], initializer=values)
        with tf.variable_scope("out", partitioner=None):
            weights = tf.get_variable("weights", [WIDTH, 1], initializer=tf.constant_initializer(0.5))
    ids = tf.placeholder(tf.int64, [None], name="ids")
    rows = tf.nn.embedding_lookup(table, ids, partition_strategy="div")
    loss = tf.reduce_mean(tf.square(tf.matmul(rows, weights) - 1.0))
    return table, ids, loss


def train(tf, task, server):
    with task.device(tf):
        global_step = tf.train.get_or_create_global_step()
        table, ids, loss = build(tf, 2)
        step = tf.train.AdagradOptimizer(0.3).minimize(loss, global_step=global_step)
        whole = tf.identity(tf.convert_to_tensor(table))
        saver = tf.train.Saver(sharded=True)
    parts = list(table)
    assert len(parts) == 2 and [p.op.name for p in parts] == ["model/table/part_0", "model/table/part_1"], parts
    devices = {p.device for p in parts}
    losses = []
    with tf.Session(server.target) as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(whole), initial())
        for number in range(STEPS):
            rng = np.random.RandomState(number)
            losses.append(float(session.run([loss, step], {ids: rng.randint(0, ROWS, 8)})[0]))
        values = session.run(whole)
        path = saver.save(session, task.directory + "/model", global_step=global_step)
    files = sorted(os.path.basename(f) for f in glob.glob(task.directory + "/model-*"))
    np.save(task.directory + "/expected.npy", values)
    return {"losses": losses, "devices": sorted(devices), "shapes": [p.shape.as_list() for p in parts], "path": path[-8:],
            "files": [f for f in files if not f.endswith(".meta")]}


def restore(tf, task, server):
    """Restores the table whole: on one parameter server, or, to read it back, in a worker without one."""
    with task.device(tf) if task.ps_hosts else tf.device(None):
        tf.train.get_or_create_global_step()
        table, ids, loss = build(tf, 1)
        saver = tf.train.Saver()
    checkpoint = tf.train.latest_checkpoint(task.directory)
    with tf.Session(server.target) as session:
        saver.restore(session, checkpoint)
        values = session.run(table)
        step = int(session.run(tf.train.get_global_step()))
    np.testing.assert_array_equal(values, np.load(task.directory + "/expected.npy"))
    reader = tf.train.NewCheckpointReader(checkpoint)
    return {"step": step, "values": values.ravel().tolist(), "checkpoint": os.path.basename(checkpoint),
            "names": {name: list(shape) for name, shape in sorted(reader.get_variable_to_shape_map().items())}}


def main(tf, task):
    server = task.server(tf)
    return train(tf, task, server) if task.phase == "train" else restore(tf, task, server)


def compare(ours, theirs):
    assert len(ours) == len(theirs) == 3
    for result in ours[1:] + theirs:
        check_equal(ours[0], result)


def check_equal(ours, theirs):
    assert ours["names"] == theirs["names"], (ours["names"], theirs["names"])
    assert ours["checkpoint"] == theirs["checkpoint"] and ours["step"] == theirs["step"] == STEPS
    np.testing.assert_allclose(ours["values"], theirs["values"], rtol=1e-5, atol=1e-6)


if __name__ == "__main__":
    harness.start(main)
