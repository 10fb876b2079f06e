"""Optimizers: gradients, slots and updates come from the native library, under TensorFlow's names."""

from .._native import native
from ..framework.convert import convert_to_tensor
from ..framework.gradients import gradients, _native_gradient
from ..framework.graph import GraphKeys, IndexedSlices, Tensor, get_default_graph
from ..framework.variables import Variable, trainable_variables


class Optimizer:
    """Base of all. A subclass gives the native definition of its update rule."""

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    def __init__(self, use_locking, name):
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._name = name
        self._use_locking = use_locking
        self._slots = {}
        self._non_slots = {}

    def get_name(self):
        return self._name

    def _definition(self):
        raise NotImplementedError(f"{type(self).__name__} has no native definition")

    def minimize(self, loss, global_step=None, var_list=None, gate_gradients=GATE_OP, aggregation_method=None,
                 colocate_gradients_with_ops=False, name=None, grad_loss=None):
        """An operation that does one step: compute_gradients, then apply_gradients."""
        pairs = self.compute_gradients(loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops,
                                       grad_loss)
        if not any(g is not None for g, _ in pairs):
            raise ValueError("No gradients provided for any variable, check your graph for ops that do not support gradients, "
                             f"between variables {[str(v) for _, v in pairs]} and loss {loss}.")
        return self.apply_gradients(pairs, global_step, name)

    def compute_gradients(self, loss, var_list=None, gate_gradients=GATE_OP, aggregation_method=None,
                          colocate_gradients_with_ops=False, grad_loss=None):
        """A list of (gradient or None, variable)."""
        if var_list is None:
            var_list = trainable_variables() + get_default_graph().get_collection("trainable_resource_variables")
        var_list = [v for item in var_list for v in (item if isinstance(item, (list, tuple)) else getattr(
            item, "_variable_list", [item]))]
        if not var_list:
            raise ValueError("No variables to optimize.")
        found = gradients(loss() if callable(loss) else loss, var_list, grad_loss)
        return list(zip(found, var_list))

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """An operation that updates the variables and counts `global_step` up."""
        grads_and_vars = [(g, v) for g, v in grads_and_vars]
        if not grads_and_vars:
            raise ValueError("No variables provided.")
        pairs = []
        for gradient, variable in grads_and_vars:
            if gradient is None:
                continue
            if not isinstance(gradient, IndexedSlices):
                gradient = convert_to_tensor(gradient)
            pairs.append((gradient, variable))
        if not pairs:
            raise ValueError(f"No gradients provided for any variable: {[str(v) for _, v in grads_and_vars]}.")
        graph = get_default_graph()
        graph._check_open()
        graph._sync()
        update, made = native.apply_gradients(
            graph._native, graph._context(), self._definition(), [_native_gradient(g) for g, _ in pairs],
            [v._nodes for _, v in pairs], None if global_step is None else global_step._nodes, name or self._name)
        graph._sync()
        self._remember_slots(graph, [v for _, v in pairs], made)
        op = graph._operation(update)
        graph.add_to_collection(GraphKeys.TRAIN_OP, op)
        return op

    def _remember_slots(self, graph, variables, made):
        wrapped = [Variable._wrap(graph, nodes) for nodes in made]
        for variable in wrapped:
            graph.add_to_collection(GraphKeys.GLOBAL_VARIABLES, variable)
        names = self._definition().slot_names
        remaining = iter(wrapped)
        for variable in variables:
            if names and variable in self._slots.get(names[0], {}):
                continue
            for slot in names:
                self._slots.setdefault(slot, {})[variable] = next(remaining)
        for power in remaining:
            self._non_slots[power.op.name.rsplit("/", 1)[-1]] = power

    def get_slot(self, var, name):
        """The variable beside `var` that the optimizer keeps under `name`, or None."""
        return self._slots.get(name, {}).get(var)

    def get_slot_names(self):
        return sorted(self._slots)

    def variables(self):
        """All variables that the optimizer made."""
        slots = [v for by_variable in self._slots.values() for v in by_variable.values()]
        return sorted(slots + list(self._non_slots.values()), key=lambda v: v.name)


class GradientDescentOptimizer(Optimizer):
    """var -= learning_rate * gradient."""

    def __init__(self, learning_rate, use_locking=False, name="GradientDescent"):
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate

    def _definition(self):
        return native.gradient_descent(self._learning_rate)
