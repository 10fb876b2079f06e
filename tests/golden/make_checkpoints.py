#!/usr/bin/env python3
"""Writes tests/golden/checkpoint/: bundles and a `checkpoint` file as TensorFlow writes them.

Usage: make_checkpoints.py [DIRECTORY], with a Python that has tensorflow.
  dtypes      one tensor of each dtype, scalars, an empty tensor, strings
  variant     a TensorList
  slices      a partitioned variable in three slices of rows, and one in four boxes
  merged      two shards, merged by MergeV2Checkpoints; one tensor has a slice in each
  many        13,000 tensors: an index of two blocks
  checkpoint  the state file of a Saver that has saved twice
"""
import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()


def save(prefix, tensors, slices=None):
    names = sorted(tensors)
    with tf.Graph().as_default(), tf.Session() as session:
        values = [tf.convert_to_tensor(tensors[name]) for name in names]
        session.run(tf.raw_ops.SaveV2(prefix=prefix, tensor_names=[n.split("@")[0] for n in names],
                                      shape_and_slices=[(slices or {}).get(n, "") for n in names], tensors=values))


def ramp(dtype, shape):
    return np.arange(np.prod(shape, dtype=int)).astype(dtype).reshape(shape)


def dtypes(prefix):
    tensors = {np.dtype(t).name: ramp(t, [2, 3]) for t in (
        "float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "complex64",
        "complex128", "bool")}
    tensors["bfloat16"] = ramp(tf.bfloat16.as_numpy_dtype, [2, 3])
    tensors["scalar"] = np.float32(1.5)
    tensors["empty"] = np.zeros([3, 0], np.float32)
    tensors["rank5"] = ramp("int32", [1, 2, 1, 2, 1])
    tensors["text"] = np.array([b"", b"one", b"\x00\xff", b"x" * 300], object)
    tensors["text_scalar"] = np.array(b"alone", object)
    save(prefix, tensors)


def variant(prefix):
    with tf.Graph().as_default(), tf.Session() as session:
        value = tf.raw_ops.TensorListFromTensor(tensor=tf.constant([1.0, 2.0]), element_shape=tf.constant([], tf.int32))
        session.run(tf.raw_ops.SaveV2(prefix=prefix, tensor_names=["list"], shape_and_slices=[""], tensors=[value]))


def partitioned(prefix):
    rows, boxes = ramp("float32", [6, 2]), ramp("int64", [4, 4])
    tensors, specs = {}, {}
    for start, length in (0, 3), (3, 2), (5, 1):
        name = f"rows@{start}"
        tensors[name], specs[name] = rows[start:start + length], f"6 2 {start},{length}:-"
    for i, j in (0, 0), (0, 3), (1, 0), (1, 3):
        name = f"boxes@{i}{j}"
        width = 3 if j == 0 else 1
        tensors[name], specs[name] = boxes[2 * i:2 * i + 2, j:j + width], f"4 4 {2 * i},2:{j},{width}"
    save(prefix, tensors, specs)


def merged(prefix):
    rows = ramp("float32", [4, 2])
    parts = [f"{prefix}_temp/part-0000{i}-of-00002" for i in range(2)]
    for i in range(2):
        save(parts[i], {f"only{i}": ramp("int32", [3]) + i, "rows": rows[2 * i:2 * i + 2]}, {"rows": f"4 2 {2 * i},2:-"})
    with tf.Graph().as_default(), tf.Session() as session:
        session.run(tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=prefix))


def many(prefix):
    save(prefix, {f"model/layer_{i % 60}/kernel_{i:05}": np.int8(i % 100) for i in range(13000)})


def state(directory):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("w", initializer=tf.constant([1.0, 2.0]))
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver()
        for step in 10, 20:
            saver.save(session, "model.ckpt", global_step=step, write_meta_graph=False)


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "checkpoint")
    directory.mkdir(parents=True, exist_ok=True)
    os.chdir(directory)
    dtypes("dtypes")
    variant("variant")
    partitioned("slices")
    merged("merged")
    many("many")
    state(directory)


if __name__ == "__main__":
    main()
