"""Compares the io ops with TensorFlow's: the same graphs run in this process and, through TensorFlow's client, on a Headrace server.

Checks Example parsing at random shapes, values and defaults, CSV and raw decoding, numbers, hashes and patterns; that each side reads
the checkpoints that the other writes, partitioned and merged ones too; and that errors have the same text.
Usage: python io_ops.py [--binary build/release/headrace] [--seed N]     (needs tensorflow)
"""
import argparse
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
ROOT = pathlib.Path(__file__).resolve().parents[2]
DTYPES = {"float": tf.float32, "int64": tf.int64, "bytes": tf.string}


class Server:
    """A Headrace server with one task, on a free port."""

    def __init__(self, binary):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        cluster = json.dumps({"worker": [f"127.0.0.1:{port}"]})
        self.process = subprocess.Popen([binary, "server", "--cluster", cluster, "--job", "worker", "--task", "0"],
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()  # "... serves on ..."
        self.target = f"grpc://127.0.0.1:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def run(target, build):
    """The values of the tensors that build() makes, or the error's text."""
    with tf.Graph().as_default(), tf.Session(target) as session:
        try:
            return session.run(build())
        except (tf.errors.OpError, ValueError) as error:
            return type(error).__name__ + ": " + str(getattr(error, "message", error))


def sentence(text):
    """What TensorFlow's error says, up to where the details begin."""
    said = re.search(r"\n([^\n]*)\n\s*\[\[\{\{node", text)
    return (said[1] if said else text).split(".  ")[0][:38]


def compare(title, server, build):
    expected, actual = run("", build), run(server.target, build)
    if isinstance(expected, str) or isinstance(actual, str):
        both = isinstance(expected, str) and isinstance(actual, str)
        if not both or expected.split(":")[0] != actual.split(":")[0] or sentence(expected) not in actual:
            raise SystemExit(f"{title}:\nTensorFlow: {expected if both else type(expected)}\nHeadrace: {str(actual)[:800]}")
        return
    for a, b in zip(tf.nest.flatten(expected), tf.nest.flatten(actual), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            raise SystemExit(f"{title}: TensorFlow: {a!r}\nHeadrace: {b!r}")


def values(random, kind, count):
    if kind == "float":
        return random.standard_normal(count).astype(np.float32).tolist()
    if kind == "int64":
        return random.integers(-2**40, 2**40, count).tolist()
    return [bytes(random.integers(0, 256, random.integers(0, 20), np.uint8)) for _ in range(count)]


def example(features):
    message = tf.train.Example()
    for name, kind, items in features:
        feature = message.features.feature[name]
        if kind is not None:
            getattr(feature, f"{kind}_list").value.extend(items)
    return message.SerializeToString()


def parse_case(random):
    """Features to ask for, and a batch of examples that mostly have them."""
    kinds = list(DTYPES)
    wanted = []
    for i in range(random.integers(1, 8)):
        form = ["fixed", "fixed", "padded", "sparse", "ragged"][random.integers(0, 5)]
        shape = random.integers(1, 3, random.integers(0, 3)).tolist()
        wanted.append((f"feature_{i}" * random.integers(1, 3), form, kinds[random.integers(0, 3)], shape, bool(random.integers(0, 4))))
    batch = []
    for _ in range(random.integers(0, 6)):
        features = []
        for name, form, kind, shape, has_default in wanted:
            size = int(np.prod(shape, dtype=int))
            if form != "fixed":
                size *= random.integers(0, 4) if form == "padded" else 1
                size = size if form == "padded" else random.integers(0, 4)
            absent = random.integers(0, 6) == 0 and (has_default or form != "fixed")
            other = random.integers(0, 150) == 0
            if not absent:
                kind = kinds[random.integers(0, 3)] if other else kind
                features.append((name, None if random.integers(0, 40) == 0 else kind, values(random, kind, size)))
        features += [(f"unused_{i}", "int64", [i]) for i in range(random.integers(0, 3))]
        random.shuffle(features)
        batch.append(example(features))
    return wanted, batch


def defaults(random, wanted):
    constants = []
    for _, form, kind, shape, has_default in wanted:
        if form == "padded":
            constants.append(tf.constant(values(random, kind, 1)[0], DTYPES[kind]))
        elif has_default:
            size = int(np.prod(shape, dtype=int))
            constants.append(tf.reshape(tf.constant(values(random, kind, size), DTYPES[kind]), shape))
        else:
            constants.append(tf.constant([], DTYPES[kind]))
    return constants


def check_parsing(server, seed):
    for case in range(60):
        random = np.random.default_rng([seed, case])
        wanted, batch = parse_case(random)
        dense = [w for w in wanted if w[1] in ("fixed", "padded")]
        sparse, ragged = [w for w in wanted if w[1] == "sparse"], [w for w in wanted if w[1] == "ragged"]
        shapes = [[None] + w[3] if w[1] == "padded" else w[3] for w in dense]
        scalar = case % 3 == 0 and batch
        serialized = batch[0] if scalar else np.array(batch, object)

        def build_v2():
            return tuple(tf.raw_ops.ParseExampleV2(
                serialized=tf.constant(serialized, tf.string), names=tf.constant([], tf.string),
                sparse_keys=tf.constant([w[0] for w in sparse], tf.string), dense_keys=tf.constant([w[0] for w in dense], tf.string),
                ragged_keys=tf.constant([w[0] for w in ragged], tf.string),
                dense_defaults=defaults(np.random.default_rng(case), dense), num_sparse=len(sparse),
                sparse_types=[DTYPES[w[2]] for w in sparse], ragged_value_types=[DTYPES[w[2]] for w in ragged],
                ragged_split_types=[(tf.int32, tf.int64)[i % 2] for i in range(len(ragged))], dense_shapes=shapes))

        def build_single():
            return tuple(tf.raw_ops.ParseSingleExample(
                serialized=tf.constant(serialized, tf.string), dense_defaults=defaults(np.random.default_rng(case), dense),
                num_sparse=len(sparse), sparse_keys=[w[0] for w in sparse], dense_keys=[w[0] for w in dense],
                sparse_types=[DTYPES[w[2]] for w in sparse], dense_shapes=shapes))

        compare(f"ParseExampleV2, seed {seed}, case {case}", server, build_v2)
        if scalar:
            compare(f"ParseSingleExample, seed {seed}, case {case}", server, build_single)


def check_strings(server):
    numbers = ["1", " +2 ", "0x1p3", "1e400", "-1e-400", "inf", "-Infinity", "NaN", ".5", "5.", "1e5", "", "x", "+-1", "0x", "1_0",
               "16777217", "123456789012345678", "9223372036854775807", "9223372036854775808", "-0", "1e", "--1", "infi", "1 2"]
    for text in numbers:
        for dtype in tf.float32, tf.float64, tf.int32, tf.int64:
            compare(f"StringToNumber {text!r} {dtype.name}", server, lambda: tf.strings.to_number([text], dtype))
    texts = [b"", b"a", b"\x00\xff" * 7, b"word " * 20, b"x" * 100]
    compare("StringToHashBucketFast", server, lambda: tf.strings.to_hash_bucket_fast(texts, 2**40 + 1))
    compare("RegexFullMatch", server, lambda: tf.strings.regex_full_match(["ab", "abc", ""], tf.constant("a.c|b?")))
    for dtype in tf.uint8, tf.int16, tf.float32, tf.complex64:
        for little in True, False:
            compare(f"DecodeRaw {dtype.name}", server, lambda: tf.io.decode_raw([b"0123456789abcdef"] * 2, dtype, little_endian=little))
    for records in (["1,2.5,x", '"3",,"a""b,c"'], ["1,2"], ["1,q,x"], ["1,,"], ['1,2,"x'], ['1,2,"x"y'], ['1,2,x"y'], ["\n1,2,x"], [" 1 , 2 , x "]):
        compare(f"DecodeCSV {records}", server, lambda: tf.io.decode_csv(records, [[0], [7.0], ["d"]]))
    compare("DecodeCSV select", server, lambda: tf.io.decode_csv(["1,2,3", "4,5,NA"], [[0], [8]], select_cols=[0, 2], na_value="NA"))


def save(target, prefix, names, specs, tensors):
    result = run(target, lambda: tf.raw_ops.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=specs,
                                                   tensors=[tf.constant(t) for t in tensors]))
    if isinstance(result, str):
        raise SystemExit(f"SaveV2 on {target or 'TensorFlow'}: {result}")


def check_checkpoints(server, directory):
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    tensors = {"i": np.int64(7), "s": np.array([b"", b"\x00bytes", b"x" * 1000], object), "b": np.array([True, False]),
               "h": np.ones([2, 3], np.float16), "e": np.zeros([0, 4])}
    names = list(tensors) + ["rows", "rows"]
    specs = [""] * len(tensors) + ["6 2 0,4:-", "6 2 4,2:-"]
    parts = list(tensors.values()) + [rows[:4], rows[4:]]
    for writer, reader in ("", server.target), (server.target, ""), (server.target, server.target):
        prefix = f"{directory}/{'t' if writer == '' else 'h'}{'t' if reader == '' else 'h'}"
        save(writer, prefix, names, specs, parts)
        halves = [f"{prefix}_temp/part-0000{i}-of-00002" for i in range(2)]
        for i in range(2):
            save(writer, halves[i], [f"only{i}", "rows"], ["", f"6 2 {3 * i},3:-"], [np.int32(i), rows[3 * i:3 * i + 3]])
        merged = run(writer, lambda: tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=halves, destination_prefix=prefix + "-merged"))
        found = run(reader, lambda: tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=list(tensors) + ["rows", "rows"], shape_and_slices=[""] * len(tensors) + ["", "6 2 1,4:1,1"],
            dtypes=[tf.as_dtype(t.dtype) if t.dtype != object else tf.string for t in tensors.values()] + [tf.float32] * 2))
        both = run(reader, lambda: tf.raw_ops.RestoreV2(prefix=prefix + "-merged", tensor_names=["only0", "only1", "rows"],
                                                        shape_and_slices=[""] * 3, dtypes=[tf.int32, tf.int32, tf.float32]))
        for title, result in (("merge", merged), ("restore", found), ("restore merged", both)):
            if isinstance(result, str):
                raise SystemExit(f"{title}, written by {writer or 'TensorFlow'}, read by {reader or 'TensorFlow'}: {result}")
        wanted = list(tensors.values()) + [rows, rows[1:5, 1:2], np.int32(0), np.int32(1), rows]
        for name, a, b in zip(names + ["slice", "only0", "only1", "rows"], wanted, list(found) + list(both)):
            if not np.array_equal(a, b):
                raise SystemExit(f"{name}, written by {writer or 'TensorFlow'}, read by {reader or 'TensorFlow'}: {b!r}, not {a!r}")
    listed = {name: shape for name, shape in tf.train.list_variables(f"{directory}/ht")}
    if listed["rows"] != [6, 2] or listed["s"] != [3]:
        raise SystemExit(f"list_variables: {listed}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(ROOT / "build/release/headrace"))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with Server(options.binary) as server, tempfile.TemporaryDirectory() as directory:
        check_parsing(server, options.seed)
        check_strings(server)
        check_checkpoints(server, directory)
    print("io_ops: parsing, strings and checkpoints are as TensorFlow's")


if __name__ == "__main__":
    main()
