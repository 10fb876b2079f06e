"""tf.nn.rnn_cell: one step of a recurrent network. `cell(inputs, state)` gives (output, next state)."""

import collections

from . import nn
from .framework import dtypes, nest
from .framework.convert import convert_to_tensor, is_tensor_like
from .framework.graph import get_default_graph, name_scope
from .framework.shape import as_shape
from .framework.variable_scope import variable_scope
from .layers.base import InputSpec, Layer
from .ops import array, clip, initializers, math, random

LSTMStateTuple = collections.namedtuple("LSTMStateTuple", ("c", "h"))
LSTMStateTuple.__doc__ = "An LSTM's state: the cell's content `c` and the last output `h`."


def _zeros(size, batch_size, dtype):
    tail = as_shape(size).as_list()
    if is_tensor_like(batch_size):
        made = array.zeros([batch_size, *tail], dtype)
        made.set_shape([None, *tail])
        return made
    return array.zeros([int(batch_size), *tail], dtype)


def _sizes(size):
    """Extents as ints: nested structures of ints, shapes or tuples of ints that are states."""
    return nest.flatten(size) if nest.is_nested(size) else [size]


class RNNCell(Layer):
    """Base of the cells. Subclasses define `state_size`, `output_size`, `build` and `call(inputs, state)`."""

    @property
    def state_size(self):
        """An int, a shape, or a structure of them: the extents of the state without the batch."""
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self):
        """An int or a shape: the extents of the output without the batch."""
        raise NotImplementedError("Abstract method")

    def __call__(self, inputs, state, scope=None):
        if scope is None:
            return super().__call__(inputs, state)
        with variable_scope(scope) as opened:
            if self._scope is None:
                self._keep(opened)
            return super().__call__(inputs, state)

    def zero_state(self, batch_size, dtype):
        """A state of zeros."""
        with name_scope(type(self).__name__ + "ZeroState"):
            sizes = _sizes(self.state_size)
            made = [_zeros(size, batch_size, dtype) for size in sizes]
            return nest.pack(self.state_size, made) if nest.is_nested(self.state_size) else made[0]

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        """The state before the first step."""
        if inputs is not None:
            inputs = convert_to_tensor(inputs)
            batch_size, dtype = array.shape(inputs)[0], inputs.dtype
        return self.zero_state(batch_size, dtype)


LayerRNNCell = RNNCell


def _joined(inputs, state, kernel, bias):
    return nn.bias_add(math.matmul(array.concat([inputs, state], 1), kernel), bias)


class _Cell(RNNCell):
    """Base of the cells with `num_units` units."""

    def __init__(self, num_units, activation=None, reuse=None, name=None, dtype=None, trainable=True):
        super().__init__(trainable, name, dtype, _reuse=reuse)
        self._num_units = int(num_units)
        self._activation = activation or math.tanh
        self.input_spec = InputSpec(ndim=2)

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units

    def _width(self, input_shape):
        if input_shape.rank is None or input_shape._dims[-1] is None:
            raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {input_shape}")
        return input_shape._dims[-1]


class BasicRNNCell(_Cell):
    """output = state = activation(W [inputs, state] + b)."""

    def build(self, input_shape):
        width = self._width(input_shape) + self._num_units
        self._kernel = self.add_variable("kernel", [width, self._num_units])
        self._bias = self.add_variable("bias", [self._num_units], initializer=initializers.zeros_initializer())

    def call(self, inputs, state):
        output = self._activation(_joined(inputs, state, self._kernel, self._bias))
        return output, output


class GRUCell(_Cell):
    """Gated recurrent unit (Cho et al. 2014)."""

    def __init__(self, num_units, activation=None, reuse=None, kernel_initializer=None, bias_initializer=None, name=None,
                 dtype=None, **kwargs):
        super().__init__(num_units, activation, reuse, name, dtype, **kwargs)
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer

    def build(self, input_shape):
        units, width = self._num_units, self._width(input_shape) + self._num_units
        self._gate_kernel = self.add_variable("gates/kernel", [width, 2 * units], initializer=self._kernel_initializer)
        self._gate_bias = self.add_variable("gates/bias", [2 * units],
                                            initializer=self._bias_initializer or initializers.constant_initializer(1.0))
        self._candidate_kernel = self.add_variable("candidate/kernel", [width, units], initializer=self._kernel_initializer)
        self._candidate_bias = self.add_variable("candidate/bias", [units],
                                                 initializer=self._bias_initializer or initializers.zeros_initializer())

    def call(self, inputs, state):
        gates = math.sigmoid(_joined(inputs, state, self._gate_kernel, self._gate_bias))
        reset, update = array.split(gates, 2, axis=1)
        candidate = self._activation(_joined(inputs, reset * state, self._candidate_kernel, self._candidate_bias))
        state = update * state + (1 - update) * candidate
        return state, state


class BasicLSTMCell(_Cell):
    """Long short-term memory without peepholes (Hochreiter and Schmidhuber 1997; Zaremba et al. 2014)."""

    def __init__(self, num_units, forget_bias=1.0, state_is_tuple=True, activation=None, reuse=None, name=None, dtype=None,
                 **kwargs):
        super().__init__(num_units, activation, reuse, name, dtype, **kwargs)
        self._forget_bias, self._state_is_tuple = forget_bias, state_is_tuple

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units) if self._state_is_tuple else 2 * self._num_units

    def build(self, input_shape):
        width = self._width(input_shape) + self._num_units
        self._kernel = self.add_variable("kernel", [width, 4 * self._num_units])
        self._bias = self.add_variable("bias", [4 * self._num_units], initializer=initializers.zeros_initializer())

    def call(self, inputs, state):
        content, last = state if self._state_is_tuple else array.split(state, 2, axis=1)
        write, new, forget, show = array.split(_joined(inputs, last, self._kernel, self._bias), 4, axis=1)
        content = content * math.sigmoid(forget + self._forget_bias) + math.sigmoid(write) * self._activation(new)
        output = self._activation(content) * math.sigmoid(show)
        return output, LSTMStateTuple(content, output) if self._state_is_tuple else array.concat([content, output], 1)


class LSTMCell(_Cell):
    """Long short-term memory with optional peepholes, projection and clipping (Sak et al. 2014)."""

    def __init__(self, num_units, use_peepholes=False, cell_clip=None, initializer=None, num_proj=None, proj_clip=None,
                 num_unit_shards=None, num_proj_shards=None, forget_bias=1.0, state_is_tuple=True, activation=None, reuse=None,
                 name=None, dtype=None, **kwargs):
        super().__init__(num_units, activation, reuse, name, dtype, **kwargs)
        if num_unit_shards is not None or num_proj_shards is not None:
            raise NotImplementedError("LSTMCell: give a variable partitioner to the scope instead of num_unit_shards and "
                                      "num_proj_shards")
        self._use_peepholes, self._cell_clip, self._initializer = use_peepholes, cell_clip, initializer
        self._num_proj, self._proj_clip = num_proj, proj_clip
        self._forget_bias, self._state_is_tuple = forget_bias, state_is_tuple

    @property
    def output_size(self):
        return self._num_proj or self._num_units

    @property
    def state_size(self):
        if self._state_is_tuple:
            return LSTMStateTuple(self._num_units, self.output_size)
        return self._num_units + self.output_size

    def build(self, input_shape):
        units, width = self._num_units, self._width(input_shape) + self.output_size
        self._kernel = self.add_variable("kernel", [width, 4 * units], initializer=self._initializer)
        self._bias = self.add_variable("bias", [4 * units], initializer=initializers.zeros_initializer())
        if self._use_peepholes:
            self._forget_diagonal, self._write_diagonal, self._show_diagonal = (
                self.add_variable(name, [units], initializer=self._initializer)
                for name in ("w_f_diag", "w_i_diag", "w_o_diag"))
        if self._num_proj:
            self._projection = self.add_variable("projection/kernel", [units, self._num_proj], initializer=self._initializer)

    def call(self, inputs, state):
        if self._state_is_tuple:
            content, last = state
        else:
            content, last = array.split(state, [self._num_units, self.output_size], axis=1)
        write, new, forget, show = array.split(_joined(inputs, last, self._kernel, self._bias), 4, axis=1)
        forget = forget + self._forget_bias
        if self._use_peepholes:
            forget, write = forget + self._forget_diagonal * content, write + self._write_diagonal * content
        content = math.sigmoid(forget) * content + math.sigmoid(write) * self._activation(new)
        if self._cell_clip is not None:
            content = clip.clip_by_value(content, -self._cell_clip, self._cell_clip)
        if self._use_peepholes:
            show = show + self._show_diagonal * content
        output = math.sigmoid(show) * self._activation(content)
        if self._num_proj:
            output = math.matmul(output, self._projection)
            if self._proj_clip is not None:
                output = clip.clip_by_value(output, -self._proj_clip, self._proj_clip)
        return output, LSTMStateTuple(content, output) if self._state_is_tuple else array.concat([content, output], 1)


class MultiRNNCell(RNNCell):
    """Cells one above the other. The state is a tuple of theirs, or with `state_is_tuple` False one tensor."""

    def __init__(self, cells, state_is_tuple=True):
        super().__init__()
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not isinstance(cells, (list, tuple)):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        if not state_is_tuple and any(nest.is_nested(c.state_size) for c in cells):
            raise ValueError("Some cells return tuples of states, but the flag state_is_tuple is not set.")
        self._cells, self._state_is_tuple = list(cells), state_is_tuple

    @property
    def state_size(self):
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self):
        return self._cells[-1].output_size

    @property
    def variables(self):
        return [v for cell in self._cells for v in cell.variables]

    @property
    def trainable_variables(self):
        return [v for cell in self._cells for v in cell.trainable_variables]

    weights, trainable_weights = variables, trainable_variables

    def zero_state(self, batch_size, dtype):
        """A state of zeros."""
        with name_scope(type(self).__name__ + "ZeroState"):
            if self._state_is_tuple:
                return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)
            return _zeros(self.state_size, batch_size, dtype)

    def call(self, inputs, state):
        if not self._state_is_tuple:
            state = array.split(state, [cell.state_size for cell in self._cells], axis=1)
        following = []
        for i, (cell, part) in enumerate(zip(self._cells, state)):
            with variable_scope(f"cell_{i}"):
                inputs, made = cell(inputs, part)
            following.append(made)
        return inputs, tuple(following) if self._state_is_tuple else array.concat(following, 1)


class _Wrapper(RNNCell):
    """A cell around another; it has no scope and no variables of its own."""

    def __init__(self, cell):
        super().__init__()
        self._cell = cell

    @property
    def wrapped_cell(self):
        return self._cell

    @property
    def state_size(self):
        return self._cell.state_size

    @property
    def output_size(self):
        return self._cell.output_size

    @property
    def variables(self):
        return self._cell.variables

    @property
    def trainable_variables(self):
        return self._cell.trainable_variables

    weights, trainable_weights = variables, trainable_variables

    def zero_state(self, batch_size, dtype):
        return self._cell.zero_state(batch_size, dtype)

    def __call__(self, inputs, state, scope=None):
        return self._wrapped(inputs, state, scope)


class DropoutWrapper(_Wrapper):
    """Drops inputs, outputs and states of a cell, kept with the given probabilities (Gal and Ghahramani 2015).

    With `variational_recurrent` each sequence keeps the same units at all steps; `dtype` and, for inputs, `input_size` are
    needed then. The memory `c` of an LSTM's state is never dropped.
    """

    def __init__(self, cell, input_keep_prob=1.0, output_keep_prob=1.0, state_keep_prob=1.0, variational_recurrent=False,
                 input_size=None, dtype=None, seed=None, dropout_state_filter_visitor=None):
        super().__init__(cell)
        for what, value in (("input_keep_prob", input_keep_prob), ("output_keep_prob", output_keep_prob),
                            ("state_keep_prob", state_keep_prob)):
            if not is_tensor_like(value) and not 0 < value <= 1:
                raise ValueError(f"Parameter {what} must be between 0 and 1: {value}")
        if dropout_state_filter_visitor is not None:
            raise NotImplementedError("DropoutWrapper: dropout_state_filter_visitor is not there")
        self._keep_input, self._keep_output, self._keep_state = input_keep_prob, output_keep_prob, state_keep_prob
        self._seed, self._variational = seed, variational_recurrent
        if variational_recurrent:
            if dtype is None:
                raise ValueError("When variational_recurrent=True, dtype must be provided")
            if input_size is None and not _keeps_all(input_keep_prob):
                raise ValueError("When variational_recurrent=True and input_keep_prob < 1.0, input_size must be provided")
            self._noise = {
                "input": None if input_size is None else self._draw(input_size, dtype),
                "output": self._draw(cell.output_size, dtype),
                "state": [self._draw(size, dtype) for size in _sizes(cell.state_size)]}

    def _draw(self, size, dtype):
        return random.random_uniform([1, *as_shape(size).as_list()], dtype=dtypes.as_dtype(dtype), seed=self._seed)

    def _dropped(self, value, keep, noise):
        if _keeps_all(keep):
            return value
        if noise is None:
            return nn.dropout(value, keep_prob=keep, seed=self._seed)
        keep = convert_to_tensor(keep, value.dtype.base_dtype)
        return value / keep * math.floor(keep + noise)

    def _wrapped(self, inputs, state, scope):
        noise = self._noise if self._variational else {"input": None, "output": None, "state": None}
        output, following = self._cell(self._dropped(convert_to_tensor(inputs), self._keep_input, noise["input"]), state, scope)
        if not _keeps_all(self._keep_state):
            leaves = nest.flatten(following)
            masks = noise["state"] or [None] * len(leaves)
            dropped = [leaf if memory else self._dropped(leaf, self._keep_state, mask)
                       for leaf, memory, mask in zip(leaves, _is_memory(following), masks)]
            following = nest.pack(following, dropped) if nest.is_nested(following) else dropped[0]
        return self._dropped(output, self._keep_output, noise["output"]), following


def _keeps_all(keep):
    return not is_tensor_like(keep) and keep == 1


def _is_memory(state):
    """For each leaf of a state, whether it is the memory of an LSTM."""
    if isinstance(state, LSTMStateTuple):
        return [True, False]
    return [flag for part in state for flag in _is_memory(part)] if nest.is_nested(state) else [False]


class ResidualWrapper(_Wrapper):
    """Adds a cell's inputs to its outputs, or what `residual_fn(inputs, outputs)` makes of both."""

    def __init__(self, cell, residual_fn=None):
        super().__init__(cell)
        self._residual_fn = residual_fn or (lambda inputs, outputs: nest.map_structure(math.add, inputs, outputs))

    def _wrapped(self, inputs, state, scope):
        outputs, following = self._cell(inputs, state, scope)
        return self._residual_fn(inputs, outputs), following


class DeviceWrapper(_Wrapper):
    """A cell on a device of its own."""

    def __init__(self, cell, device):
        super().__init__(cell)
        self._device = device

    def _wrapped(self, inputs, state, scope):
        with get_default_graph().device(self._device):
            return self._cell(inputs, state, scope)
