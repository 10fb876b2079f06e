"""Writes tests/cases/summary/golden.case: summaries as TensorFlow serializes them.

Run: python make_summary_cases.py > ../cases/summary/golden.case (needs tensorflow)."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
SHORT = {"float32": "f32", "float64": "f64", "int64": "i64", "uint8": "u8", "uint16": "u16", "float16": "f16", "object": "str"}


def quoted(text):
    return "'" + "".join(chr(b) if chr(b).isalnum() and b < 128 or b in b"/_." else f"\\x{b:02x}" for b in text) + "'"


def literal(value):
    array = np.array(value)
    if array.dtype.kind in "SUO":
        texts = [quoted(x if isinstance(x, bytes) else x.encode()) for x in np.array(value, object).ravel()]
        return f"str[{','.join(map(str, array.shape))}] = " + " ".join(texts)
    number = str if array.dtype.kind in "iu" else lambda x: np.format_float_positional(x, trim="-")
    return f"{SHORT[array.dtype.name]}[{','.join(map(str, array.shape))}] = {' '.join(number(x) for x in array.ravel())}".rstrip()


def session_run(build):
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(build())


def case(op, title, attrs="", **inputs):
    arguments = {part.split("=")[0]: int(part.split("=")[1]) for part in attrs.split() if part[0] not in "TN"}
    result = session_run(lambda: getattr(tf.raw_ops, op)(**inputs, **arguments))
    print(f"run  {title}")
    if attrs:
        print(f"  attrs {attrs}")
    for key, value in inputs.items():
        for i, one in enumerate(value if key == "inputs" else [value]):
            print(f"  {key}: {literal(one)}")
    print(f"  -> str[] = {quoted(result)}")
    return result


def main():
    print("# Made by tests/golden/make_summary_cases.py: the expected bytes are TensorFlow's.")
    print("\nop ScalarSummary")
    first = case("ScalarSummary", "one", "T=f32", tags="loss", values=np.float32(0.5))
    case("ScalarSummary", "zero is written", "T=f64", tags="loss", values=np.float64(0))
    second = case("ScalarSummary", "as many tags as values", "T=i64", tags=["a", "b"], values=np.array([3, -4], np.int64))
    print("\nop HistogramSummary")
    rng = np.random.default_rng(1)
    third = case("HistogramSummary", "both signs and zero", "T=f32", tag="h",
                 values=np.array([-3, 0, 0, 1e-13, 0.5, 0.5, 7e5, 2e21], np.float32))
    case("HistogramSummary", "normal numbers", "T=f64", tag="h", values=np.round(rng.standard_normal((4, 5)), 3))
    case("HistogramSummary", "integers", "T=i64", tag="h", values=np.arange(-5, 20, dtype=np.int64))
    case("HistogramSummary", "nothing", "T=f32", tag="h", values=np.zeros(0, np.float32))
    print("\nop MergeSummary")
    case("MergeSummary", "values in their order", "N=2", inputs=[first, [second, third]])
    print("\nop TensorSummaryV2")
    metadata = tf.SummaryMetadata(plugin_data=tf.SummaryMetadata.PluginData(plugin_name="text")).SerializeToString()
    case("TensorSummaryV2", "numbers", "T=f32", tag="t", tensor=np.array([[1, 2]], np.float32), serialized_summary_metadata=metadata)
    case("TensorSummaryV2", "texts", "T=str", tag="t", tensor=["ab", "c"], serialized_summary_metadata=b"")
    clips = np.array([[[0.5, -0.25], [1, -1], [2, -2]], [[0, 1e-4], [0.1, 0.2], [0.3, 0.7]]], np.float32)
    print("\nop AudioSummaryV2")
    case("AudioSummaryV2", "one clip of one channel", "max_outputs=1", tag="a", tensor=clips[:, :, 0], sample_rate=np.float32(44100))
    two = case("AudioSummaryV2", "two channels", tag="a", tensor=clips, sample_rate=np.float32(8000))
    # TensorFlow still has a kernel for the op before it, but its client makes no such nodes.
    print("\nop AudioSummary\nrun  two channels\n  attrs sample_rate=8000.0\n  tag: str[] = 'a'")
    print(f"  tensor: {literal(clips)}\n  -> str[] = {quoted(two)}")


if __name__ == "__main__":
    main()
