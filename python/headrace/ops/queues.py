"""Queues: buffers on a task that steps of any session fill and empty."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope, get_seed
from ..framework.op_library import apply_op
from ..framework.shape import TensorShape, as_shape


class QueueBase:
    """What all queues share. An element has one or several components, each of one dtype (and shape, where given)."""

    def __init__(self, dtypes_, shapes, names, queue_ref):
        self._dtypes, self._shapes, self._names = dtypes_, shapes, names
        self._queue_ref = queue_ref

    @staticmethod
    def from_list(index, queues):
        raise NotImplementedError("QueueBase.from_list is not there")

    queue_ref = property(lambda self: self._queue_ref)
    dtypes = property(lambda self: self._dtypes)
    shapes = property(lambda self: self._shapes)
    names = property(lambda self: self._names)

    @property
    def name(self):
        return self._queue_ref.op.name

    @property
    def _base_name(self):
        """What the names of its operations begin with, below the scope of the moment."""
        return self.name.rsplit("/", 1)[-1]

    def _components(self, vals):
        """The values of one element in order. Raises ValueError or TypeError for another number or names."""
        if isinstance(vals, dict):
            if not self._names:
                raise ValueError("Queue must have names to enqueue a dictionary")
            if sorted(self._names) != sorted(vals):
                raise ValueError(f"Keys in dictionary to enqueue do not match names of Queue. Dictionary: {sorted(vals)}, "
                                 f"Queue: {sorted(self._names)}")
            vals = [vals[name] for name in self._names]
        elif self._names:
            raise ValueError("You must enqueue a dictionary in a Queue with names")
        elif not isinstance(vals, (list, tuple)):
            vals = [vals]
        if len(vals) != len(self._dtypes):
            raise ValueError(f"Expected {len(self._dtypes)} components, got {len(vals)}")
        return [convert_to_tensor(v, t, name=f"component_{i}") for i, (v, t) in enumerate(zip(vals, self._dtypes))]

    def enqueue(self, vals, name=None):
        """An operation that adds one element, waiting for room."""
        with name_scope(name or f"{self._base_name}_enqueue") as scope:
            tensors = self._components(vals)
            for tensor, shape in zip(tensors, self._shapes):
                tensor.shape.assert_is_compatible_with(shape)
            return apply_op("QueueEnqueueV2", self._queue_ref, tensors, name=scope)

    def enqueue_many(self, vals, name=None):
        """An operation that adds the slices of the values along their first axis as elements."""
        with name_scope(name or f"{self._base_name}_EnqueueMany") as scope:
            tensors = self._components(vals)
            for tensor, shape in zip(tensors, self._shapes):
                if tensor.shape.rank is not None:
                    tensor.shape[1:].assert_is_compatible_with(shape)
            return apply_op("QueueEnqueueManyV2", self._queue_ref, tensors, name=scope)

    def _returned(self, tensors, prefix):
        for tensor, shape in zip(tensors, self._shapes):
            if shape.rank is not None:
                tensor.set_shape(prefix + shape.as_list())
        if self._names:
            return dict(zip(self._names, tensors))
        return tensors[0] if len(tensors) == 1 else tensors

    def dequeue(self, name=None):
        """The next element, waiting for one. Raises OutOfRangeError when the queue is closed and empty."""
        tensors = apply_op("QueueDequeueV2", self._queue_ref, component_types=self._dtypes, name=name or f"{self._base_name}_Dequeue")
        return self._returned(tensors, [])

    def dequeue_many(self, n, name=None):
        """The next n elements, stacked."""
        tensors = apply_op("QueueDequeueManyV2", self._queue_ref, convert_to_tensor(n, dtypes.int32),
                           component_types=self._dtypes, name=name or f"{self._base_name}_DequeueMany")
        return self._returned(tensors, [n if isinstance(n, int) else None])

    def dequeue_up_to(self, n, name=None):
        """The next n elements, or fewer once the queue is closed."""
        tensors = apply_op("QueueDequeueUpToV2", self._queue_ref, convert_to_tensor(n, dtypes.int32),
                           component_types=self._dtypes, name=name or f"{self._base_name}_DequeueUpTo")
        return self._returned(tensors, [None])

    def close(self, cancel_pending_enqueues=False, name=None):
        """An operation that ends the queue: what is in it may still be taken."""
        return apply_op("QueueCloseV2", self._queue_ref, cancel_pending_enqueues=cancel_pending_enqueues,
                        name=name or f"{self._base_name}_Close")

    def is_closed(self, name=None):
        return apply_op("QueueIsClosedV2", self._queue_ref, name=name or f"{self._base_name}_Is_Closed")

    def size(self, name=None):
        """How many elements are in it."""
        return apply_op("QueueSizeV2", self._queue_ref, name=name or f"{self._base_name}_Size")


def _lists(dtypes_, shapes, names):
    types = [dtypes.as_dtype(t) for t in (dtypes_ if isinstance(dtypes_, (list, tuple)) else [dtypes_])]
    if shapes is None:
        known = [TensorShape(None)] * len(types)
    elif isinstance(shapes, (list, tuple)) and shapes and all(
            isinstance(s, (list, tuple, TensorShape)) for s in shapes):
        known = [as_shape(s) for s in shapes]
    else:
        known = [as_shape(shapes)] * (len(types) if len(types) == 1 else 1)
    if len(known) != len(types):
        raise ValueError(f"Queue shapes must have the same length as dtypes, received len(shapes)={len(known)}, "
                         f"len(dtypes)={len(types)}")
    if isinstance(names, str):
        names = [names]
    if names is not None and len(names) != len(types):
        raise ValueError(f"Queue names must have the same length as dtypes: {names}")
    return types, known, names


def _shape_attr(known):
    return known if all(s.rank is not None for s in known) and any(True for _ in known) else []


class FIFOQueue(QueueBase):
    """First in, first out; at most `capacity` elements (-1: no limit). Equal shared names on a task are one queue."""

    def __init__(self, capacity, dtypes, shapes=None, names=None, shared_name=None, name="fifo_queue"):
        types, known, names = _lists(dtypes, shapes, names)
        ref = apply_op("FIFOQueueV2", component_types=types, shapes=_shape_attr(known), capacity=int(capacity),
                       shared_name=shared_name or "", name=name)
        super().__init__(types, known, names, ref)


class RandomShuffleQueue(QueueBase):
    """Gives elements in random order, keeping at least `min_after_dequeue` to mix with until it is closed."""

    def __init__(self, capacity, min_after_dequeue, dtypes, shapes=None, names=None, seed=None, shared_name=None,
                 name="random_shuffle_queue"):
        types, known, names = _lists(dtypes, shapes, names)
        seed1, seed2 = get_seed(seed)
        ref = apply_op("RandomShuffleQueueV2", component_types=types, shapes=_shape_attr(known), capacity=int(capacity),
                       min_after_dequeue=int(min_after_dequeue), seed=seed1, seed2=seed2, shared_name=shared_name or "",
                       name=name)
        super().__init__(types, known, names, ref)


class PaddingFIFOQueue(QueueBase):
    """As FIFOQueue; components of unknown extents are padded with zeros when several are dequeued at once."""

    def __init__(self, capacity, dtypes, shapes, names=None, shared_name=None, name="padding_fifo_queue"):
        types, known, names = _lists(dtypes, shapes, names)
        ref = apply_op("PaddingFIFOQueueV2", component_types=types, shapes=known, capacity=int(capacity),
                       shared_name=shared_name or "", name=name)
        super().__init__(types, known, names, ref)


class ReaderBase:
    """Reads records from the files whose names a queue gives."""

    def __init__(self, reader_ref):
        self._reader_ref = reader_ref

    reader_ref = property(lambda self: self._reader_ref)

    def _queue(self, queue):
        return getattr(queue, "queue_ref", queue)

    def read(self, queue, name=None):
        """(key, record): the next one, of the next file when one is at its end."""
        return apply_op("ReaderReadV2", self._reader_ref, self._queue(queue), name=name)

    def read_up_to(self, queue, num_records, name=None):
        """(keys, records): up to so many."""
        return apply_op("ReaderReadUpToV2", self._reader_ref, self._queue(queue), np.int64(num_records), name=name)

    def num_records_produced(self, name=None):
        return apply_op("ReaderNumRecordsProducedV2", self._reader_ref, name=name)

    def num_work_units_completed(self, name=None):
        return apply_op("ReaderNumWorkUnitsCompletedV2", self._reader_ref, name=name)

    def reset(self, name=None):
        return apply_op("ReaderResetV2", self._reader_ref, name=name)


class TextLineReader(ReaderBase):
    """The lines of text files, without the first `skip_header_lines`."""

    def __init__(self, skip_header_lines=None, name=None):
        super().__init__(apply_op("TextLineReaderV2", skip_header_lines=skip_header_lines or 0, name=name))


class TFRecordReader(ReaderBase):
    """The records of TFRecord files."""

    def __init__(self, name=None, options=None):
        from ..python_io import TFRecordOptions
        kind = TFRecordOptions.get_compression_type_string(options)
        super().__init__(apply_op("TFRecordReaderV2", compression_type=kind, name=name))


class FixedLengthRecordReader(ReaderBase):
    """Records of a fixed number of bytes."""

    def __init__(self, record_bytes, header_bytes=None, footer_bytes=None, hop_bytes=None, name=None, encoding=None):
        super().__init__(apply_op("FixedLengthRecordReaderV2", record_bytes=record_bytes, header_bytes=header_bytes or 0,
                                  footer_bytes=footer_bytes or 0, hop_bytes=hop_bytes or 0, encoding=encoding or "", name=name))


class WholeFileReader(ReaderBase):
    """Each file as one record."""

    def __init__(self, name=None):
        super().__init__(apply_op("WholeFileReaderV2", name=name))


class IdentityReader(ReaderBase):
    """Each name as a record."""

    def __init__(self, name=None):
        super().__init__(apply_op("IdentityReaderV2", name=name))


def _step(value):
    """A training step as accumulators count it."""
    step = convert_to_tensor(value)
    return step if step.dtype.base_dtype is dtypes.int64 else apply_op("Cast", step, DstT=dtypes.int64)


class ConditionalAccumulator:
    """Adds gradients up; a taken one is their mean (or sum). Gradients of a step before the global step are dropped."""

    def __init__(self, dtype, shape=None, shared_name=None, name="conditional_accumulator", reduction_type="MEAN"):
        self._dtype = dtypes.as_dtype(dtype)
        self.accumulator_ref = apply_op("ResourceConditionalAccumulator", dtype=self._dtype, shape=as_shape(shape),
                                        shared_name=shared_name or "", reduction_type=reduction_type, name=name)

    @property
    def name(self):
        return self.accumulator_ref.op.name

    dtype = property(lambda self: self._dtype)

    def apply_grad(self, grad, local_step=0, name=None):
        """An operation that adds a gradient, unless `local_step` is behind."""
        grad = convert_to_tensor(grad, self._dtype)
        return apply_op("ResourceAccumulatorApplyGradient", self.accumulator_ref, _step(local_step), grad, name=name)

    def take_grad(self, num_required, name=None):
        """The mean of the gradients, once there are `num_required`; counts the step up."""
        return apply_op("ResourceAccumulatorTakeGradient", self.accumulator_ref, num_required, dtype=self._dtype, name=name)

    def num_accumulated(self, name=None):
        return apply_op("ResourceAccumulatorNumAccumulated", self.accumulator_ref, name=name)

    def set_global_step(self, new_global_step, name=None):
        return apply_op("ResourceAccumulatorSetGlobalStep", self.accumulator_ref, _step(new_global_step), name=name)


class SparseConditionalAccumulator:
    """The same for gradients that are IndexedSlices."""

    def __init__(self, dtype, shape=None, shared_name=None, name="sparse_conditional_accumulator", reduction_type="MEAN"):
        self._dtype, self._shape = dtypes.as_dtype(dtype), as_shape(shape)
        self.accumulator_ref = apply_op("SparseConditionalAccumulator", dtype=self._dtype, shape=self._shape,
                                        shared_name=shared_name or "", reduction_type=reduction_type, name=name)

    @property
    def name(self):
        return self.accumulator_ref.op.name

    dtype = property(lambda self: self._dtype)

    def apply_indexed_slices_grad(self, grad, local_step=0, name=None):
        """An operation that adds IndexedSlices, unless `local_step` is behind."""
        shape = np.zeros(0, np.int64) if grad.dense_shape is None else apply_op("Cast", convert_to_tensor(grad.dense_shape),
                                                                                 DstT=dtypes.int64)
        return apply_op("SparseAccumulatorApplyGradient", self.accumulator_ref, _step(local_step),
                        apply_op("Cast", grad.indices, DstT=dtypes.int64), grad.values, shape,
                        has_known_shape=grad.dense_shape is not None, name=name)

    def take_indexed_slices_grad(self, num_required, name=None):
        """The mean as IndexedSlices, once there are `num_required`."""
        from ..framework.graph import IndexedSlices
        taken = apply_op("SparseAccumulatorTakeGradient", self.accumulator_ref, num_required, dtype=self._dtype, name=name)
        return IndexedSlices(taken.values, taken.indices, taken.shape)

    def num_accumulated(self, name=None):
        return apply_op("AccumulatorNumAccumulated", self.accumulator_ref, name=name)

    def set_global_step(self, new_global_step, name=None):
        return apply_op("AccumulatorSetGlobalStep", self.accumulator_ref, _step(new_global_step), name=name)
