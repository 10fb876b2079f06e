"""Recurrent networks: a cell applied step by step."""

import numpy as np

from .framework import dtypes, nest
from .framework.convert import convert_to_tensor
from .framework.graph import get_default_graph
from .framework.shape import as_shape
from .framework.variable_scope import variable_scope
from .ops import array, check, math, rows
from .ops.control_flow import while_loop
from .ops.tensor_array import TensorArray


def _swapped(tensor):
    """The first two axes exchanged."""
    rank = tensor.shape.rank
    if rank is not None:
        return array.transpose(tensor, [1, 0, *range(2, rank)])
    return array.transpose(tensor, array.concat([[1, 0], math.range(2, array.rank(tensor))], 0))


def _map(function, structure):
    return nest.map_structure(function, structure) if nest.is_nested(structure) else function(structure)


def _checked_lengths(sequence_length, batch_size):
    lengths = math.cast(convert_to_tensor(sequence_length), dtypes.int32)
    if lengths.shape.rank not in (None, 1):
        raise ValueError(f"sequence_length must be a vector of length batch_size, but saw shape: {lengths.shape}")
    assertion = check.Assert(math.reduce_all(math.equal(array.shape(lengths), array.stack([batch_size]))),
                             ["Expected shape for sequence_length is [batch_size], but saw shape: ", array.shape(lengths)])
    with get_default_graph().control_dependencies([assertion]):
        return array.identity(lengths, name="CheckSeqLen")


def _frozen(ended, old, new):
    """`new` for the sequences that go on, `old` for those that ended. What has no batch axis goes on."""
    if new.shape.rank == 0:
        return new
    chosen = array.where(ended, old, new)
    chosen.set_shape(new.shape)
    return chosen


def _step(cell, time, inputs, state, lengths):
    """One step of the cell: (flat outputs, flat next state), zeros and the old state where a sequence has ended."""
    output, following = cell(inputs, state)
    outputs, new = [convert_to_tensor(t) for t in nest.flatten(output)], nest.flatten(following)
    old = nest.flatten(state)
    if lengths is not None:
        ended = math.greater_equal(time, lengths)
        outputs = [_frozen(ended, array.zeros_like(o), o) for o in outputs]
        new = [_frozen(ended, a, b) for a, b in zip(old, new)]
    return output, outputs, new


def dynamic_rnn(cell, inputs, sequence_length=None, initial_state=None, dtype=None, parallel_iterations=None, swap_memory=False,
                time_major=False, scope=None):
    """(outputs, final state) of a cell along [batch, time, ...] (or time first, with `time_major`).

    Beyond a sequence's length its outputs are zero and its state stays; the loop ends with the longest. `dtype` is needed without an `initial_state`.
    Raises ValueError where it is missing, and TypeError for what is no cell.
    """
    if not callable(cell) or not hasattr(cell, "state_size"):
        raise TypeError(f"cell must be an RNNCell, got {cell!r}")
    with variable_scope(scope or "rnn"):
        flat = [convert_to_tensor(t) for t in nest.flatten(inputs)]
        if not time_major:
            flat = [_swapped(t) for t in flat]
        steps, batch = flat[0].shape._dims[:2] if flat[0].shape.rank is not None else (None, None)
        extents = array.shape(flat[0])
        batch_size = extents[1] if batch is None else batch
        state = _initial_state(cell, initial_state, batch_size, dtype)
        lengths = None if sequence_length is None else _checked_lengths(sequence_length, batch_size)
        limit = convert_to_tensor(extents[0] if steps is None else steps, dtypes.int32)
        arrays = [TensorArray(t.dtype.base_dtype, size=limit).unstack(t) for t in flat]
        kinds = _output_kinds(cell, flat, state)
        made = [TensorArray(d, size=limit, element_shape=[batch, *s]) for d, s in kinds["flat"]]

        def body(time, made, state):
            parts = [a.read(time) for a in arrays]
            for part, whole in zip(parts, flat):
                part.set_shape(whole.shape[1:])
            _, outputs, following = _step(cell, time, _packed(inputs, parts), state, lengths)
            return (time + 1, [m.write(time, o) for m, o in zip(made, outputs)],
                    _packed(state, [math.cast(f, s.dtype) for f, s in zip(following, nest.flatten(state))]))

        last = limit if lengths is None else math.minimum(limit, math.maximum(1, math.reduce_max(lengths)))
        _, made, final = while_loop(lambda time, *_: math.less(time, last), body, [convert_to_tensor(0), made, state],
                                    parallel_iterations=parallel_iterations or 32)
        outputs = [m.stack() for m in made]
        for output, (_, size) in zip(outputs, kinds["flat"]):
            output.set_shape([steps, batch, *size])
        outputs = outputs if time_major else [_swapped(o) for o in outputs]
        return _packed(kinds["structure"], outputs), final


def _packed(structure, leaves):
    return nest.pack(structure, leaves) if nest.is_nested(structure) else leaves[0]


def _initial_state(cell, initial_state, batch_size, dtype):
    if initial_state is not None:
        return _map(convert_to_tensor, initial_state)
    if dtype is None:
        raise ValueError("If there is no initial_state, you must give a dtype.")
    return cell.zero_state(batch_size, dtype)


def _output_kinds(cell, flat, state):
    """The structure of a cell's output, and of each part the dtype and the extents without the batch."""
    sizes = cell.output_size
    kind = nest.flatten(state)[0].dtype.base_dtype if nest.flatten(state) else flat[0].dtype.base_dtype
    leaves = nest.flatten(sizes) if nest.is_nested(sizes) else [sizes]
    return {"structure": sizes, "flat": [(kind, as_shape(size).as_list()) for size in leaves]}


def static_rnn(cell, inputs, initial_state=None, dtype=None, sequence_length=None, scope=None):
    """(list of outputs, final state) of a cell along a list of inputs [batch, ...], unrolled."""
    if not isinstance(inputs, (list, tuple)):
        raise TypeError("inputs must be a sequence")
    if not inputs:
        raise ValueError("inputs must not be empty")
    with variable_scope(scope or "rnn"):
        first = convert_to_tensor(nest.flatten(inputs[0])[0])
        batch = first.shape._dims[0] if first.shape.rank is not None else None
        batch_size = array.shape(first)[0] if batch is None else batch
        state = _initial_state(cell, initial_state, batch_size, dtype)
        lengths = None if sequence_length is None else _checked_lengths(sequence_length, batch_size)
        outputs = []
        for time, step_inputs in enumerate(inputs):
            output, leaves, following = _step(cell, np.int32(time), step_inputs, state, lengths)
            outputs.append(_packed(output, leaves))
            state = _packed(state, following)
        return outputs, state


def bidirectional_dynamic_rnn(cell_fw, cell_bw, inputs, sequence_length=None, initial_state_fw=None, initial_state_bw=None,
                              dtype=None, parallel_iterations=None, swap_memory=False, time_major=False, scope=None):
    """((forward outputs, backward outputs), (forward state, backward state)) of two cells, one from the end to the start."""
    time_axis, batch_axis = (0, 1) if time_major else (1, 0)

    def turned(tensor):
        if sequence_length is None:
            return array.reverse(tensor, [time_axis])
        return rows.reverse_sequence(tensor, sequence_length, seq_axis=time_axis, batch_axis=batch_axis)

    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as opened:
            forward, state_forward = dynamic_rnn(cell_fw, inputs, sequence_length, initial_state_fw, dtype, parallel_iterations,
                                                 swap_memory, time_major, opened)
        with variable_scope("bw") as opened:
            backward, state_backward = dynamic_rnn(cell_bw, _map(turned, inputs), sequence_length, initial_state_bw, dtype,
                                                   parallel_iterations, swap_memory, time_major, opened)
        return (forward, _map(turned, backward)), (state_forward, state_backward)


def static_bidirectional_rnn(cell_fw, cell_bw, inputs, initial_state_fw=None, initial_state_bw=None, dtype=None,
                             sequence_length=None, scope=None):
    """(outputs joined along the last axis, forward state, backward state) of two cells along a list of inputs."""
    with variable_scope(scope or "bidirectional_rnn"):
        with variable_scope("fw") as opened:
            forward, state_forward = static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length, opened)
        with variable_scope("bw") as opened:
            turned = _turned_list(inputs, sequence_length)
            backward, state_backward = static_rnn(cell_bw, turned, initial_state_bw, dtype, sequence_length, opened)
        outputs = [array.concat([a, b], -1) for a, b in zip(forward, _turned_list(backward, sequence_length))]
        return outputs, state_forward, state_backward


def _turned_list(values, lengths):
    if lengths is None:
        return list(reversed(values))
    return array.unstack(rows.reverse_sequence(array.stack(values), lengths, seq_axis=0, batch_axis=1))


def raw_rnn(cell, loop_fn, parallel_iterations=None, swap_memory=False, scope=None):
    """(TensorArrays of what was emitted, final state, final loop state) of a cell, whose inputs, states and end a function decides.

    `loop_fn(time, cell_output, cell_state, loop_state)` returns (finished, next input, next state, what to emit, next loop state).
    It is first called with time 0 and None for the rest: there it emits None, for outputs like the cell's, or a structure of
    tensors like one sequence's emission. Sequences that have finished emit zeros and keep their state.
    """
    if not callable(cell) or not hasattr(cell, "state_size"):
        raise TypeError(f"cell must be an RNNCell, got {cell!r}")
    if not callable(loop_fn):
        raise TypeError("loop_fn must be a callable")
    with variable_scope(scope or "rnn"):
        time = convert_to_tensor(0)
        finished, inputs, state, emitted, extra = loop_fn(time, None, None, None)
        nest.assert_same_structure(state, cell.state_size)
        inputs, state = _map(convert_to_tensor, inputs), _map(_tensor_or_array, state)
        first = nest.flatten(inputs)[0]
        batch = first.shape._dims[0] if first.shape.rank is not None else None
        sizes = _emission_kinds(cell, emitted, state)
        made = [TensorArray(d, size=0, dynamic_size=True, element_shape=[batch, *s]) for d, s in sizes["flat"]]
        batch_size = array.shape(first)[0] if batch is None else batch
        zeros = [array.zeros(_with_batch(batch_size, s), d) for d, s in sizes["flat"]]

        def body(time, finished, inputs, made, state, loop_state):
            output, new = cell(inputs, state)
            nest.assert_same_structure(state, new)
            ended, following, chosen, emission, next_loop_state = loop_fn(time + 1, output, new, loop_state if has_extra else None)
            nest.assert_same_structure(state, chosen)
            nest.assert_same_structure(inputs, following)
            nest.assert_same_structure(sizes["structure"], emission)
            emission = [_frozen(finished, z, convert_to_tensor(e)) for z, e in zip(zeros, nest.flatten(emission))]
            kept = [new if isinstance(old, TensorArray) else _frozen(finished, old, convert_to_tensor(new))
                    for old, new in zip(nest.flatten(state), nest.flatten(chosen))]
            return (time + 1, math.logical_or(finished, ended), following, [m.write(time, e) for m, e in zip(made, emission)],
                    _packed(state, kept), loop_state if next_loop_state is None else next_loop_state)

        has_extra = extra is not None
        *_, made, state, final = while_loop(
            lambda time, finished, *_: math.logical_not(math.reduce_all(finished)), body,
            [time, convert_to_tensor(finished), inputs, made, state, extra if has_extra else convert_to_tensor(0)],
            parallel_iterations=parallel_iterations or 32)
        return _packed(sizes["structure"], made), state, final if has_extra else None


def _tensor_or_array(value):
    return value if isinstance(value, TensorArray) else convert_to_tensor(value)


def _emission_kinds(cell, emitted, state):
    """As _output_kinds, of what raw_rnn's function emits at first: None is what the cell puts out."""
    if emitted is None:
        return _output_kinds(cell, [], state)
    leaves = [convert_to_tensor(e) for e in nest.flatten(emitted)]
    for leaf in leaves:
        if not leaf.shape.is_fully_defined():
            raise NotImplementedError(f"raw_rnn: the shape of what is emitted at first must be known, {leaf} has {leaf.shape}")
    return {"structure": emitted, "flat": [(leaf.dtype.base_dtype, leaf.shape.as_list()) for leaf in leaves]}


def _with_batch(batch_size, extents):
    return [batch_size, *extents] if isinstance(batch_size, int) else array.stack([batch_size, *extents])
