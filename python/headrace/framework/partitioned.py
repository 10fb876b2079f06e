"""Partitioned variables: one variable in several parts, which may lie on several servers."""

import functools
import inspect
import math

from . import dtypes
from .convert import convert_to_tensor
from .graph import get_default_graph
from .op_library import apply_op
from .shape import TensorShape, as_shape
from .variables import group
from ..ops import math as math_ops


class PartitionInfo:
    """What an initializer is told of the part that it makes: the whole's shape, and where the part begins."""

    def __init__(self, full_shape, var_offset):
        self.full_shape, self.var_offset = list(full_shape), list(var_offset)


class PartitionedVariable:
    """The parts of a variable, in order along one axis. As a tensor it is their concatenation.

    Savers keep the parts under the whole's name: a checkpoint does not depend on their number.
    """

    def __init__(self, name, shape, dtype, variable_list, partitions):
        self._name, self._shape, self._dtype = name, as_shape(shape), dtypes.as_dtype(dtype)
        self._variable_list, self._partitions = list(variable_list), list(partitions)

    @property
    def name(self):
        return self._name

    @property
    def dtype(self):
        return self._dtype

    @property
    def shape(self):
        return self._shape

    def get_shape(self):
        return self._shape

    @property
    def graph(self):
        return self._variable_list[0].graph

    @property
    def op(self):
        return self._variable_list[0].op

    @property
    def _axis(self):
        return next((axis for axis, parts in enumerate(self._partitions) if parts > 1), 0)

    def _get_variable_list(self):
        return list(self._variable_list)

    def _get_partitions(self):
        return list(self._partitions)

    def __iter__(self):
        return iter(self._variable_list)

    def __getitem__(self, key):
        return self._as_tensor()[key]

    def __len__(self):
        return len(self._variable_list)

    def as_tensor(self):
        """All parts, joined."""
        return self._as_tensor()

    def _as_tensor(self, dtype=None, name=None):
        if dtype is not None and dtype.base_dtype is not self._dtype:
            raise ValueError(f"Incompatible type conversion requested to type '{dtypes.as_dtype(dtype).name}' for variable of "
                             f"type '{self._dtype.name}'")
        parts = [part._as_tensor() for part in self._variable_list]
        graph = get_default_graph()
        with graph.name_scope(f"{self._name}/ConcatPartitions/"):
            if len(parts) == 1:
                return apply_op("Identity", parts[0])
            return apply_op("ConcatV2", parts, self._axis)

    def _as_graph_element(self):
        with self.graph.as_default():
            return self._as_tensor()

    def eval(self, session=None):
        return self._as_graph_element().eval(session=session)

    @property
    def initializer(self):
        """One operation that initializes all parts."""
        with self.graph.as_default():
            return group(*[part.initializer for part in self._variable_list])

    def _apply(self, method, value, name, read_value):
        """The assignments of the slices of `value` to the parts."""
        if isinstance(value, PartitionedVariable):
            slices = list(value)
        elif len(self._variable_list) == 1:
            slices = [value]
        else:
            sizes = [part.shape._dims[self._axis] for part in self._variable_list]
            slices = apply_op("SplitV", convert_to_tensor(value, self._dtype), sizes, self._axis, num_split=len(sizes))
        assigned = [getattr(part, method)(piece, name=name, read_value=read_value)
                    for part, piece in zip(self._variable_list, slices)]
        return assigned if read_value else [getattr(item, "op", item) for item in assigned]

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Sets all parts when it runs: a list of one result for each."""
        return self._apply("assign", value, name, read_value)

    def assign_add(self, value, use_locking=False, name=None, read_value=True):
        return self._apply("assign_add", value, name, read_value)

    def assign_sub(self, value, use_locking=False, name=None, read_value=True):
        return self._apply("assign_sub", value, name, read_value)

    def __repr__(self):
        return f"<tf.PartitionedVariable '{self._name}' shape={self._shape} dtype={self._dtype.name} parts={len(self)}>"


math_ops.take_operators(PartitionedVariable)


def get_partitioned(getter, store, name, partitioner, shape=None, initializer=None, dtype=dtypes.float32, reuse=None,
                    **options):
    """The PartitionedVariable `name`, made of parts `name`/part_0, ... that `getter` makes or finds."""
    initial = None if initializer is None or callable(initializer) else convert_to_tensor(initializer, dtype)
    full = as_shape(shape if initial is None else initial.shape if shape is None else shape)
    if initial is not None:
        full = full.merge_with(initial.shape)
    if not full.is_fully_defined():
        raise ValueError(f"Shape of a new partitioned variable ({name}) must be fully defined, but instead was {full}.")
    dtype = dtypes.as_dtype(dtype).base_dtype
    known = store.partitioned.get(name)
    if known is not None and reuse:
        if shape is not None and not full.is_compatible_with(known.shape):
            raise ValueError(f"Trying to reuse partitioned variable {name}, but specified shape {full} and found shape "
                             f"{known.shape}.")
        if dtype is not known.dtype:
            raise ValueError(f"Trying to reuse partitioned variable {name}, but specified dtype {dtype.name} and found dtype "
                             f"{known.dtype.name}.")
        return known
    if name in store.variables:
        raise ValueError(f"A partitioner was provided, but an unpartitioned version of the variable was found: {name}. "
                         "Perhaps a variable of the same name was already created without partitioning?")
    partitions = _partitions(partitioner, full, dtype, name)
    parts = []
    for offset, extent in _slices(full.as_list(), partitions):
        info = PartitionInfo(full.as_list(), offset)
        if initial is not None:
            made, part_shape = apply_op("Slice", initial, offset, extent), None
        else:
            made, part_shape = _with_info(initializer, info), extent
        parts.append(getter(f"{name}/part_{len(parts)}", shape=part_shape, initializer=made, dtype=dtype, reuse=reuse,
                            slice_info=(name, full.as_list(), offset), **options))
    whole = store.partitioned[name] = PartitionedVariable(name, full, dtype, parts, partitions)
    return whole


def _partitions(partitioner, shape, dtype, name):
    partitions = partitioner(shape=shape, dtype=dtype)
    if not isinstance(partitions, (list, tuple)):
        raise ValueError(f"Partitioner must return a sequence, but saw: {partitions}")
    if len(partitions) != shape.rank:
        raise ValueError(f"Partitioner returned a partition list that does not match the Variable's rank: {partitions} vs. "
                         f"{shape}")
    if any(parts < 1 for parts in partitions):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {partitions}")
    if sum(parts > 1 for parts in partitions) > 1:
        raise ValueError(f"Can only slice a variable along one dimension: variable {name}, partitions {partitions}")
    return list(partitions)


def _slices(shape, partitions):
    """[(offset, extents)] of the parts: the first ones have one more where it does not come out even."""
    axis = next((axis for axis, parts in enumerate(partitions) if parts > 1), 0)
    count = partitions[axis]
    per, extra = divmod(shape[axis], count)
    begin = 0
    for part in range(count):
        offset, extent = [0] * len(shape), list(shape)
        offset[axis], extent[axis] = begin, per + (part < extra)
        begin += extent[axis]
        yield offset, extent


def _with_info(initializer, info):
    if initializer is None:
        # The default initializer scales with the whole's size.
        from ..ops.initializers import glorot_uniform_initializer, zeros_initializer

        def default(shape, dtype=None):
            if dtype.is_floating:
                return glorot_uniform_initializer()(shape, dtype, info)
            return zeros_initializer()(shape, dtype)

        return default
    if isinstance(initializer, type):
        initializer = initializer()
    if "partition_info" in inspect.signature(initializer).parameters:
        return functools.partial(initializer, partition_info=info)
    return initializer


def fixed_size_partitioner(num_shards, axis=0):
    """A partitioner that always makes `num_shards` parts along an axis."""
    def partition(shape, **ignored):
        partitions = [1] * len(shape)
        partitions[axis] = min(num_shards, TensorShape(shape)._dims[axis])
        return partitions

    return partition


def variable_axis_size_partitioner(max_shard_bytes, axis=0, bytes_per_string_element=16, max_shards=None):
    """A partitioner that makes parts along an axis of at most `max_shard_bytes` each, and at most `max_shards`."""
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError("Both max_shard_bytes and bytes_per_string_element must be positive, got "
                         f"{max_shard_bytes} and {bytes_per_string_element}")
    if max_shards and max_shards < 1:
        raise ValueError(f"max_shards must be positive, got {max_shards}.")

    def partition(shape, dtype):
        shape, dtype = TensorShape(shape), dtypes.as_dtype(dtype)
        if not shape.is_fully_defined():
            raise ValueError(f"shape must be fully defined, got {shape}")
        element = bytes_per_string_element if dtype is dtypes.string else dtype.size
        partitions = [1] * shape.rank
        extent = shape._dims[axis]
        slice_bytes = shape.num_elements() // extent * element if extent else 0
        if not slice_bytes:
            return partitions
        per_shard = max(1, max_shard_bytes // slice_bytes)
        shards = math.ceil(extent / per_shard)
        partitions[axis] = min(shards, max_shards) if max_shards else shards
        return partitions

    return partition


def min_max_variable_partitioner(max_partitions=1, axis=0, min_slice_size=256 << 10, bytes_per_string_element=16):
    """A partitioner that makes parts of `min_slice_size` bytes, or of more where that would be above `max_partitions`."""
    def partition(shape, dtype):
        shape, dtype = TensorShape(shape), dtypes.as_dtype(dtype)
        if not shape.is_fully_defined():
            raise ValueError(f"The partitioner needs a fully defined shape, got {shape}")
        if axis >= shape.rank:
            raise ValueError(f"Cannot partition variable along axis {axis} when shape is only {shape}")
        element = bytes_per_string_element if dtype is dtypes.string else dtype.size
        pieces = -(-shape.num_elements() * element // min_slice_size)
        partitions = [1] * shape.rank
        partitions[axis] = max(1, min(shape._dims[axis], max_partitions, pieces))
        return partitions

    return partition
