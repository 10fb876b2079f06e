"""Datasets of batches out of files: columns of CSV files, features of TFRecord files."""

import collections
import csv
import gzip
import io
import itertools
import zlib

import numpy as np

from ..framework import dtypes
from ..gfile import GFile, Glob
from .dataset import AUTOTUNE, Dataset, TFRecordDataset

_TYPES = (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64, dtypes.string)  # from the narrowest


def _files(file_pattern, shuffle, seed):
    """The names of the files in order, and the dataset of them. Raises ValueError when none matches."""
    patterns = file_pattern if isinstance(file_pattern, (list, tuple)) else [file_pattern]
    names = sorted(name for pattern in patterns for name in Glob(pattern))
    if not names:
        raise ValueError(f"No files match `file_pattern` {file_pattern}.")
    dataset = Dataset.from_tensor_slices(np.asarray(names, dtype=object))
    return names, dataset.shuffle(len(names), seed) if shuffle else dataset


def _rounds(dataset, num_epochs, shuffle, buffer_size, seed):
    from .experimental import shuffle_and_repeat
    if shuffle:
        return dataset.apply(shuffle_and_repeat(buffer_size, num_epochs, seed))
    return dataset if num_epochs == 1 else dataset.repeat(num_epochs)


def _parts(dataset, reader, num_parallel_reads):
    if num_parallel_reads in (None, 1):
        return dataset.interleave(reader, cycle_length=1)
    return dataset.interleave(reader, cycle_length=num_parallel_reads, num_parallel_calls=num_parallel_reads)


def _rows(path, compression_type, encoding, **form):
    """The rows of a CSV file."""
    with GFile(path, "rb") as file:
        if compression_type in ("GZIP", "ZLIB"):
            data = file.read()
            file = io.BytesIO(gzip.decompress(data) if compression_type == "GZIP" else zlib.decompress(data))
        yield from csv.reader((line.decode(encoding) for line in file), **form)


def _fits(text, dtype):
    if dtype is dtypes.string:
        return True
    number = int if dtype.is_integer else float
    try:
        value = number(text)
    except ValueError:
        return False
    return not np.isfinite(value) or number(dtype.min) <= value <= number(dtype.max)


def _inferred_types(rows, columns, na_value):
    """For each column the narrowest type that holds its values; texts where there are none."""
    found = [None] * len(columns)
    for row in rows:
        if len(row) <= max(columns):
            raise ValueError("Problem inferring types: CSV row has different number of fields than expected.")
        for i, column in enumerate(columns):
            if row[column] not in ("", na_value):
                at_least = 0 if found[i] is None else _TYPES.index(found[i])
                found[i] = next(t for t in _TYPES[at_least:] if _fits(row[column], t))
    return [t or dtypes.string for t in found]


def _selected(names, select_columns):
    """The numbers of the columns, ascending. Raises ValueError for one that is not there, or is named twice."""
    if select_columns is None:
        return list(range(len(names)))
    numbers = [names.index(c) if c in names else c for c in select_columns]
    for number in numbers:
        if not isinstance(number, (int, np.integer)) or not 0 <= number < len(names):
            raise ValueError(f"`select_columns` has {number!r}, which is none of the columns {names}.")
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"`select_columns` names a column twice: {select_columns}")
    return sorted(numbers)


def make_csv_dataset(file_pattern, batch_size, column_names=None, column_defaults=None, label_name=None, select_columns=None,
                     field_delim=",", use_quote_delim=True, na_value="", header=True, num_epochs=None, shuffle=True,
                     shuffle_buffer_size=10000, shuffle_seed=None, prefetch_buffer_size=AUTOTUNE, num_parallel_reads=None,
                     sloppy=False, num_rows_for_inference=100, compression_type=None, ignore_errors=False, encoding="utf-8"):
    """Batches of CSV files' columns: {name: vector}, or (that, the label's vector) with `label_name`.

    Names come from the first file's header, types from the values of its first rows, unless they are given. Raises ValueError
    for columns that are not there, and files that do not exist.
    """
    from . import experimental
    names_of_files, files = _files(file_pattern, shuffle, shuffle_seed)
    form = dict(delimiter=field_delim, quoting=csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE)
    first_rows = _rows(names_of_files[0], compression_type, encoding, **form)
    first = next(first_rows, []) if header or column_names is None else None
    if column_names is None:
        if not header:
            raise ValueError("Cannot infer column names without a header line.")
        column_names = first
    column_names = list(column_names)
    if len(set(column_names)) != len(column_names):
        raise ValueError(f"Cannot have duplicate column names: {column_names}")
    columns = _selected(column_names, select_columns)
    kept = [column_names[i] for i in columns]
    if label_name is not None and label_name not in kept:
        raise ValueError(f"`label_name` provided must be one of the columns: {label_name!r}, {kept}")
    if column_defaults is None:
        types = _inferred_types(itertools.islice(first_rows, num_rows_for_inference), columns, na_value)
        column_defaults = [np.array([b""], object) if t is dtypes.string else np.zeros([1], t.as_numpy_dtype) for t in types]
    elif len(column_defaults) == len(column_names) != len(columns):
        column_defaults = [column_defaults[i] for i in columns]
    elif len(column_defaults) != len(columns):
        raise ValueError(f"`column_defaults` has {len(column_defaults)} values for {len(columns)} columns")

    def read(name):
        records = experimental.CsvDataset(name, column_defaults, compression_type, header=header, field_delim=field_delim,
                                          use_quote_delim=use_quote_delim, na_value=na_value,
                                          select_cols=None if select_columns is None else columns)
        return records.apply(experimental.ignore_errors()) if ignore_errors else records

    def named(*values):
        features = collections.OrderedDict(zip(kept, values))
        return features if label_name is None else (features, features.pop(label_name))

    records = _rounds(_parts(files, read, num_parallel_reads), num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
    return records.batch(batch_size, drop_remainder=num_epochs is None).map(named).prefetch(prefetch_buffer_size)


def parse_example_dataset(features, num_parallel_calls=1, deterministic=None):
    """Vectors of serialized examples, parsed as parse_example does."""
    from ..parsing import parse_example
    return lambda dataset: dataset.map(lambda serialized: parse_example(serialized, features), num_parallel_calls)


def make_batched_features_dataset(file_pattern, batch_size, features, reader=None, label_key=None, reader_args=None,
                                  num_epochs=None, shuffle=True, shuffle_buffer_size=10000, shuffle_seed=None,
                                  prefetch_buffer_size=AUTOTUNE, reader_num_threads=None, parser_num_threads=None,
                                  sloppy_ordering=False, drop_final_batch=False):
    """Batches of the features of files' examples: {key: tensor}, or (that, the label's tensor) with `label_key`.

    `reader`: makes a dataset of a file's name; TFRecordDataset. Raises ValueError for a label that is none of the features.
    """
    if label_key is not None and label_key not in features:
        raise ValueError(f"The `label_key` provided ({label_key!r}) must be one of the `features` keys: {sorted(features)}.")
    _, files = _files(file_pattern, shuffle, shuffle_seed)
    make = reader or TFRecordDataset
    records = _parts(files, lambda name: make(name, *(reader_args or [])), reader_num_threads)
    if records.output_types == (dtypes.string, dtypes.string):
        records = records.map(lambda _, value: value)
    records = _rounds(records, num_epochs, shuffle, shuffle_buffer_size, shuffle_seed)
    records = records.batch(batch_size, drop_remainder=drop_final_batch or num_epochs is None)
    parsed = records.apply(parse_example_dataset(features, parser_num_threads or 2))
    if label_key is not None:
        parsed = parsed.map(lambda parts: (parts, parts.pop(label_key)))
    return parsed.prefetch(prefetch_buffer_size)
