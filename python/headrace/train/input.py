"""Input by queues: files, slices and batches, filled by queue runners."""

import numpy as np

from .. import summary
from ..framework import dtypes
from ..framework.convert import convert_to_tensor, is_tensor_like
from ..framework.graph import GraphKeys, get_default_graph, name_scope
from ..framework.op_library import apply_op
from ..framework.shape import TensorShape
from ..framework.variables import Variable
from ..ops import array, math, random
from ..ops.queues import FIFOQueue, PaddingFIFOQueue, RandomShuffleQueue
from .coordinator import QueueRunner, add_queue_runner


def match_filenames_once(pattern, name=None):
    """A local variable with the names of the files that match, found once."""
    with name_scope(name or "matching_filenames"):
        return Variable(lambda: apply_op("MatchingFiles", pattern), trainable=False, name="matching_filenames",
                        validate_shape=False, dtype=dtypes.string, collections=[GraphKeys.LOCAL_VARIABLES])


def limit_epochs(tensor, num_epochs=None, name=None):
    """The tensor, which may be taken `num_epochs` times; then OutOfRangeError."""
    if num_epochs is None:
        return tensor
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    with name_scope(name or "limit_epochs") as scope:
        epochs = Variable(np.int64(0), name="epochs", trainable=False, collections=[GraphKeys.LOCAL_VARIABLES])
        counter = epochs.count_up_to(num_epochs)
        with get_default_graph().control_dependencies([counter]):
            return array.identity(tensor, name=scope)


def input_producer(input_tensor, element_shape=None, num_epochs=None, shuffle=True, seed=None, capacity=32, shared_name=None,
                   summary_name=None, name=None, cancel_op=None):
    """A queue with the rows of a tensor, filled by a runner."""
    with name_scope(name or "input_producer"):
        rows = convert_to_tensor(input_tensor, name="input_tensor")
        element_shape = rows.shape[1:].merge_with(element_shape)
        if not element_shape.is_fully_defined():
            raise ValueError("Either `input_tensor` must have a fully defined shape or `element_shape` must be specified")
        if shuffle:
            rows = random.random_shuffle(rows, seed=seed)
        rows = limit_epochs(rows, num_epochs)
        queue = FIFOQueue(capacity=capacity, dtypes=[rows.dtype.base_dtype], shapes=[element_shape], shared_name=shared_name)
        add_queue_runner(QueueRunner(queue, [queue.enqueue_many([rows])], cancel_op=cancel_op))
        if summary_name is not None:
            summary.scalar(summary_name, math.to_float(queue.size()) * (1.0 / capacity))
        return queue


def string_input_producer(string_tensor, num_epochs=None, shuffle=True, seed=None, capacity=32, shared_name=None, name=None,
                          cancel_op=None):
    """A queue with strings (file names), shuffled anew in each epoch. Raises ValueError for an empty list."""
    if not is_tensor_like(string_tensor) and not list(string_tensor):
        raise ValueError("string_input_producer requires a non-null input tensor")
    with name_scope(name or "input_producer") as scope:
        strings = convert_to_tensor(string_tensor, dtypes.string)
        return input_producer(strings, [], num_epochs, shuffle, seed, capacity, shared_name, "fraction_of_%d_full" % capacity,
                              scope, cancel_op)


def range_input_producer(limit, num_epochs=None, shuffle=True, seed=None, capacity=32, shared_name=None, name=None):
    """A queue with the numbers from 0 to limit - 1."""
    with name_scope(name or "input_producer") as scope:
        return input_producer(math.range(limit), [], num_epochs, shuffle, seed, capacity, shared_name,
                              "fraction_of_%d_full" % capacity, scope)


def slice_input_producer(tensor_list, num_epochs=None, shuffle=True, seed=None, capacity=32, shared_name=None, name=None):
    """One row of each tensor, the same of all."""
    with name_scope(name or "input_producer"):
        tensors = [convert_to_tensor(t) for t in tensor_list]
        if not tensors:
            raise ValueError("Expected at least one tensor in slice_input_producer().")
        count = array.shape(tensors[0])[0]
        queue = range_input_producer(count, num_epochs, shuffle, seed, capacity, shared_name)
        index = queue.dequeue()
        return [array.gather(t, index) for t in tensors]


def _flatten(tensors):
    """(list of tensors, how to put results back) of a list, a dict or one tensor; of a list of one comes its one tensor."""
    if isinstance(tensors, dict):
        keys = sorted(tensors)
        return [convert_to_tensor(tensors[k]) for k in keys], lambda out: dict(zip(keys, out))
    if isinstance(tensors, (list, tuple)):
        return [convert_to_tensor(t) for t in tensors], lambda out: list(out) if len(out) > 1 else out[0]
    return [convert_to_tensor(tensors)], lambda out: out[0]


def _shapes(lists, given, enqueue_many):
    if given is not None:
        return [TensorShape(s) for s in given]
    shapes = []
    for same in zip(*lists):
        shape = same[0].shape
        for other in same[1:]:
            shape = shape if shape.is_compatible_with(other.shape) else TensorShape(None)
        shapes.append(shape[1:] if enqueue_many else shape)
    return shapes


def _enqueue(queue, tensors_list, enqueue_many, keep_input):
    from ..ops.control_flow import smart_cond, no_op
    ops = []
    for tensors in tensors_list:
        if keep_input is True or keep_input is None:
            ops.append(queue.enqueue_many(tensors) if enqueue_many else queue.enqueue(tensors))
        else:
            if enqueue_many:
                rows = [array.boolean_mask(t, keep_input) if convert_to_tensor(keep_input).shape.rank else t for t in tensors]
                ops.append(queue.enqueue_many(rows))
            else:
                ops.append(smart_cond(keep_input, lambda t=tensors: queue.enqueue(t), no_op))
    return ops


def _batch(tensors_list, batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch, shared_name, name,
           keep_input, min_after_dequeue=None, seed=None, threads=1):
    flat, rebuild = zip(*[_flatten(t) for t in tensors_list])
    with name_scope(name) as scope:
        if not flat or not flat[0]:
            raise ValueError("Expected at least one tensor to batch.")
        shapes = _shapes(flat, shapes, enqueue_many)
        types = [t.dtype.base_dtype for t in flat[0]]
        if min_after_dequeue is not None:
            queue = RandomShuffleQueue(capacity, min_after_dequeue, types, shapes, seed=seed, shared_name=shared_name)
        elif dynamic_pad:
            queue = PaddingFIFOQueue(capacity, types, shapes, shared_name=shared_name)
        else:
            queue = FIFOQueue(capacity, types, shapes, shared_name=shared_name)
        ops = _enqueue(queue, list(flat) * threads if len(flat) == 1 else list(flat), enqueue_many, keep_input)
        add_queue_runner(QueueRunner(queue, ops))
        if min_after_dequeue is not None:
            full = math.maximum(0.0, math.to_float(queue.size() - min_after_dequeue)) * (
                1.0 / max(1, capacity - min_after_dequeue))
            summary.scalar(f"fraction_over_{min_after_dequeue}_of_{capacity - min_after_dequeue}_full", full)
        else:
            summary.scalar(f"fraction_of_{capacity}_full", math.to_float(queue.size()) * (1.0 / capacity))
        take = queue.dequeue_up_to if allow_smaller_final_batch else queue.dequeue_many
        taken = take(batch_size, name=scope)
        return rebuild[0](taken if isinstance(taken, list) else [taken])


def batch(tensors, batch_size, num_threads=1, capacity=32, enqueue_many=False, shapes=None, dynamic_pad=False,
          allow_smaller_final_batch=False, shared_name=None, name=None):
    """Batches of what `tensors` (a list or dict) computes, gathered by `num_threads` threads."""
    return _batch([tensors], batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch, shared_name,
                  name or "batch", True, threads=num_threads)


def maybe_batch(tensors, keep_input, batch_size, num_threads=1, capacity=32, enqueue_many=False, shapes=None,
                dynamic_pad=False, allow_smaller_final_batch=False, shared_name=None, name=None):
    """As batch, without the elements for which `keep_input` is false."""
    return _batch([tensors], batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch, shared_name,
                  name or "batch", keep_input, threads=num_threads)


def batch_join(tensors_list, batch_size, capacity=32, enqueue_many=False, shapes=None, dynamic_pad=False,
               allow_smaller_final_batch=False, shared_name=None, name=None):
    """As batch, from several inputs, each with a thread of its own."""
    return _batch(list(tensors_list), batch_size, capacity, enqueue_many, shapes, dynamic_pad, allow_smaller_final_batch,
                  shared_name, name or "batch_join", True)


def shuffle_batch(tensors, batch_size, capacity, min_after_dequeue, num_threads=1, seed=None, enqueue_many=False, shapes=None,
                  allow_smaller_final_batch=False, shared_name=None, name=None):
    """Batches of randomly drawn elements, at least `min_after_dequeue` to choose from."""
    return _batch([tensors], batch_size, capacity, enqueue_many, shapes, False, allow_smaller_final_batch, shared_name,
                  name or "shuffle_batch", True, min_after_dequeue, seed, num_threads)


def shuffle_batch_join(tensors_list, batch_size, capacity, min_after_dequeue, seed=None, enqueue_many=False, shapes=None,
                       allow_smaller_final_batch=False, shared_name=None, name=None):
    """As shuffle_batch, from several inputs, each with a thread of its own."""
    return _batch(list(tensors_list), batch_size, capacity, enqueue_many, shapes, False, allow_smaller_final_batch,
                  shared_name, name or "shuffle_batch_join", True, min_after_dequeue, seed)
