"""Lookup tables: from keys to values, in the memory of the device where the table is. tf.lookup and tf.contrib.lookup."""

import collections
import os
import types
import uuid

import numpy as np

from .framework import dtypes
from .framework.convert import convert_to_tensor, is_tensor_like
from .framework.graph import GraphKeys, get_default_graph, name_scope
from .framework.op_library import apply_op
from .framework.variables import group
from .ops import array, math
from .sparse import SparseTensor
from .strings import as_string, string_to_hash_bucket_fast, string_to_hash_bucket_strong


def tables_initializer(name="init_all_tables"):
    """An operation that fills all tables of the default graph."""
    return group(*get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS), name=name)


class TextFileIndex:
    """What of a line of a text file is a key or a value: the line's number, the whole line, or (from 0) a column."""
    WHOLE_LINE = -2
    LINE_NUMBER = -1


class TableInitializerBase:
    """Base of what fills a table."""

    def __init__(self, key_dtype, value_dtype):
        self.key_dtype, self.value_dtype = dtypes.as_dtype(key_dtype), dtypes.as_dtype(value_dtype)

    @property
    def _shared_name(self):
        """The name under which tables with this content may be one: nobody else's, unless it is a file's."""
        return f"hash_table_{uuid.uuid4()}"


class KeyValueTensorInitializer(TableInitializerBase):
    """Fills a table with two tensors, keys and values side by side."""

    def __init__(self, keys, values, key_dtype=None, value_dtype=None, name=None):
        with name_scope(name or "key_value_init") as self._scope:
            self._keys = convert_to_tensor(keys, key_dtype, name="keys")
            self._values = convert_to_tensor(values, value_dtype, name="values")
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table):
        """The operation that fills `table`."""
        op = apply_op("LookupTableImportV2", table.resource_handle, self._keys, self._values, name=self._scope)
        get_default_graph().add_to_collection(GraphKeys.TABLE_INITIALIZERS, op)
        return op


class TextFileInitializer(TableInitializerBase):
    """Fills a table from the lines of a text file: see TextFileIndex for `key_index` and `value_index`."""

    def __init__(self, filename, key_dtype, key_index, value_dtype, value_index, vocab_size=None, delimiter="\t", name=None,
                 value_index_offset=0):
        super().__init__(key_dtype, value_dtype)
        if not is_tensor_like(filename) and not filename:
            raise ValueError("`filename` argument required for tf.lookup.TextFileInitializer")
        for what, index, dtype in (("key", key_index, self.key_dtype), ("value", value_index, self.value_dtype)):
            if index < -2:
                raise ValueError(f"`{what}_index` should be >= -2, received: {index}.")
            if index == TextFileIndex.LINE_NUMBER and dtype is not dtypes.int64:
                raise ValueError(f"`{what}_dtype` must be int64 if `{what}_index` is LINE_NUMBER, received: {dtype.name}")
            if index == TextFileIndex.WHOLE_LINE and dtype.is_floating:
                raise ValueError(f"`{what}_dtype` must be string or integer if `{what}_index` is WHOLE_LINE, received: "
                                 f"{dtype.name}")
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"`vocab_size` should be > 0, received: {vocab_size}")
        self._filename = filename if is_tensor_like(filename) else os.fspath(filename)
        self._options = dict(key_index=key_index, value_index=value_index, delimiter=delimiter, offset=value_index_offset,
                             vocab_size=-1 if vocab_size is None else vocab_size)
        self._name = name or "text_file_init"

    @property
    def _shared_name(self):
        if is_tensor_like(self._filename):
            return super()._shared_name
        options = self._options
        return (f"hash_table_{self._filename}_{options['vocab_size']}_{options['key_index']}_{options['value_index']}_"
                f"{options['delimiter']}_{options['offset']}_{self.key_dtype.name}_{self.value_dtype.name}")

    def initialize(self, table):
        """The operation that fills `table`."""
        graph = get_default_graph()
        with name_scope(self._name):
            filename = convert_to_tensor(self._filename, dtypes.string, name="asset_filepath")
            op = apply_op("InitializeTableFromTextFileV2", table.resource_handle, filename, **self._options)
        graph.add_to_collection(GraphKeys.TABLE_INITIALIZERS, op)
        if filename.op.type == "Const":
            graph.add_to_collection(GraphKeys.ASSET_FILEPATHS, filename)
        return op


class TextFileIdTableInitializer(TextFileInitializer):
    """Each key of a file to its line's number."""

    def __init__(self, filename, key_column_index=TextFileIndex.WHOLE_LINE, value_column_index=TextFileIndex.LINE_NUMBER,
                 vocab_size=None, delimiter="\t", name="text_file_id_table_init", key_dtype=dtypes.string):
        super().__init__(filename, key_dtype, key_column_index, dtypes.int64, value_column_index, vocab_size, delimiter, name)


class TextFileStringTableInitializer(TextFileInitializer):
    """Each line's number to its text."""

    def __init__(self, filename, key_column_index=TextFileIndex.LINE_NUMBER, value_column_index=TextFileIndex.WHOLE_LINE,
                 vocab_size=None, delimiter="\t", name="text_file_string_table_init"):
        super().__init__(filename, dtypes.int64, key_column_index, dtypes.string, value_column_index, vocab_size, delimiter,
                         name)


def _keys_of_type(keys, dtype):
    keys = convert_to_tensor(keys, dtype if not is_tensor_like(keys) else None)
    if keys.dtype.base_dtype is not dtype:
        raise TypeError(f"Dtype of argument `keys` must be {dtype.name}, received: {keys.dtype.name}")
    return keys


class LookupInterface:
    """Base of all tables."""

    def __init__(self, handle, key_dtype, value_dtype, name):
        self._handle, self._name = handle, name
        self.key_dtype, self.value_dtype = dtypes.as_dtype(key_dtype), dtypes.as_dtype(value_dtype)

    @property
    def resource_handle(self):
        return self._handle

    @property
    def name(self):
        return self._name

    @property
    def default_value(self):
        return self._default_value

    def size(self, name=None):
        """The number of entries."""
        with get_default_graph().colocate_with(self._handle.op):
            return apply_op("LookupTableSizeV2", self._handle, name=name or f"{self._name}_Size")

    def lookup(self, keys, name=None):
        """The values of a tensor of keys (or of a SparseTensor's values), the default where a key is not there."""
        if isinstance(keys, SparseTensor):
            return keys.with_values(self.lookup(keys.values, name))
        keys = _keys_of_type(keys, self.key_dtype)
        with get_default_graph().colocate_with(self._handle.op):
            values = apply_op("LookupTableFindV2", self._handle, keys, self._default_value, name=name or f"{self._name}_Lookup")
        if self._default_value.shape.rank == 0:
            values.set_shape(keys.shape)
        return values

    def __getitem__(self, keys):
        return self.lookup(keys)


class StaticHashTable(LookupInterface):
    """A table that its initializer fills once: run `table.initializer` or tf.tables_initializer()."""

    def __init__(self, initializer, default_value, shared_name=None, name=None):
        with name_scope(name or "hash_table") as scope:
            base = scope.rstrip("/")
            handle = apply_op("HashTableV2", shared_name=shared_name or initializer._shared_name,
                              key_dtype=initializer.key_dtype, value_dtype=initializer.value_dtype, name=scope)
            super().__init__(handle, initializer.key_dtype, initializer.value_dtype, base.rsplit("/", 1)[-1])
            self._default_value = convert_to_tensor(default_value, self.value_dtype, name="Const")
        with get_default_graph().colocate_with(handle.op):
            self._initializer = initializer.initialize(self)

    @property
    def initializer(self):
        return self._initializer

    init = initializer

    def export(self, name=None):
        """(keys, values)."""
        return _export(self, name)


HashTable = StaticHashTable


def _export(table, name):
    with get_default_graph().colocate_with(table.resource_handle.op):
        return apply_op("LookupTableExportV2", table.resource_handle, Tkeys=table.key_dtype, Tvalues=table.value_dtype,
                        name=name or f"{table.name}_export_values")


class MutableHashTable(LookupInterface):
    """A table that grows by insert(). Not saved in checkpoints."""

    def __init__(self, key_dtype, value_dtype, default_value, shared_name=None, name="MutableHashTable", checkpoint=False):
        if checkpoint:
            raise NotImplementedError("MutableHashTable(checkpoint=True) is not there: keep the table's content in variables")
        value_dtype = dtypes.as_dtype(value_dtype)
        self._default_value = convert_to_tensor(default_value, value_dtype)
        options = dict(key_dtype=key_dtype, value_dtype=value_dtype, shared_name=shared_name or "",
                       use_node_name_sharing=shared_name is None, name=name)
        if self._default_value.shape.rank == 0:
            handle = apply_op("MutableHashTableV2", **options)
        else:
            handle = apply_op("MutableHashTableOfTensorsV2", value_shape=self._default_value.shape, **options)
        super().__init__(handle, key_dtype, value_dtype, handle.op.name.rsplit("/", 1)[-1])

    def _colocated(self, op_type, *inputs, name):
        with get_default_graph().colocate_with(self._handle.op):
            return apply_op(op_type, self._handle, *inputs, name=name)

    def insert(self, keys, values, name=None):
        """The operation that sets the values of keys."""
        return self._colocated("LookupTableInsertV2", convert_to_tensor(keys, self.key_dtype),
                               convert_to_tensor(values, self.value_dtype), name=name or f"{self._name}_lookup_table_insert")

    def remove(self, keys, name=None):
        """The operation that removes keys."""
        return self._colocated("LookupTableRemoveV2", convert_to_tensor(keys, self.key_dtype),
                               name=name or f"{self._name}_lookup_table_remove")

    def export(self, name=None):
        """(keys, values)."""
        return _export(self, name)


experimental = types.SimpleNamespace(MutableHashTable=MutableHashTable)


class HasherSpec(collections.namedtuple("HasherSpec", ["hasher", "key"])):
    """How keys that are not in the vocabulary are hashed."""


FastHashSpec = HasherSpec("fasthash", None)


class StrongHashSpec(HasherSpec):
    """SipHash with a key of two numbers."""

    def __new__(cls, key):
        if len(key) != 2 or not all(isinstance(part, (int, np.integer)) for part in key):
            raise ValueError(f"`key` must have two integers, received {key}")
        return super().__new__(cls, "stronghash", list(key))


class IdTableWithHashBuckets(LookupInterface):
    """Ids of a table's keys, and hash buckets behind them for all other keys."""

    def __init__(self, table, num_oov_buckets, hasher_spec=FastHashSpec, name=None, key_dtype=None):
        if num_oov_buckets <= 0 and table is None:
            raise ValueError(f"If table is None, then num_oov_buckets must be > 0, received: {num_oov_buckets}")
        if key_dtype is None:
            key_dtype = table.key_dtype if table is not None else dtypes.string
        self._table, self._buckets, self._hasher = table, num_oov_buckets, hasher_spec
        base = (name or (f"{table.name}_{num_oov_buckets}_id_table" if table is not None else "hash_bucket"))
        super().__init__(None if table is None else table.resource_handle, key_dtype, dtypes.int64, base)

    @property
    def initializer(self):
        return self._table.initializer if self._table is not None else group(name="NoOp")

    init = initializer

    @property
    def default_value(self):
        return None if self._table is None else self._table.default_value

    def size(self, name=None):
        known = self._table.size() if self._table is not None else np.int64(0)
        return math.add(known, np.int64(self._buckets), name)

    def _buckets_of(self, keys):
        text = keys if keys.dtype.base_dtype is dtypes.string else as_string(keys)
        if self._hasher.hasher == "fasthash":
            return string_to_hash_bucket_fast(text, self._buckets)
        return string_to_hash_bucket_strong(text, self._buckets, self._hasher.key)

    def lookup(self, keys, name=None):
        """The ids of a tensor of keys (or of a SparseTensor's values)."""
        if isinstance(keys, SparseTensor):
            return keys.with_values(self.lookup(keys.values, name))
        keys = _keys_of_type(keys, self.key_dtype)
        with name_scope(name or f"{self._name}_Lookup"):
            table = self._table
            if table is None:
                return self._buckets_of(keys)
            # Integer tables have int64 keys.
            ids = table.lookup(math.cast(keys, table.key_dtype) if table.key_dtype is not keys.dtype.base_dtype else keys)
            if not self._buckets:
                return ids
            return array.where(math.not_equal(ids, table.default_value), ids, math.add(self._buckets_of(keys), table.size()))


class StaticVocabularyTable(IdTableWithHashBuckets):
    """Ids of an initializer's keys, and hash buckets behind them for all other keys."""

    def __init__(self, initializer, num_oov_buckets, lookup_key_dtype=None, name=None):
        if num_oov_buckets <= 0:
            raise ValueError(f"`num_oov_buckets` must be > 0; use StaticHashTable. Received: {num_oov_buckets}")
        table = None if initializer is None else StaticHashTable(initializer, -1, name=name)
        super().__init__(table, num_oov_buckets, key_dtype=lookup_key_dtype)


def _id_table(initializer, default_value, num_oov_buckets, hasher_spec, name, key_dtype):
    table = StaticHashTable(initializer, default_value, name=name)
    if num_oov_buckets or table.key_dtype is not key_dtype:
        return IdTableWithHashBuckets(table, num_oov_buckets, hasher_spec, key_dtype=key_dtype)
    return table


def index_table_from_tensor(vocabulary_list=None, num_oov_buckets=0, default_value=-1, hasher_spec=FastHashSpec,
                            dtype=dtypes.string, name=None, mapping=None):
    """A table from the elements of a vector to their places; other keys to hash buckets behind them, or `default_value`."""
    vocabulary_list = mapping if vocabulary_list is None else vocabulary_list
    if vocabulary_list is None:
        raise ValueError("`vocabulary_list` must be specified.")
    if num_oov_buckets < 0:
        raise ValueError(f"`num_oov_buckets` must be >= 0, received: {num_oov_buckets}.")
    dtype = dtypes.as_dtype(dtype)
    if dtype is not dtypes.string and not dtype.is_integer:
        raise TypeError(f"Invalid `dtype`: Only string and integer dtypes are supported, received: {dtype.name}")
    with name_scope(name or "string_to_index"):
        keys = convert_to_tensor(vocabulary_list if is_tensor_like(vocabulary_list) else list(vocabulary_list))
        if keys.dtype.is_integer != dtype.is_integer:
            raise ValueError(f"Invalid `dtype`: Expected {'integer' if dtype.is_integer else 'non-integer'}, got "
                             f"{keys.dtype.name}.")
        keys = math.cast(keys, dtypes.int64) if keys.dtype.is_integer else keys
        values = math.range(math.cast(array.size(keys), dtypes.int64), dtype=dtypes.int64)
        return _id_table(KeyValueTensorInitializer(keys, values, name="table_init"), np.int64(default_value), num_oov_buckets,
                         hasher_spec, None, dtype)


def index_table_from_file(vocabulary_file=None, num_oov_buckets=0, vocab_size=None, default_value=-1, hasher_spec=FastHashSpec,
                          key_dtype=dtypes.string, name=None, key_column_index=TextFileIndex.WHOLE_LINE,
                          value_column_index=TextFileIndex.LINE_NUMBER, delimiter="\t"):
    """A table from the lines of a file to their numbers; other keys to hash buckets behind them, or `default_value`."""
    if vocabulary_file is None or isinstance(vocabulary_file, str) and not vocabulary_file:
        raise ValueError("`vocabulary_file` must be specified and must not be empty.")
    if num_oov_buckets < 0:
        raise ValueError(f"`num_oov_buckets` must be >= 0, received: {num_oov_buckets}.")
    if vocab_size is not None and vocab_size < 1:
        raise ValueError(f"`vocab_size` must be >= 1, received: {vocab_size}.")
    key_dtype = dtypes.as_dtype(key_dtype)
    if key_dtype is not dtypes.string and not key_dtype.is_integer:
        raise TypeError(f"Dtype for `keys` should be one of (integer, string), received: {key_dtype.name}")
    with name_scope(name or "string_to_index"):
        stored = dtypes.int64 if key_dtype.is_integer else key_dtype
        initializer = TextFileIdTableInitializer(vocabulary_file, key_column_index, value_column_index, vocab_size, delimiter,
                                                 "table_init", stored)
        return _id_table(initializer, np.int64(default_value), num_oov_buckets, hasher_spec, None, key_dtype)


def index_to_string_table_from_tensor(vocabulary_list=None, default_value="UNK", name=None, mapping=None):
    """A table from places to the elements of a vector of strings."""
    vocabulary_list = mapping if vocabulary_list is None else vocabulary_list
    if vocabulary_list is None:
        raise ValueError("`vocabulary_list` must be specified.")
    with name_scope(name or "index_to_string"):
        values = convert_to_tensor(vocabulary_list, dtypes.string)
        keys = math.range(math.cast(array.size(values), dtypes.int64), dtype=dtypes.int64)
        return StaticHashTable(KeyValueTensorInitializer(keys, values, name="table_init"), default_value)


def index_to_string_table_from_file(vocabulary_file, vocab_size=None, default_value="UNK", name=None,
                                    key_column_index=TextFileIndex.LINE_NUMBER, value_column_index=TextFileIndex.WHOLE_LINE,
                                    delimiter="\t"):
    """A table from line numbers to the lines of a file."""
    if not vocabulary_file:
        raise ValueError("`vocabulary_file` must be specified.")
    with name_scope(name or "index_to_string"):
        initializer = TextFileStringTableInitializer(vocabulary_file, key_column_index, value_column_index, vocab_size,
                                                     delimiter, "table_init")
        return StaticHashTable(initializer, default_value)
