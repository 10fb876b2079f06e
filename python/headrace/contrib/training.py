"""tf.contrib.training: batches of elements that are alike, gathered by queues. With tf.data: Dataset.bucket_by_sequence_length."""

from ..framework import dtypes, errors
from ..framework.convert import convert_to_tensor, is_tensor_like
from ..framework.graph import name_scope
from ..framework.shape import TensorShape
from ..framework.variables import group, no_op
from ..ops import math
from ..ops.control_flow import cond, smart_cond
from ..ops.queues import FIFOQueue, PaddingFIFOQueue
from ..train.coordinator import QueueRunner, add_queue_runner
from ..train.input import _flatten, _shapes

_ENDS = (errors.OutOfRangeError, errors.CancelledError)


def bucket(tensors, which_bucket, batch_size, num_buckets, num_threads=1, capacity=32, bucket_capacities=None, shapes=None,
           dynamic_pad=False, allow_smaller_final_batch=False, keep_input=True, shared_name=None, name=None):
    """(bucket, batch): a batch of elements with the same number `which_bucket`, of the bucket that first has enough of them.

    `batch_size` and `bucket_capacities` may be lists, with an item for each bucket. The input's end drops batches that are not
    full, unless `allow_smaller_final_batch`.
    """
    sizes = list(batch_size) if isinstance(batch_size, (list, tuple)) else [batch_size] * num_buckets
    capacities = [capacity] * num_buckets if bucket_capacities is None else list(bucket_capacities)
    if len(sizes) != num_buckets:
        raise ValueError(f"If batch_size is a list it must have num_buckets elements, not {len(sizes)}")
    if len(capacities) != num_buckets:
        raise ValueError(f"The list bucket_capacities ({capacities}) must have exactly num_buckets ({num_buckets}) elements.")
    flat, rebuild = _flatten(tensors)
    if not flat:
        raise ValueError("Expected at least one tensor in bucket().")
    with name_scope(name or "bucket"):
        shapes = _shapes([flat], shapes, False)
        types = [t.dtype.base_dtype for t in flat]
        kind = PaddingFIFOQueue if dynamic_pad else FIFOQueue
        queues = [kind(each, types, shapes, shared_name=f"{shared_name}_{i}" if shared_name else None)
                  for i, each in enumerate(capacities)]
        which = math.cast(which_bucket, dtypes.int32)

        def put():
            return group(*[cond(math.equal(which, i), lambda queue=queue: queue.enqueue(flat), no_op)
                           for i, queue in enumerate(queues)])

        put_ops = [put() if keep_input is True else smart_cond(keep_input, put, no_op) for _ in range(num_threads)]
        add_queue_runner(QueueRunner(queues[0], put_ops, close_op=group(*[queue.close() for queue in queues]),
                                     cancel_op=group(*[queue.close(cancel_pending_enqueues=True) for queue in queues]),
                                     queue_closed_exception_types=_ENDS))
        return _first_full(queues, sizes, types, shapes, allow_smaller_final_batch, shared_name, rebuild)


def _first_full(queues, sizes, types, shapes, allow_smaller_final_batch, shared_name, rebuild):
    """A queue of batches, each with its bucket's number, and what comes out of it."""
    known = sizes[0] if len(set(map(str, sizes))) == 1 and not allow_smaller_final_batch and not is_tensor_like(sizes[0]) else None
    batches = PaddingFIFOQueue(len(queues), [dtypes.int32, *types],
                               [TensorShape([]), *[TensorShape([known]).concatenate(shape) for shape in shapes]],
                               shared_name=f"{shared_name}_top" if shared_name else None, name="top_queue")
    moves = []
    for i, (queue, size) in enumerate(zip(queues, sizes)):
        taken = (queue.dequeue_up_to if allow_smaller_final_batch else queue.dequeue_many)(size)
        moves.append(batches.enqueue([convert_to_tensor(i, dtypes.int32), *(taken if isinstance(taken, list) else [taken])]))
    add_queue_runner(QueueRunner(batches, moves, queue_closed_exception_types=_ENDS))
    which, *outputs = batches.dequeue()
    return which, rebuild(outputs)


def bucket_by_sequence_length(input_length, tensors, batch_size, bucket_boundaries, num_threads=1, capacity=32,
                              bucket_capacities=None, shapes=None, dynamic_pad=False, allow_smaller_final_batch=False,
                              keep_input=True, shared_name=None, name=None):
    """(lengths, batch): elements whose lengths are between the same two boundaries; with `dynamic_pad` filled up with zeros."""
    boundaries = list(bucket_boundaries)
    if not boundaries:
        raise ValueError("bucket_boundaries must not be empty")
    if any(not isinstance(boundary, int) for boundary in boundaries):
        raise TypeError("bucket boundaries must be integers")
    if any(a >= b for a, b in zip(boundaries, boundaries[1:])):
        raise ValueError("Buckets must contain sequential increasing lengths, but saw: "
                         f"{next(f'{a} before {b}' for a, b in zip(boundaries, boundaries[1:]) if a >= b)}")
    with name_scope(name or "bucket_by_sequence_length"):
        length = math.cast(convert_to_tensor(input_length), dtypes.int32)
        flat, rebuild = _flatten(tensors)
        reached = math.reduce_sum(math.cast(math.greater_equal(length, boundaries), dtypes.int32))
        given = None if shapes is None else [TensorShape([]), *shapes]
        _, (lengths, *outputs) = bucket([length, *flat], reached, batch_size, len(boundaries) + 1, num_threads, capacity,
                                        bucket_capacities, given, dynamic_pad, allow_smaller_final_batch, keep_input, shared_name)
        return lengths, rebuild(outputs)
