"""Moving averages of variables."""

import numpy as np

from ..framework.convert import convert_to_tensor
from ..framework.graph import GraphKeys, get_default_graph, name_scope
from ..framework.variable_scope import slot_scope
from ..framework.variables import Variable, group, trainable_variables
from ..ops import array, math


class ExponentialMovingAverage:
    """Shadow variables that follow others: shadow -= (1 - decay) * (shadow - value).

    With `num_updates` (a step count) the decay is at most (1 + n) / (10 + n), so that averages move faster at first.
    """

    def __init__(self, decay, num_updates=None, zero_debias=False, name="ExponentialMovingAverage"):
        self._decay, self._num_updates, self._name = decay, num_updates, name
        self._zero_debias = zero_debias
        self._averages = {}

    @property
    def name(self):
        return self._name

    def _shadow(self, var):
        graph = get_default_graph()
        name = f"{slot_scope()}{var.op.name}/{self._name}"
        collections = [GraphKeys.GLOBAL_VARIABLES]
        initial = var.initial_value if isinstance(var, Variable) else (
            lambda: math.cast(np.zeros(var.shape.as_list(), var.dtype.as_numpy_dtype), var.dtype))
        part = var._nodes.slice if isinstance(var, Variable) else None
        if part is not None:  # the average of a part is a part of the whole's average
            part = (f"{part[0]}/{self._name}", *part[1:])
        with graph.name_scope(None), graph.colocate_with(var.op):
            return Variable(initial, trainable=False, collections=collections, name=name, dtype=var.dtype, shape=var.shape,
                            _slice=part)

    def apply(self, var_list=None):
        """An operation that updates the averages of the variables (or tensors)."""
        var_list = trainable_variables() if var_list is None else var_list
        graph = get_default_graph()
        for var in var_list:
            if not var.dtype.is_floating:
                raise TypeError(f"The variables must be half, float, or double: {var.name}")
            if var not in self._averages:
                self._averages[var] = self._shadow(var)
                if isinstance(var, Variable) and var not in graph.get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES):
                    graph.add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, var)
        with name_scope(self._name) as scope:
            decay = convert_to_tensor(self._decay, name="decay")
            if self._num_updates is not None:
                count = math.cast(self._num_updates, decay.dtype)
                decay = math.minimum(decay, (1.0 + count) / (10.0 + count))
            updates = [assign_moving_average(self._averages[var], var, decay,
                                             self._zero_debias and not isinstance(var, Variable)) for var in var_list]
            return group(*updates, name=scope)

    def average(self, var):
        """The shadow variable, or None."""
        return self._averages.get(var)

    def average_name(self, var):
        """Its name, also before apply."""
        known = self._averages.get(var)
        if known is not None:
            return known.op.name
        return get_default_graph().unique_name(f"{var.op.name}/{self._name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables=None):
        """{name in checkpoints: variable}, so that a Saver restores averages into the variables themselves."""
        graph = get_default_graph()
        if moving_avg_variables is None:
            moving_avg_variables = trainable_variables() + graph.get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES)
        averaged = list(dict.fromkeys(moving_avg_variables))
        result = {self.average_name(v): v for v in averaged}
        names = {v.op.name for v in averaged}
        for variable in graph.get_collection(GraphKeys.GLOBAL_VARIABLES):
            if variable.op.name not in names and variable.op.name not in result:
                result[variable.op.name] = variable
        return result


def assign_moving_average(variable, value, decay, zero_debias=False, name=None):
    """variable -= (1 - decay) * (variable - value), as an operation.

    `zero_debias`: the average of a variable that began as zeros is divided by the weight that values have in it so far.
    """
    with get_default_graph().colocate_with(variable.op):
        value = convert_to_tensor(value)
        rate = math.cast(1.0 - convert_to_tensor(decay), variable.dtype)
        if zero_debias:
            return _assign_without_bias(variable, value, rate, name)
        return variable.assign_sub((variable.value() - value) * rate, name=name)


def _assign_without_bias(variable, value, rate, name):
    """variable = the biased average / (1 - decay ** count), which are kept in variables of their own."""
    graph = get_default_graph()
    with graph.name_scope(None):
        biased = Variable(lambda: array.zeros(variable.shape, variable.dtype), trainable=False, name=f"{variable.op.name}/biased",
                          dtype=variable.dtype, shape=variable.shape)
        count = Variable(lambda: array.zeros([], variable.dtype), trainable=False, name=f"{variable.op.name}/local_step",
                         dtype=variable.dtype, shape=[])
    moved = convert_to_tensor(biased.assign_sub((biased.value() - value) * rate))
    counted = convert_to_tensor(count.assign_add(1.0))
    weight = 1.0 - math.pow(1.0 - rate, counted)
    return variable.assign(moved / weight, name=name)
