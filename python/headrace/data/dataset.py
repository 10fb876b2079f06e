"""Dataset: a stream of elements, each a tensor or a structure of tensors; a chain of native stages."""

import numpy as np

from ..framework import dtypes, nest
from ..framework.convert import constant_value, constant_value_as_shape, convert_to_tensor, is_tensor_like
from ..framework.function_graph import Function, trace
from ..framework.graph import get_default_graph, get_seed
from ..framework.op_library import apply_op
from ..framework.shape import TensorShape, as_shape
from ..ops import array, math
from . import structure
from .structure import Spec

AUTOTUNE = -1


class Options:
    """Settings of a dataset that programs for TensorFlow give; none changes what Headrace does."""

    def __init__(self):
        self.__dict__["_values"] = {}

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._values.setdefault(name, Options())

    def __setattr__(self, name, value):
        self._values[name] = value


def _int64(value):
    return value if is_tensor_like(value) else np.int64(value)


def _seeds(seed):
    seed1, seed2 = get_seed(seed)
    return np.int64(seed1), np.int64(seed2)


class TracedFunction:
    """A Python function of elements as a function of the graph."""

    def __init__(self, function, specs, name):
        flat = nest.flatten(specs)

        def call(*arguments):
            element = structure.from_native(specs, arguments)
            if type(element) is tuple:  # a namedtuple is one argument
                returned = function(*element)
            else:
                returned = function(element)
            return self._prepare(returned)

        graph, results = trace(f"Dataset_{name}", call, [(s.native_dtype, s.native_shape) for s in flat])
        self.function = Function(graph, results)
        self.captures = self.function.captures
        self.name = self.function.name

    def _prepare(self, returned):
        if isinstance(returned, list):
            returned = tuple(returned)
        self.returned = returned
        if isinstance(returned, Dataset):
            return [returned._variant]
        values = structure.as_values(returned)
        self.specs = structure.spec_of(values)
        graph = get_default_graph()
        tensors = structure.to_native(values, self.specs)
        tensors = [graph.capture(t) if t.graph is not graph else t for t in tensors]
        return [apply_op("Identity", t) for t in tensors]


class Dataset(structure.HasElements):
    """A stream of elements. Made by from_tensor_slices and the like; each method gives a new dataset."""

    def __init__(self, variant, specs):
        self._variant = variant
        self._specs = specs

    # --- sources

    @staticmethod
    def from_tensors(tensors):
        """One element."""
        flat, specs = _components(tensors)
        return Dataset(apply_op("TensorDataset", flat, output_shapes=structure.attrs_of(specs)["output_shapes"]), specs)

    @staticmethod
    def from_tensor_slices(tensors):
        """The slices of the tensors along their first axis."""
        flat, specs = _components(tensors, slices=True)
        rows = TensorShape([None])
        for spec in nest.flatten(specs):
            if spec.shape.rank == 0:
                raise ValueError("Unbatching a tensor is only supported for rank >= 1")
            rows = rows.merge_with(spec.shape[:1])  # ValueError where their first extents differ
        specs = structure.without_first(specs)
        return Dataset(apply_op("TensorSliceDataset", flat, output_shapes=structure.attrs_of(specs)["output_shapes"]), specs)

    @staticmethod
    def range(*args):
        """The numbers range(*args), as int64."""
        if not 1 <= len(args) <= 3:
            raise ValueError(f"Invalid `args`. The length of `args` should be between 1 and 3 but was {len(args)}.")
        start, stop, step = {1: (0, *args, 1), 2: (*args, 1)}.get(len(args), args)
        specs = Spec(dtypes.int64, [])
        return Dataset(apply_op("RangeDataset", _int64(start), _int64(stop), _int64(step), **structure.attrs_of(specs)), specs)

    @staticmethod
    def from_generator(generator, output_types, output_shapes=None, args=None):
        """What the iterator that generator(*args) returns yields; each run through the dataset calls it anew.

        It runs in this process only, one element at a time. Lists among the elements are tensors.
        """
        from .generator import from_generator
        return Dataset(*from_generator(generator, output_types, output_shapes, args))

    @staticmethod
    def list_files(file_pattern, shuffle=None, seed=None):
        """The names of the files that match, in random order unless `shuffle` is False."""
        from ..gfile import Glob
        from ..framework import errors
        if is_tensor_like(file_pattern):
            names = apply_op("MatchingFiles", file_pattern)
            dataset = Dataset.from_tensor_slices(names)
        else:
            found = Glob(file_pattern)
            if not found:
                raise errors.InvalidArgumentError(None, None, f"No files matched pattern: {file_pattern}")
            dataset = Dataset.from_tensor_slices(np.asarray(found, dtype=object))
            if shuffle is not False:
                dataset = dataset.shuffle(len(found), seed)
        return dataset

    @staticmethod
    def zip(datasets):
        """Elements of several datasets side by side, in the structure in which they are given; ends with the shortest."""
        if isinstance(datasets, list):
            raise TypeError("Invalid input to `zip`: a structure of datasets is expected; use a `tuple` instead of a `list`.")
        flat = nest.flatten(datasets)
        for dataset in flat:
            if not isinstance(dataset, Dataset):
                raise TypeError(f"The argument to `zip` must be a nested structure of `Dataset` objects, got {dataset!r}")
        specs = nest.pack(datasets, [d._specs for d in flat])
        return Dataset(apply_op("ZipDataset", [d._variant for d in flat], **structure.attrs_of(specs)), specs)

    def _stage(self, op_type, *inputs, specs=None, **attrs):
        specs = self._specs if specs is None else specs
        return Dataset(apply_op(op_type, self._variant, *inputs, **structure.attrs_of(specs), **attrs), specs)

    # --- transformations

    def map(self, map_func, num_parallel_calls=None, deterministic=None):
        """map_func of each element; in parallel with `num_parallel_calls`, in the same order."""
        traced = TracedFunction(map_func, self._specs, "map")
        if num_parallel_calls is None:
            return self._stage("MapDataset", traced.captures, f=traced.name, specs=traced.specs)
        calls = num_parallel_calls if is_tensor_like(num_parallel_calls) else np.int64(num_parallel_calls)
        return self._stage("ParallelMapDatasetV2", traced.captures, calls, f=traced.name, specs=traced.specs)

    def filter(self, predicate):
        """The elements for which `predicate` is true."""
        traced = TracedFunction(predicate, self._specs, "filter")
        _check_predicate(traced)
        return self._stage("FilterDataset", traced.captures, predicate=traced.name)

    def flat_map(self, map_func):
        """The elements of the datasets that map_func makes of each element."""
        traced = self._traced_to_dataset(map_func, "flat_map")
        return self._stage("FlatMapDataset", traced.captures, f=traced.name, specs=traced.returned._specs)

    def interleave(self, map_func, cycle_length=-1, block_length=1, num_parallel_calls=None, deterministic=None):
        """As flat_map, but `cycle_length` datasets at a time, `block_length` elements of each in turn."""
        traced = self._traced_to_dataset(map_func, "interleave")
        cycle = np.int64(2 if cycle_length in (None, -1) else cycle_length)
        block = _int64(block_length)
        if num_parallel_calls is None:
            return self._stage("InterleaveDataset", traced.captures, cycle, block, f=traced.name, specs=traced.returned._specs)
        return self._stage("ParallelInterleaveDatasetV4", traced.captures, cycle, block, np.int64(-1), np.int64(-1),
                           _int64(num_parallel_calls), f=traced.name, specs=traced.returned._specs)

    def _traced_to_dataset(self, map_func, name):
        traced = TracedFunction(map_func, self._specs, name)
        if not isinstance(traced.returned, Dataset):
            raise TypeError(f"`map_func` must return a `Dataset` object, got {type(traced.returned).__name__}")
        return traced

    def batch(self, batch_size, drop_remainder=False):
        """So many elements at a time along a new first axis; the last batch may be smaller unless `drop_remainder`."""
        known = _known_size(batch_size, drop_remainder)
        return self._stage("BatchDatasetV2", _int64(batch_size), drop_remainder,
                           specs=structure.prepended(self._specs, known))

    def padded_batch(self, batch_size, padded_shapes=None, padding_values=None, drop_remainder=False):
        """As batch, after padding each component to a common shape (None or -1: the largest of the batch).

        An extent may be a tensor.
        """
        flat = nest.flatten(self._specs)
        if any(isinstance(s, structure.SparseSpec) for s in flat):
            raise TypeError("Dataset.padded_batch: sparse components cannot be padded; make them dense first")
        if padded_shapes is None:
            shapes = [s.shape for s in flat]
        else:
            shapes = _shapes_like(self._specs, padded_shapes)
        values = [None] * len(flat) if padding_values is None else (
            nest.flatten(padding_values) if nest.is_nested(padding_values) else [padding_values] * len(flat))
        pads = [convert_to_tensor("" if s.dtype is dtypes.string else 0 if v is None else v, s.dtype) if v is None
                else convert_to_tensor(v, s.dtype) for v, s in zip(values, flat)]
        sizes, shapes = zip(*map(_padded_size, shapes))
        for spec, shape in zip(flat, shapes):
            if None not in (spec.shape.rank, shape.rank) and spec.shape.rank != shape.rank:
                raise ValueError(f"The padded shape {shape} is not compatible with the shape {spec.shape} of the corresponding "
                                 "input component.")
        known = _known_size(batch_size, drop_remainder)
        specs = structure.prepended(structure.with_shapes(self._specs, shapes), known)
        result = apply_op("PaddedBatchDatasetV2", self._variant, _int64(batch_size), sizes, pads, drop_remainder,
                          Toutput_types=[s.dtype for s in flat], output_shapes=[s.shape for s in nest.flatten(specs)])
        return Dataset(result, specs)

    def unbatch(self):
        """The slices of each element along its first axis."""
        flat = nest.flatten(self._specs)
        if any(s.shape.rank == 0 for s in flat):
            raise ValueError("Cannot unbatch an input with scalar components.")
        if any(isinstance(s, structure.SparseSpec) for s in flat):
            return self.flat_map(lambda *element: Dataset.from_tensor_slices(element if len(element) > 1 else element[0]))
        return self._stage("UnbatchDataset", specs=structure.without_first(self._specs))

    def shuffle(self, buffer_size, seed=None, reshuffle_each_iteration=None):
        """A random order: each element is drawn from the next `buffer_size`."""
        seed1, seed2 = _seeds(seed)
        again = True if reshuffle_each_iteration is None else reshuffle_each_iteration
        return self._stage("ShuffleDataset", _int64(buffer_size), seed1, seed2, reshuffle_each_iteration=again)

    def repeat(self, count=None):
        """The whole `count` times, or for ever."""
        return self._stage("RepeatDataset", _int64(-1 if count is None else count))

    def take(self, count):
        """At most the first `count` elements."""
        return self._stage("TakeDataset", _int64(count))

    def skip(self, count):
        """Without the first `count` elements."""
        return self._stage("SkipDataset", _int64(count))

    def shard(self, num_shards, index):
        """Every `num_shards`-th element, from number `index` on."""
        if not is_tensor_like(num_shards) and not is_tensor_like(index) and not 0 <= index < num_shards:
            raise ValueError(f"index must be in [0, num_shards), got index={index} num_shards={num_shards}")
        return self._stage("ShardDataset", _int64(num_shards), _int64(index))

    def prefetch(self, buffer_size=AUTOTUNE):
        """Makes elements ahead of their use, up to so many."""
        return self._stage("PrefetchDataset", _int64(-1 if buffer_size is None else buffer_size))

    def concatenate(self, dataset):
        """This one, then the other."""
        if structure.types_of(self._specs) != structure.types_of(dataset._specs):
            raise TypeError(f"Two datasets to concatenate have different types {self.output_types!r} and "
                            f"{dataset.output_types!r}")
        specs = structure.most_specific_common(self._specs, dataset._specs)
        return self._stage("ConcatenateDataset", dataset._variant, specs=specs)

    def cache(self, filename=""):
        """Keeps the elements of the first pass, in memory or in a file, for the following ones."""
        return self._stage("CacheDataset", str(filename))

    def enumerate(self, start=0):
        """(number, element)."""
        return Dataset.zip((Dataset.range(start, np.iinfo(np.int64).max), self))

    def window(self, size, shift=None, stride=1, drop_remainder=False):
        """For each component a dataset of `size` of its values, `stride` apart; the next window begins `shift` further."""
        return self._stage("WindowDataset", _int64(size), _int64(size if shift is None else shift), _int64(stride),
                           drop_remainder, specs=structure.windows_of(self._specs))

    def group_by_window(self, key_func, reduce_func, window_size=None, window_size_func=None):
        """The elements of reduce_func(key, window), for windows of so many elements for which key_func gives the same key."""
        from .grouping import group_by_window
        return group_by_window(self, key_func, reduce_func, window_size, window_size_func)

    def bucket_by_sequence_length(self, element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes=None,
                                  padding_values=None, pad_to_bucket_boundary=False, no_padding=False, drop_remainder=False):
        """Padded batches of elements of similar length: bucket i takes lengths below boundary i, the last one all others."""
        from .grouping import bucket_by_sequence_length
        return bucket_by_sequence_length(self, element_length_func, bucket_boundaries, bucket_batch_sizes, padded_shapes,
                                         padding_values, pad_to_bucket_boundary, no_padding, drop_remainder)

    def unique(self):
        """Each element the first time that it comes: int32, int64 or string tensors."""
        from .grouping import unique
        return unique(self)

    def take_while(self, predicate):
        """The elements before the first for which `predicate` is false."""
        traced = TracedFunction(predicate, self._specs, "take_while")
        _check_predicate(traced)
        return self._stage("TakeWhileDataset", traced.captures, predicate=traced.name)

    def scan(self, initial_state, scan_func):
        """The outputs of (state, output) = scan_func(state, element)."""
        state = structure.as_values(initial_state)
        specs = structure.spec_of(state)
        traced = TracedFunction(scan_func, (specs, self._specs), "scan")
        if not isinstance(traced.specs, tuple) or len(traced.specs) != 2:
            raise TypeError("The scan function must return a pair comprising the new state and the output value.")
        return self._stage("ScanDataset", structure.to_native(state, specs), traced.captures, f=traced.name,
                           specs=traced.specs[1], preserve_cardinality=True)

    def rejection_resample(self, class_func, target_dist, initial_dist=None, seed=None):
        """(class, element) for some of the elements, such that the classes 0, 1, ... have about the frequencies `target_dist`.

        `class_func` gives an element's class; without `initial_dist` the classes' frequencies are estimated as they come.
        """
        from .grouping import rejection_resample
        return rejection_resample(self, class_func, target_dist, initial_dist, seed)

    def reduce(self, initial_state, reduce_func):
        """The last of state = reduce_func(state, element), as tensors."""
        state = structure.as_values(initial_state)
        state_specs = structure.spec_of(state)
        both = (state_specs, self._specs)
        traced = TracedFunction(lambda s, e: reduce_func(s, e), both, "reduce")
        outputs = apply_op("ReduceDataset", self._variant, structure.to_native(state, state_specs), traced.captures,
                           f=traced.name, **structure.attrs_of(traced.specs))
        return structure.from_native(traced.specs, outputs)

    def apply(self, transformation_func):
        """transformation_func(self)."""
        dataset = transformation_func(self)
        if not isinstance(dataset, Dataset):
            raise TypeError(f"`transformation_func` must return a Dataset, got {dataset!r}")
        return dataset

    def with_options(self, options):
        return self

    def options(self):
        return Options()

    # --- iterators

    def make_one_shot_iterator(self):
        """An iterator that needs no initializing; the dataset may not depend on variables or placeholders."""
        from .iterator import make_one_shot_iterator
        return make_one_shot_iterator(self)

    def make_initializable_iterator(self, shared_name=None):
        """An iterator whose `initializer` runs before it is used."""
        from .iterator import make_initializable_iterator
        return make_initializable_iterator(self, shared_name)

    def __iter__(self):
        raise RuntimeError("__iter__() is only supported inside of tf.function or when eager execution is enabled.")

    def __repr__(self):
        return f"<Dataset shapes: {self.output_shapes}, types: {self.output_types}>"


def _check_predicate(traced):
    flat = nest.flatten(traced.specs)
    if len(flat) != 1 or flat[0].dtype is not dtypes.bool_ or not flat[0].shape.is_compatible_with([]):
        raise ValueError("predicate must return a scalar boolean tensor")


def _components(tensors, slices=False):
    values = structure.as_values(tensors)
    specs = structure.spec_of(values)
    return structure.to_native(values, specs, slices), specs


def _known_size(batch_size, drop_remainder):
    """The extent of all batches, or None."""
    if not drop_remainder:
        return None
    size = constant_value(batch_size) if is_tensor_like(batch_size) else batch_size
    return None if size is None else int(size)


def _shapes_like(specs, shapes):
    """Shapes in the structure of the specs; a list of numbers is a shape, and a vector, which may be a tensor."""
    if isinstance(specs, Spec):
        return [shapes if is_tensor_like(shapes) or _has_tensor(shapes) else as_shape(shapes)]
    if isinstance(specs, dict):
        return [s for key in sorted(specs) for s in _shapes_like(specs[key], shapes[key])]
    return [s for spec, shape in zip(specs, shapes) for s in _shapes_like(spec, shape)]


def _has_tensor(shape):
    return isinstance(shape, (list, tuple)) and any(is_tensor_like(extent) for extent in shape)


def _padded_size(shape):
    """The vector of extents for the op, -1 where they are the batch's largest, and what is known of the shape."""
    if is_tensor_like(shape):
        return math.cast(shape, dtypes.int64), constant_value_as_shape(convert_to_tensor(shape))
    if not _has_tensor(shape):
        return np.asarray([-1 if extent is None else extent for extent in shape.as_list()], np.int64), shape
    extents = [np.int64(-1) if extent is None else _int64(extent) for extent in shape]
    return apply_op("Pack", extents), TensorShape([None if is_tensor_like(extent) else extent for extent in shape])


class _FileDataset(Dataset):
    """Base of datasets that read files, one after the other or several at a time."""

    def __init__(self, filenames, num_parallel_reads, source):
        """`source`: the dataset of one file's name, or of a vector of names."""
        if isinstance(filenames, Dataset) or num_parallel_reads is not None:
            if not isinstance(filenames, Dataset):
                filenames = Dataset.from_tensor_slices(array.reshape(_names(filenames), [-1]))
            if filenames.output_types is not dtypes.string or not filenames.output_shapes.is_compatible_with([]):
                raise TypeError("The `filenames` argument must contain `tf.string` elements of shape [] (i.e. scalars), got "
                                f"{filenames!r}")
            if num_parallel_reads is None:
                made = filenames.flat_map(source)
            else:
                made = filenames.interleave(source, cycle_length=num_parallel_reads, num_parallel_calls=num_parallel_reads)
        else:
            made = source(filenames)
        super().__init__(made._variant, made._specs)


def _names(filenames):
    return convert_to_tensor(filenames if is_tensor_like(filenames) else np.asarray(filenames, dtype=object), dtypes.string)


def _file_source(op_type, filenames, *more):
    return Dataset(apply_op(op_type, _names(filenames), *more), Spec(dtypes.string, []))


class TFRecordDataset(_FileDataset):
    """The records of TFRecord files, one file after the other, or `num_parallel_reads` at a time.

    compression_type: "", "ZLIB" or "GZIP".
    """

    def __init__(self, filenames, compression_type=None, buffer_size=None, num_parallel_reads=None):
        super().__init__(filenames, num_parallel_reads, lambda names: _file_source(
            "TFRecordDataset", names, compression_type or "", _int64(buffer_size or 256 * 1024)))


class TextLineDataset(_FileDataset):
    """The lines of text files, without their ends."""

    def __init__(self, filenames, compression_type=None, buffer_size=None, num_parallel_reads=None):
        super().__init__(filenames, num_parallel_reads, lambda names: _file_source(
            "TextLineDataset", names, compression_type or "", _int64(buffer_size or 256 * 1024)))


class FixedLengthRecordDataset(_FileDataset):
    """Records of a fixed number of bytes, between a header and a footer."""

    def __init__(self, filenames, record_bytes, header_bytes=None, footer_bytes=None, buffer_size=None, compression_type=None,
                 num_parallel_reads=None):
        super().__init__(filenames, num_parallel_reads, lambda names: _file_source(
            "FixedLengthRecordDatasetV2", names, _int64(header_bytes or 0), _int64(record_bytes), _int64(footer_bytes or 0),
            _int64(buffer_size or 256 * 1024), compression_type or ""))
