"""Writes random.txt: what TensorFlow's seeded random ops give, as bytes in hex, or as a hash where there are many.

A line is: op, dtype, seed, seed2, shape, which call of the op, number of bytes, FNV-1a hash of all bytes, the first 64 bytes.
Run: python make_random.py > random.txt (needs tensorflow)."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.ops import gen_random_ops as ops
from tensorflow.python.ops import gen_stateless_random_ops as stateless
from tensorflow.python.ops import gen_stateless_random_ops_v2 as stateless_v2

tf.disable_eager_execution()

FLOATS = {"f32": tf.float32, "f64": tf.float64, "f16": tf.float16, "bf16": tf.bfloat16}
INTS = {"i32": tf.int32, "i64": tf.int64}
SEEDS = [(1, 2), (87654321, 42), (0, 7), (-5, 1 << 40), (2**63 - 1, -1)]
SHAPES = [[], [1], [3], [7, 5], [1000]]


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def line(op, dtype, seed, shape, calls, make):
    with tf.Graph().as_default(), tf.Session() as session:
        output = make(seed[0], seed[1])
        for call in range(calls):
            data = np.asarray(session.run(output)).tobytes()
            dims = ",".join(map(str, shape))
            print(f"{op} {dtype} {seed[0]} {seed[1]} [{dims}] {call} {len(data)} {fnv(data):016x} {data[:64].hex()}")


for op, function in [("RandomUniform", ops.random_uniform), ("RandomStandardNormal", ops.random_standard_normal),
                     ("TruncatedNormal", ops.truncated_normal)]:
    for name, dtype in FLOATS.items():
        for i, seed in enumerate(SEEDS):
            for shape in SHAPES if i == 0 else [[7, 5]]:
                line(op, name, seed, shape, 3, lambda a, b: function(tf.constant(shape, tf.int32), dtype, seed=a, seed2=b))
for name, dtype in INTS.items():
    for i, seed in enumerate(SEEDS):
        for shape in SHAPES if i == 0 else [[7, 5]]:
            line("RandomUniformInt", name, seed, shape, 3, lambda a, b: ops.random_uniform_int(
                tf.constant(shape, tf.int32), tf.constant(-7, dtype), tf.constant(1000003, dtype), seed=a, seed2=b))
for shape in [[1], [2], [10], [5, 3], [1000]]:
    for seed in SEEDS[:3]:
        value = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
        line("RandomShuffle", "i32", seed, shape, 3, lambda a, b: ops.random_shuffle(tf.constant(value), seed=a, seed2=b))
for op, name, function in [("StatelessRandomUniform", n, stateless.stateless_random_uniform) for n in FLOATS] + [
        ("StatelessRandomNormal", n, stateless.stateless_random_normal) for n in FLOATS] + [
        ("StatelessTruncatedNormal", n, stateless.stateless_truncated_normal) for n in FLOATS]:
    for seed in SEEDS:
        line(op, name, seed, [7, 5], 1, lambda a, b: function(tf.constant([7, 5], tf.int64), tf.constant([a, b], tf.int64),
                                                             dtype=FLOATS[name]))
for name, dtype in {**INTS, "u32": tf.uint32, "u64": tf.uint64}.items():
    for seed in SEEDS:
        line("StatelessRandomUniformFullInt", name, seed, [7, 5], 1, lambda a, b: stateless.stateless_random_uniform_full_int(
            tf.constant([7, 5], tf.int64), tf.constant([a, b], tf.int64), dtype=dtype))
for name, dtype in INTS.items():
    for seed in SEEDS:
        line("StatelessRandomUniformInt", name, seed, [7, 5], 1, lambda a, b: stateless.stateless_random_uniform_int(
            tf.constant([7, 5], tf.int64), tf.constant([a, b], tf.int64), tf.constant(-7, dtype), tf.constant(1000003, dtype)))
for name, dtype in FLOATS.items():
    for seed in SEEDS:  # here the seeds are key and counter

        def from_key(a, b):
            key, counter = np.array([a & 2**64 - 1], np.uint64), np.array([5, b & 2**64 - 1], np.uint64)
            return stateless_v2.stateless_truncated_normal_v2(tf.constant([7, 5], tf.int64), key, counter, 1, dtype=dtype)

        line("StatelessTruncatedNormalV2", name, seed, [7, 5], 1, from_key)
for seed in SEEDS:
    line("StatelessRandomGetKeyCounter", "u64", seed, [], 1, lambda a, b: tf.concat(
        stateless_v2.stateless_random_get_key_counter(tf.constant([a, b], tf.int64)), 0))
