"""What the makers of tests/cases/image share: random images, and cases with TensorFlow's results."""
import numpy as np

from make_summary_cases import SHORT, literal, session_run, tf

RANDOM = np.random.default_rng(7)
SHORT.update({"bfloat16": "bf16", "int32": "i32", "int16": "i16", "int8": "i8"})
BF16 = tf.bfloat16.as_numpy_dtype


def images(dtype, *shape):
    if np.dtype(dtype).kind in "iu":
        return RANDOM.integers(0, 100, shape).astype(dtype)
    return np.round(RANDOM.uniform(-2, 2, shape), 2).astype(dtype)


def numbers(value):
    if value.dtype == BF16:
        return literal(value.astype(np.float32)).replace("f32", "bf16", 1)
    return literal(value)


def run(op, title, attrs=None, tolerance=None, **inputs):
    attrs = attrs or {}
    result = session_run(lambda: getattr(tf.raw_ops, op)(**inputs, **attrs))
    print(f"run  {title}")
    if attrs:
        print("  attrs " + " ".join(f"{key}={str(value).lower()}" for key, value in attrs.items()))
    if tolerance:
        print(f"  tolerance {tolerance}")
    for key, value in inputs.items():
        print(f"  {key}: {numbers(value)}")
    print(f"  -> {numbers(result)}")
