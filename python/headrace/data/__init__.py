"""tf.data: datasets larger than memory, run by the native engine."""

import importlib as _importlib

from .dataset import Dataset, FixedLengthRecordDataset, Options, TextLineDataset, TFRecordDataset
from .iterator import Iterator, get_output_classes, get_output_shapes, get_output_types, make_initializable_iterator, \
    make_one_shot_iterator


def __getattr__(name):
    if name == "experimental":
        return _importlib.import_module(".experimental", __name__)
    raise AttributeError(f"module 'headrace.data' has no attribute '{name}'")
