"""Datasets whose elements are collected by a key: windows of a group, batches of sequences of similar length."""

import numpy as np

from ..framework import dtypes, nest
from ..framework.convert import convert_to_tensor
from ..framework.graph import get_default_graph
from ..framework.op_library import apply_op
from .dataset import Dataset, TracedFunction, _shapes_like
from .structure import DatasetSpec, Spec, shapes_of

_NUMBER = Spec(dtypes.int64, [])


def _traced_to_number(function, specs, name):
    """The function traced; ValueError unless it gives an int64 scalar."""
    traced = TracedFunction(lambda *element: convert_to_tensor(function(*element), dtypes.int64), specs, name)
    if not traced.specs.shape.is_compatible_with([]):
        raise ValueError(f"Invalid `{name}`. `{name}` must return a single `tf.int64` scalar tensor but its return type is "
                         f"{traced.specs}.")
    return traced


def group_by_window(dataset, key_func, reduce_func, window_size=None, window_size_func=None):
    """The elements of reduce_func(key, window), for windows of so many elements for which key_func gives the same key."""
    if (window_size is None) == (window_size_func is None):
        raise ValueError("Either the `window_size` argument or the `window_size_func` argument must be specified.")
    key = _traced_to_number(key_func, dataset._specs, "key_func")
    size = _traced_to_number(window_size_func or (lambda _: window_size), _NUMBER, "window_size_func")
    reduced = TracedFunction(reduce_func, (_NUMBER, DatasetSpec(dataset._specs)), "reduce_func")
    if not isinstance(reduced.returned, Dataset):
        raise TypeError("Invalid `reduce_func`. `reduce_func` must return a single `tf.data.Dataset` object but its return "
                        f"type is {type(reduced.returned).__name__}.")
    return dataset._stage("GroupByWindowDataset", key.captures, reduced.captures, size.captures, key_func=key.name,
                          reduce_func=reduced.name, window_size_func=size.name, specs=reduced.returned._specs)


def bucket_by_sequence_length(dataset, element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes=None,
                              padding_values=None, pad_to_bucket_boundary=False, no_padding=False, drop_remainder=False):
    """Padded batches of elements of similar length: bucket i takes lengths below boundary i, the last one all others."""
    if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
        raise ValueError("`len(bucket_batch_sizes)` must equal `len(bucket_boundaries) + 1` but "
                         f"`len(bucket_batch_sizes)={len(bucket_batch_sizes)}` and "
                         f"`len(bucket_boundaries)={len(bucket_boundaries)}`.")

    def bucket_of(*element):
        length = convert_to_tensor(element_length_func(*element))
        passed = apply_op("LessEqual", np.asarray(bucket_boundaries, length.dtype.as_numpy_dtype), length)
        return apply_op("Sum", apply_op("Cast", passed, DstT=dtypes.int64), np.zeros([1], np.int32))

    def batch_size_of(bucket):
        return apply_op("GatherV2", np.asarray(bucket_batch_sizes, np.int64), bucket, np.int32(0))

    def batches(bucket, window):
        if no_padding:
            return window.batch(batch_size_of(bucket), drop_remainder)
        shapes = shapes_of(window._specs) if padded_shapes is None else padded_shapes
        if pad_to_bucket_boundary:
            shapes = _filled(window._specs, shapes, _longest_of(bucket, bucket_boundaries))
        return window.padded_batch(batch_size_of(bucket), shapes, padding_values, drop_remainder)

    return group_by_window(dataset, bucket_of, batches, window_size_func=batch_size_of)


def _longest_of(bucket, boundaries):
    """The largest length in a bucket, which must not be the last one."""
    from ..ops.check import assert_less
    check = assert_less(bucket, np.int64(len(boundaries)),
                        message="When pad_to_bucket_boundary=True, elements must have length < max(bucket_boundaries).")
    with get_default_graph().control_dependencies([check]):
        return apply_op("GatherV2", np.asarray(boundaries, np.int64) - 1, bucket, np.int32(0))


def _filled(specs, shapes, extent):
    """Padded shapes in which `extent` stands for what is not known."""
    filled = [[extent if known is None else known for known in shape.as_list()] for shape in _shapes_like(specs, shapes)]
    return nest.pack(specs, filled)


def unique(dataset):
    """Each element the first time that it comes: int32, int64 or string tensors."""
    for spec in nest.flatten(dataset._specs):
        if spec.dtype not in (dtypes.int32, dtypes.int64, dtypes.string):
            raise TypeError(f"`tf.data.Dataset.unique` does not support type {spec.dtype!r} -- only `tf.int32`, `tf.int64`, and "
                            "`tf.string` are supported.")
    return dataset._stage("UniqueDataset")
