"""Windows of elements with one key, batches of elements of about one length, and elements so that classes are as frequent as asked."""

import numpy as np

from ..framework import dtypes, nest
from ..framework.convert import convert_to_tensor
from ..framework.graph import control_dependencies
from ..framework.op_library import apply_op
from ..framework.shape import as_shape
from ..ops import array, math
from ..ops.check import assert_less
from ..ops.random import random_uniform
from .dataset import Dataset, TracedFunction, _shapes_like
from .structure import DatasetSpec, Spec

_NUMBER = Spec(dtypes.int64, [])


def _number(function, specs, name):
    """The traced function; ValueError unless it gives one int64."""
    traced = TracedFunction(lambda *element: convert_to_tensor(function(*element), dtypes.int64), specs, name)
    given = nest.flatten(traced.specs)[0]
    if not given.shape.is_compatible_with([]):
        raise ValueError(f"Invalid `{name}`. `{name}` must return a single `tf.int64` scalar tensor but its return type is {given}.")
    return traced


def group_by_window(dataset, key_func, reduce_func, window_size=None, window_size_func=None):
    """What Dataset.group_by_window does."""
    if (window_size is None) == (window_size_func is None):
        raise ValueError("Either the `window_size` argument or the `window_size_func` argument must be specified.")
    if window_size_func is None:
        def window_size_func(_):
            return window_size
    key = _number(key_func, dataset._specs, "key_func")
    size = _number(window_size_func, _NUMBER, "window_size_func")
    reduce = TracedFunction(reduce_func, (_NUMBER, DatasetSpec(dataset._specs)), "reduce_func")
    if not isinstance(reduce.returned, Dataset):
        raise TypeError("Invalid `reduce_func`. `reduce_func` must return a single `tf.data.Dataset` object but its return type is "
                        f"{type(reduce.returned).__name__}.")
    return dataset._stage("GroupByWindowDataset", key.captures, reduce.captures, size.captures, key_func=key.name,
                          reduce_func=reduce.name, window_size_func=size.name, specs=reduce.returned._specs)


def bucket_by_sequence_length(dataset, element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes,
                              padding_values, pad_to_bucket_boundary, no_padding, drop_remainder):
    """What Dataset.bucket_by_sequence_length does."""
    if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
        raise ValueError("`len(bucket_batch_sizes)` must equal `len(bucket_boundaries) + 1` but "
                         f"`len(bucket_batch_sizes)={len(bucket_batch_sizes)}` and "
                         f"`len(bucket_boundaries)={len(bucket_boundaries)}`.")
    boundaries, sizes = np.array(bucket_boundaries, np.int64), np.array(bucket_batch_sizes, np.int64)

    def bucket(*element):
        length = convert_to_tensor(element_length_func(*element))
        reached = apply_op("GreaterEqual", apply_op("Cast", length, DstT=dtypes.int64), boundaries)
        return apply_op("Sum", apply_op("Cast", reached, DstT=dtypes.int64), np.arange(1, dtype=np.int32))

    def size_of(bucket_id):
        return convert_to_tensor(sizes)[bucket_id]

    def longest_of(bucket_id):
        check = assert_less(bucket_id, np.int64(len(boundaries)), message="When pad_to_bucket_boundary=True, elements must have "
                            "length < max(bucket_boundaries).")
        with control_dependencies([check]):
            return convert_to_tensor(boundaries)[bucket_id] - 1

    def batches(bucket_id, window):
        if no_padding:
            return window.batch(size_of(bucket_id), drop_remainder)
        unknown = longest_of(bucket_id) if pad_to_bucket_boundary else None
        given = [spec.shape for spec in nest.flatten(window._specs)]
        if padded_shapes is not None:
            given = [as_shape(shape) for shape in _shapes_like(window._specs, padded_shapes)]
        shapes = [[unknown if extent is None else extent for extent in shape.as_list()] for shape in given]
        return window.padded_batch(size_of(bucket_id), nest.pack(window._specs, shapes), padding_values, drop_remainder)

    return group_by_window(dataset, bucket, batches, window_size_func=size_of)


_SEEN_BEFORE = 10  # of each class, before any element: estimates of frequencies begin even


def rejection_resample(dataset, class_func, target_dist, initial_dist, seed):
    """What Dataset.rejection_resample does."""
    target = math.cast(convert_to_tensor(target_dist), dtypes.float32)
    num_classes = target.shape[0]
    frequencies = None if initial_dist is None else math.cast(convert_to_tensor(initial_dist), dtypes.float32)

    def with_class(*element):
        return class_func(*element), element if type(dataset._specs) is tuple else element[0]

    def with_chance(seen, classed):
        class_value, data = classed
        seen = seen + array.one_hot(class_value, num_classes, dtype=dtypes.int64)
        found = frequencies
        if found is None:
            found = math.cast(seen, dtypes.float32) / math.cast(math.reduce_sum(seen), dtypes.float32)
        wanted = target / math.maximum(found, np.finfo(np.float32).tiny)
        return seen, (class_value, data, array.gather(wanted / math.reduce_max(wanted), class_value))

    chances = dataset.map(with_class).scan(np.full(num_classes, _SEEN_BEFORE, np.int64), with_chance)
    taken = chances.filter(lambda class_value, data, chance: random_uniform([], seed=seed) < chance)
    return taken.map(lambda class_value, data, chance: (class_value, data))
