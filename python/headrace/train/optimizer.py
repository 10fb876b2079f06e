"""Optimizers: gradients, slots and updates come from the native library, under TensorFlow's names."""

from .._native import native
from ..framework.convert import convert_to_tensor, is_tensor_like
from ..framework.gradients import _native_gradient, gradients
from ..framework.graph import GraphKeys, IndexedSlices, get_default_graph
from ..framework.variable_scope import slot_scope
from ..framework.variables import Variable, trainable_variables


class Optimizer:
    """Base of all. A subclass gives the native definition of its update rule and the values of its hyperparameters.

    A hyperparameter may be a number, a tensor (computed in each step) or a function without arguments that makes one.
    """

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    def __init__(self, use_locking, name, define=None, arguments=(), tensors=None):
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._name = name
        self._use_locking = use_locking
        self._define, self._arguments = define, arguments
        self._slot_variable_names = {}  # what a slot's variable is called in place of the optimizer's name
        self._tensors = tensors or {}  # hyperparameters by their native names, which may be tensors
        self._states = {}  # by graph: what was made there so far

    def get_name(self):
        return self._name

    def _definition(self):
        if self._define is None:
            raise NotImplementedError(f"{type(self).__name__} has no native definition")
        definition = self._define(*[0.0 if _is_computed(a) else a for a in self._arguments])
        definition.name = self._name
        for slot, name in self._slot_variable_names.items():
            definition.name_slot(slot, name)
        return definition

    def _computed(self):
        values = {key: value() if callable(value) and not is_tensor_like(value) else value
                  for key, value in self._tensors.items()}
        return {key: convert_to_tensor(value)._key() for key, value in values.items() if is_tensor_like(value)}

    def _state(self, graph):
        if graph not in self._states:
            self._states[graph] = (native.OptimizerState(), {}, [])
        return self._states[graph]

    def minimize(self, loss, global_step=None, var_list=None, gate_gradients=GATE_OP, aggregation_method=None,
                 colocate_gradients_with_ops=False, name=None, grad_loss=None):
        """An operation that does one step: compute_gradients, then apply_gradients."""
        pairs = self.compute_gradients(loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops,
                                       grad_loss)
        if all(g is None for g, _ in pairs):
            raise ValueError("No gradients provided for any variable, check your graph for ops that do not support gradients, "
                             f"between variables {[str(v) for _, v in pairs]} and loss {loss}.")
        return self.apply_gradients(pairs, global_step, name)

    def compute_gradients(self, loss, var_list=None, gate_gradients=GATE_OP, aggregation_method=None,
                          colocate_gradients_with_ops=False, grad_loss=None):
        """A list of (gradient or None, variable)."""
        if var_list is None:
            var_list = trainable_variables()
        if not isinstance(var_list, (list, tuple)):
            var_list = [var_list]
        var_list = [v for item in var_list for v in getattr(item, "_variable_list", [item])]
        if not var_list:
            raise ValueError("No variables to optimize.")
        loss = convert_to_tensor(loss() if callable(loss) else loss)
        if not loss.dtype.is_floating:
            raise ValueError(f"Invalid type {loss.dtype!r} for {loss.name}, expected: a floating type.")
        found = gradients(loss, var_list, grad_loss)
        return list(zip(found, var_list))

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """An operation that updates the variables and then counts `global_step` up."""
        grads_and_vars = [(g, v) for g, v in grads_and_vars]
        if not grads_and_vars:
            raise ValueError("No variables provided.")
        pairs = [(g if isinstance(g, IndexedSlices) else convert_to_tensor(g), v) for g, v in grads_and_vars if g is not None]
        if not pairs:
            raise ValueError(f"No gradients provided for any variable: {[str(v) for _, v in grads_and_vars]}.")
        graph = get_default_graph()
        graph._check_open()
        computed = self._computed()
        state, slots, others = self._state(graph)
        graph._sync()
        update, made = native.apply_gradients(
            graph._native, graph._context(), self._definition(), state, [_native_gradient(g) for g, _ in pairs],
            [v._nodes for _, v in pairs], None if global_step is None else global_step._nodes, name or self._name, slot_scope(),
            computed)
        graph._sync()
        self._remember(graph, state, slots, others, [v for _, v in pairs], made)
        op = graph._operation(update)
        if op not in graph.get_collection_ref(GraphKeys.TRAIN_OP):
            graph.add_to_collection(GraphKeys.TRAIN_OP, op)
        return op

    def _remember(self, graph, state, slots, others, variables, made):
        wrapped = {}
        for nodes in made:
            variable = wrapped[nodes.name] = Variable._wrap(graph, nodes)
            graph.add_to_collection(GraphKeys.GLOBAL_VARIABLES, variable)
        slot_names = self._definition().slot_names
        for variable in variables:
            for slot, nodes in zip(slot_names, state.slots.get(variable._nodes.name, [])):
                if nodes.name in wrapped:
                    slots.setdefault(_SLOT_NAMES.get(slot, slot), {})[variable] = wrapped[nodes.name]
        others += [wrapped[nodes.name] for nodes in state.powers if nodes.name in wrapped]

    def get_slot(self, var, name):
        """The variable beside `var` that the optimizer keeps under `name`, or None."""
        state = self._states.get(var.graph)
        return state[1].get(name, {}).get(var) if state else None

    def get_slot_names(self):
        return sorted({name for _, slots, _ in self._states.values() for name in slots})

    def variables(self):
        """All variables that the optimizer made in the default graph."""
        state = self._states.get(get_default_graph())
        if state is None:
            return []
        slots = [v for by_variable in state[1].values() for v in by_variable.values()]
        return sorted(slots + state[2], key=lambda v: v.name)


# What programs call a slot whose native name tells it from a hyperparameter.
_SLOT_NAMES = {"momentum_slot": "momentum"}


def _is_computed(value):
    return is_tensor_like(value) or callable(value)


class GradientDescentOptimizer(Optimizer):
    """var -= learning_rate * gradient."""

    def __init__(self, learning_rate, use_locking=False, name="GradientDescent"):
        super().__init__(use_locking, name, native.gradient_descent, (learning_rate,), {"learning_rate": learning_rate})


class MomentumOptimizer(Optimizer):
    """accumulation = momentum * accumulation + gradient; var -= learning_rate * accumulation (or Nesterov's variant)."""

    def __init__(self, learning_rate, momentum, use_locking=False, name="Momentum", use_nesterov=False):
        super().__init__(use_locking, name, native.momentum, (learning_rate, momentum, use_nesterov),
                         {"learning_rate": learning_rate, "momentum": momentum})


class AdagradOptimizer(Optimizer):
    """Steps divided by the root of the sum of squared gradients (Duchi et al. 2011)."""

    def __init__(self, learning_rate, initial_accumulator_value=0.1, use_locking=False, name="Adagrad"):
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name, native.adagrad, (learning_rate, initial_accumulator_value),
                         {"learning_rate": learning_rate})


class AdadeltaOptimizer(Optimizer):
    """Steps scaled by the ratio of past steps to past gradients (Zeiler 2012)."""

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-8, use_locking=False, name="Adadelta"):
        super().__init__(use_locking, name, native.adadelta, (learning_rate, rho, epsilon),
                         {"learning_rate": learning_rate, "rho": rho, "epsilon": epsilon})


class AdamOptimizer(Optimizer):
    """Adaptive moments (Kingma and Ba 2014)."""

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, use_locking=False, name="Adam"):
        super().__init__(use_locking, name, native.adam, (learning_rate, beta1, beta2, epsilon),
                         {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon})


class RMSPropOptimizer(Optimizer):
    """Steps divided by the root of the mean squared gradient, with momentum (Tieleman and Hinton 2012)."""

    def __init__(self, learning_rate, decay=0.9, momentum=0.0, epsilon=1e-10, use_locking=False, centered=False,
                 name="RMSProp"):
        super().__init__(use_locking, name, native.rms_prop, (learning_rate, decay, momentum, epsilon, centered),
                         {"learning_rate": learning_rate, "decay": decay, "momentum": momentum, "epsilon": epsilon})


class FtrlOptimizer(Optimizer):
    """Follow the regularized leader (McMahan et al. 2013)."""

    def __init__(self, learning_rate, learning_rate_power=-0.5, initial_accumulator_value=0.1, l1_regularization_strength=0.0,
                 l2_regularization_strength=0.0, use_locking=False, name="Ftrl", accum_name=None, linear_name=None,
                 l2_shrinkage_regularization_strength=0.0, beta=None):
        if learning_rate_power > 0:
            raise ValueError(f"learning_rate_power needs to be negative or zero; got {learning_rate_power}")
        for what, value in (("initial_accumulator_value", initial_accumulator_value),
                            ("l1_regularization_strength", l1_regularization_strength),
                            ("l2_regularization_strength", l2_regularization_strength)):
            if value < 0:
                raise ValueError(f"{what} {value} needs to be positive or zero")
        super().__init__(use_locking, name, native.ftrl,
                         (learning_rate, learning_rate_power, initial_accumulator_value, l1_regularization_strength,
                          l2_regularization_strength, beta or 0.0, l2_shrinkage_regularization_strength),
                         {"learning_rate": learning_rate})
        self._slot_variable_names = {key: value for key, value in (("accum", accum_name), ("linear", linear_name)) if value}


class ProximalGradientDescentOptimizer(Optimizer):
    """Gradient descent with l1 and l2 regularization in the step."""

    def __init__(self, learning_rate, l1_regularization_strength=0.0, l2_regularization_strength=0.0, use_locking=False,
                 name="ProximalGradientDescent"):
        super().__init__(use_locking, name, native.proximal_gradient_descent,
                         (learning_rate, l1_regularization_strength, l2_regularization_strength, 0.1),
                         {"learning_rate": learning_rate})


class ProximalAdagradOptimizer(Optimizer):
    """Adagrad with l1 and l2 regularization in the step."""

    def __init__(self, learning_rate, initial_accumulator_value=0.1, l1_regularization_strength=0.0,
                 l2_regularization_strength=0.0, use_locking=False, name="ProximalAdagrad"):
        super().__init__(use_locking, name, native.proximal_adagrad,
                         (learning_rate, l1_regularization_strength, l2_regularization_strength, initial_accumulator_value),
                         {"learning_rate": learning_rate})


class AdagradDAOptimizer(Optimizer):
    """Adagrad with dual averaging."""

    def __init__(self, learning_rate, global_step, initial_gradient_squared_accumulator_value=0.1,
                 l1_regularization_strength=0.0, l2_regularization_strength=0.0, use_locking=False, name="AdagradDA"):
        super().__init__(use_locking, name, native.adagrad_da,
                         (learning_rate, l1_regularization_strength, l2_regularization_strength,
                          initial_gradient_squared_accumulator_value),
                         {"learning_rate": learning_rate, "global_step": lambda: global_step.value() + 1})
