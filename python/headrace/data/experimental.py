"""tf.data.experimental: transformations for Dataset.apply."""

import numpy as np

from .dataset import AUTOTUNE, TFRecordDataset, _int64, _seeds  # noqa: F401 - part of this module's surface


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


def unbatch():
    return lambda dataset: dataset.unbatch()


def enumerate_dataset(start=0):
    return lambda dataset: dataset.enumerate(start)


def ignore_errors():
    raise NotImplementedError("tf.data.experimental.ignore_errors is not there")
