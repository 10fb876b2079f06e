"""tf.data.experimental: transformations for Dataset.apply."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import constant_value, convert_to_tensor
from ..framework.op_library import apply_op
from ..ops import array
from . import structure
from .dataset import (AUTOTUNE, Dataset, TextLineDataset, TFRecordDataset,  # noqa: F401 - AUTOTUNE is surface
                      _int64, _names, _seeds)
from .readers import make_batched_features_dataset, make_csv_dataset, parse_example_dataset  # noqa: F401 - surface
from .structure import Spec

INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -2


def cardinality(dataset):
    """How many elements there are, as far as that can be told without making them: a number, or one of the constants."""
    return apply_op("DatasetCardinality", dataset._variant)


def get_single_element(dataset):
    """The only element. The step fails where there is none, or more than one."""
    outputs = apply_op("DatasetToSingleElement", dataset._variant, **structure.attrs_of(dataset._specs))
    return structure.from_native(dataset._specs, outputs)


def shuffle_and_repeat(buffer_size, count=None, seed=None):
    """shuffle(buffer_size, seed).repeat(count), with no pause between the rounds."""
    def apply(dataset):
        seed1, seed2 = _seeds(seed)
        return dataset._stage("ShuffleAndRepeatDataset", _int64(buffer_size), seed1, seed2,
                              np.int64(-1 if count is None else count))

    return apply


def map_and_batch(map_func, batch_size, num_parallel_batches=None, drop_remainder=False, num_parallel_calls=None):
    """map(map_func).batch(batch_size)."""
    calls = num_parallel_calls or (num_parallel_batches or 1) * (batch_size if isinstance(batch_size, int) else 1)
    return lambda dataset: dataset.map(map_func, calls).batch(batch_size, drop_remainder)


def parallel_interleave(map_func, cycle_length, block_length=1, sloppy=False, buffer_output_elements=None,
                        prefetch_input_elements=None):
    """interleave(map_func, cycle_length, block_length), read in parallel."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length, num_parallel_calls=cycle_length)


def prefetch_to_device(device, buffer_size=None):
    """prefetch(buffer_size): the only device is the CPU."""
    return lambda dataset: dataset.prefetch(buffer_size)


def copy_to_device(target_device, source_device="/cpu:0"):
    return lambda dataset: dataset


def group_by_window(key_func, reduce_func, window_size=None, window_size_func=None):
    """Dataset.group_by_window with these arguments."""
    return lambda dataset: dataset.group_by_window(key_func, reduce_func, window_size, window_size_func)


def bucket_by_sequence_length(element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes=None,
                              padding_values=None, pad_to_bucket_boundary=False, no_padding=False, drop_remainder=False):
    """Dataset.bucket_by_sequence_length with these arguments."""
    return lambda dataset: dataset.bucket_by_sequence_length(element_length_func, bucket_boundaries, bucket_batch_sizes,
                                                             padded_shapes, padding_values, pad_to_bucket_boundary,
                                                             no_padding, drop_remainder)


def unique():
    """Each element the first time that it comes."""
    return lambda dataset: dataset.unique()


def unbatch():
    return lambda dataset: dataset.unbatch()


def enumerate_dataset(start=0):
    return lambda dataset: dataset.enumerate(start)


def ignore_errors(log_warning=False):
    """Without the elements that fail."""
    return lambda dataset: dataset._stage("IgnoreErrorsDataset", log_warning=log_warning)


def take_while(predicate):
    """The elements before the first for which `predicate` is false."""
    return lambda dataset: dataset.take_while(predicate)


def scan(initial_state, scan_func):
    """The outputs of (state, output) = scan_func(state, element)."""
    return lambda dataset: dataset.scan(initial_state, scan_func)


def rejection_resample(class_func, target_dist, initial_dist=None, seed=None):
    """(class, element) for some of the elements, such that the classes have about the frequencies `target_dist`."""
    return lambda dataset: dataset.rejection_resample(class_func, target_dist, initial_dist, seed)


def choose_from_datasets(datasets, choice_dataset):
    """From each of `choice_dataset`'s numbers: the next element of the dataset with this number."""
    if choice_dataset.output_types is not dtypes.int64:
        raise TypeError("`choice_dataset` must be a dataset of scalar `tf.int64` tensors.")
    specs = datasets[0]._specs
    for other in datasets[1:]:
        specs = structure.most_specific_common(specs, other._specs)
    return Dataset(apply_op("DirectedInterleaveDataset", choice_dataset._variant, [d._variant for d in datasets],
                            **structure.attrs_of(specs)), specs)


def sample_from_datasets(datasets, weights=None, seed=None):
    """Elements of the datasets by chance, with these probabilities."""
    if weights is None:
        weights = [1.0 / len(datasets)] * len(datasets)
    weights = convert_to_tensor(weights)
    if weights.shape.rank != 1 or not weights.shape.is_compatible_with([len(datasets)]):
        raise ValueError("`weights` must be a vector of length `len(datasets)`.")
    known = constant_value(weights)
    if known is not None and not known.all() and known.any():
        # What is never chosen never ends, and so would keep the others from ending.
        kept = [i for i, weight in enumerate(known) if weight]
        datasets, weights = [datasets[i] for i in kept], convert_to_tensor(known[kept])
    logits = [apply_op("Log", weights)]
    choices = Counter().map(lambda _: apply_op("Multinomial", logits, 1, seed=seed or 0, seed2=0)[0, 0])
    return choose_from_datasets(datasets, choices)


def Counter(start=0, step=1, dtype=dtypes.int64):  # noqa: N802 - TensorFlow's name
    """start, start + step, ... without end."""
    numbers = Dataset.range(start, np.iinfo(np.int64).max if step > 0 else np.iinfo(np.int64).min, step)
    return numbers if dtypes.as_dtype(dtype) is dtypes.int64 else numbers.map(lambda n: apply_op("Cast", n, DstT=dtype))


class RandomDataset(Dataset):
    """Random int64 numbers below 2^32, without end."""

    def __init__(self, seed=None):
        specs = Spec(dtypes.int64, [])
        super().__init__(apply_op("RandomDataset", *_seeds(seed), **structure.attrs_of(specs)), specs)


class CsvDataset(Dataset):
    """The records of CSV files, line by line: a tuple with a value for each of `record_defaults`."""

    def __init__(self, filenames, record_defaults, compression_type=None, buffer_size=None, header=False, field_delim=",",
                 use_quote_delim=True, na_value="", select_cols=None):
        from ..parsing import decode_csv
        defaults = [[] if isinstance(d, dtypes.DType) else d for d in record_defaults]
        kinds = [d if isinstance(d, dtypes.DType) else None for d in record_defaults]
        defaults = [d if k is None else convert_to_tensor(d, k) for d, k in zip(defaults, kinds)]

        def parse(line):
            return tuple(decode_csv(line, defaults, field_delim, use_quote_delim, na_value=na_value, select_cols=select_cols))

        files = Dataset.from_tensor_slices(array.reshape(_names(filenames), [-1]))
        lines = files.flat_map(
            lambda name: TextLineDataset(name, compression_type, buffer_size).skip(1 if header else 0))
        parsed = lines.map(parse)
        super().__init__(parsed._variant, parsed._specs)
