#!/usr/bin/env python3
"""Runs ops with random shapes and dtypes in TensorFlow and on a Headrace server, and compares results and gradients.

Usage: HEADRACE_TARGET=grpc://HOST:PORT op_conformance.py [--seed N] [--rounds N] [--filter REGEX]
Exit code: 0 when all agree, 1 when an op differs, 2 when there is no target.
"""
import argparse
import os
import re
import sys
import zlib

import numpy as np

import image_samples  # noqa: F401 - add their samples to op_samples.ALL
import matrix_samples  # noqa: F401
import nn_samples  # noqa: F401
import op_samples

TOLERANCE = {"float32": 2e-5, "float64": 1e-11, "float16": 4e-3, "bfloat16": 3e-2, "complex64": 2e-5, "complex128": 1e-11}


def import_tensorflow():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow.compat.v1 as tf  # slow, so only once the arguments are read
    tf.disable_eager_execution()
    return tf


def build(tf, sample):
    """Adds the sample's op to the default graph; returns placeholders, and what to fetch: outputs and gradients."""
    feeds = [value if as_constant else tf.placeholder(value.dtype, [None] * value.ndim)
             for value, as_constant in zip(sample.inputs, sample.constants)]
    inputs = [tf.constant(value) if as_constant else feed for feed, value, as_constant in zip(feeds, sample.inputs, sample.constants)]
    outputs = sample.build(tf, inputs)
    outputs = [o for o in (outputs if isinstance(outputs, (list, tuple)) else [outputs]) if isinstance(o, tf.Tensor)]
    fetches = [(f"output {i}", tensor) for i, tensor in enumerate(outputs)]
    floating = [x for x, constant in zip(inputs, sample.constants) if not constant and x.dtype.is_floating]
    targets = [o for o in outputs if o.dtype.is_floating]
    if sample.differentiable and floating and targets:
        gradients = tf.gradients(targets, floating)
        fetches += [(f"gradient {i}", tf.convert_to_tensor(g)) for i, g in enumerate(gradients) if g is not None]
    feed_dict = {feed: value for feed, value, constant in zip(feeds, sample.inputs, sample.constants) if not constant}
    return feed_dict, fetches


def run(tf, graph, target, feed_dict, tensors):
    """Returns (values, error): one of them is None."""
    config = tf.ConfigProto(isolate_session_state=True)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    try:
        with tf.Session(target, graph=graph, config=config) as session:
            return session.run(tensors, feed_dict, options=tf.RunOptions(timeout_in_ms=60000)), None
    except tf.errors.OpError as error:
        return None, error


def difference(name, expected, actual):
    """Says how two arrays differ, or returns None."""
    expected, actual = np.asarray(expected), np.asarray(actual)
    if expected.dtype != actual.dtype or expected.shape != actual.shape:
        return f"{name}: {actual.dtype}{actual.shape}, TensorFlow gives {expected.dtype}{expected.shape}"
    if expected.dtype.name not in TOLERANCE:
        same = np.array_equal(expected, actual)
        return None if same else f"{name}: {actual.ravel()[:8]}, TensorFlow gives {expected.ravel()[:8]}"
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    a, b = expected.astype(wide), actual.astype(wide)
    tolerance = TOLERANCE[expected.dtype.name]
    close = np.isclose(b, a, rtol=tolerance, atol=tolerance * max(1.0, np.nanmax(np.abs(np.where(np.isfinite(a), a, 0)), initial=0.0)),
                       equal_nan=True)
    if close.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~close)[0])
    return f"{name} at {at}: {b[at]}, TensorFlow gives {a[at]}"


def check(tf, target, sample):
    """Returns (status, text) with status 'ok', 'differs' or 'refused' (by TensorFlow)."""
    with tf.Graph().as_default() as graph:
        try:
            feed_dict, fetches = build(tf, sample)
        except (ValueError, TypeError, LookupError, tf.errors.OpError) as error:
            return "refused", str(error).splitlines()[0]
        tensors = [tensor for _, tensor in fetches]
        expected, reference_error = run(tf, graph, "", feed_dict, tensors)
        actual, error = run(tf, graph, target, feed_dict, tensors)
    if reference_error is not None:
        if error is None:
            return ("refused", reference_error.message) if reference_error.code == tf.errors.UNIMPLEMENTED or "No OpKernel" in str(
                reference_error) else ("differs", f"TensorFlow fails: {reference_error.message[:200]}")
        same = type(error) is type(reference_error)
        return ("ok" if same else "differs"), f"error {type(error).__name__}, TensorFlow has {type(reference_error).__name__}"
    if error is not None:
        return "differs", f"{type(error).__name__}: {error.message[:300]}"
    for (name, _), a, b in zip(fetches, expected, actual):
        text = difference(name, a, b)
        if text is not None:
            return "differs", text
    return "ok", ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="random cases for each op and dtype")
    parser.add_argument("--filter", default="", help="only ops whose name this regular expression finds")
    arguments = parser.parse_args()
    target = os.environ.get("HEADRACE_TARGET", "")
    if not target:
        print("op_conformance: set HEADRACE_TARGET=grpc://HOST:PORT", file=sys.stderr)
        return 2
    tf = import_tensorflow()
    failed, refused, checked = [], [], 0
    for op, make in op_samples.ALL:
        if not re.search(arguments.filter, op):
            continue
        texts = []
        for dtype in make.dtypes:
            for number in range(arguments.rounds):
                name = f"{op} {np.dtype(dtype).name if dtype is not None else ''} round {number}".replace("  ", " ")
                random = np.random.default_rng(zlib.crc32(f"{arguments.seed} {name}".encode()))
                status, text = check(tf, target, make(random, dtype))
                checked += 1
                if status == "refused":
                    refused.append(f"{name}: {text[:120]}")
                elif status == "differs":
                    texts.append(f"{name}: {text}")
        print(f"{'ok  ' if not texts else 'FAIL'} {op}", flush=True)
        for text in texts:
            print(f"       {text}", flush=True)
        failed += texts
    for text in refused:
        print(f"refused by TensorFlow: {text}")
    print(f"{checked} cases, {len(failed)} differ, {len(refused)} refused by TensorFlow (seed {arguments.seed})")
    return 1 if failed or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
