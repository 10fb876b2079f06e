"""What all layers have in common: their scope, their variables, building at the first call."""

import re

from ..framework import dtypes, nest
from ..framework.convert import convert_to_tensor
from ..framework.graph import GraphKeys, get_default_graph
from ..framework.variable_scope import get_variable, variable_scope


class InputSpec:
    """What a layer asks of its input: rank, lowest rank, extents by axis."""

    def __init__(self, dtype=None, shape=None, ndim=None, max_ndim=None, min_ndim=None, axes=None):
        self.dtype, self.shape, self.ndim = dtype, shape, ndim
        self.max_ndim, self.min_ndim, self.axes = max_ndim, min_ndim, axes or {}


def _snake_case(name):
    """"MaxPooling2D" -> "max_pooling2d"."""
    text = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", text).lower()


class Layer:
    """A function of tensors with variables of its own, which are made when it is first called.

    Subclasses define `build(input_shape)`, which calls `add_variable`, and `call(inputs)`. Calling the layer again uses the
    same variables. Without a `name` the scope is the class's name in snake case, made unique.
    """

    def __init__(self, trainable=True, name=None, dtype=None, activity_regularizer=None, _scope=None, _reuse=None):
        self.trainable = trainable
        self.built = False
        self.input_spec = None
        self._given_name = name
        self._base_name = name or _snake_case(type(self).__name__)
        self._dtype = None if dtype is None else dtypes.as_dtype(dtype).base_dtype
        self._activity_regularizer = activity_regularizer
        self._reuse = _reuse
        self._scope = None
        self._scope_given = _scope
        self._name_scope = None
        self._variables, self._trainable, self._updates, self._losses = [], [], [], []
        if _scope is not None and not isinstance(_scope, str):
            with variable_scope(_scope) as captured:
                self._keep(captured)

    def _keep(self, captured):
        self._scope, self._name_scope = captured, captured.original_name_scope

    def _open_scope(self):
        """Chooses the scope when the layer is first called."""
        if self._scope is not None:
            return
        if self._reuse:
            scope = variable_scope(self._scope_given or self._base_name, reuse=self._reuse)
        else:
            scope = variable_scope(self._scope_given or self._given_name, default_name=self._base_name)
        with scope as captured:
            self._keep(captured)

    # --- what it is

    @property
    def name(self):
        return self._scope.name if self._scope is not None else self._base_name

    @property
    def scope_name(self):
        """The name of the variable scope. Raises ValueError before the first call."""
        if self._scope is None:
            raise ValueError(f"No name available for layer scope because the layer \"{self._base_name}\" has not been used yet.")
        return self._scope.name

    @property
    def dtype(self):
        return None if self._dtype is None else self._dtype.name

    @property
    def graph(self):
        return self._variables[0].graph if self._variables else get_default_graph()

    @property
    def variables(self):
        return self.trainable_variables + self.non_trainable_variables

    @property
    def trainable_variables(self):
        return list(self._trainable) if self.trainable else []

    @property
    def non_trainable_variables(self):
        trained = self.trainable_variables
        return [v for v in self._variables if not any(v is t for t in trained)]

    weights = variables
    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables

    @property
    def updates(self):
        """Operations that a training step has to run too; they are in the collection UPDATE_OPS."""
        return list(self._updates)

    @property
    def losses(self):
        """Regularization losses; they are in the collection REGULARIZATION_LOSSES."""
        return list(self._losses)

    # --- for subclasses

    def build(self, input_shape):
        """Makes the variables."""
        self.built = True

    def call(self, inputs):
        """The layer's function."""
        return inputs

    def add_variable(self, name, shape, dtype=None, initializer=None, regularizer=None, trainable=True, constraint=None,
                     use_resource=None, partitioner=None):
        """A variable of the layer, for `build`."""
        graph = get_default_graph()
        before = len(graph.get_collection(GraphKeys.REGULARIZATION_LOSSES))
        variable = get_variable(name, shape=shape, dtype=dtypes.as_dtype(dtype or self._dtype or dtypes.float32),
                                initializer=initializer, regularizer=regularizer, trainable=trainable and self.trainable,
                                constraint=constraint, use_resource=use_resource, partitioner=partitioner)
        self._losses += graph.get_collection(GraphKeys.REGULARIZATION_LOSSES)[before:]
        self._variables.append(variable)
        if trainable:
            self._trainable.append(variable)
        return variable

    add_weight = add_variable

    def add_update(self, updates, inputs=None):
        """Operations for the collection UPDATE_OPS."""
        for update in updates if isinstance(updates, (list, tuple)) else [updates]:
            self._updates.append(update)
            get_default_graph().add_to_collection(GraphKeys.UPDATE_OPS, update)

    def add_loss(self, losses, inputs=None):
        """Losses for the collection REGULARIZATION_LOSSES."""
        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            self._losses.append(loss)
            get_default_graph().add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)

    def _channels(self, input_shape, axis):
        """The extent of the channel axis. Raises ValueError where it is not known."""
        extent = None if input_shape.rank is None else input_shape._dims[axis]
        if extent is None:
            raise ValueError(f"The {'last' if axis == -1 else 'channel'} dimension of the inputs to `{type(self).__name__}` should "
                             "be defined. Found `None`.")
        return extent

    def _check_input(self, inputs):
        spec, rank = self.input_spec, inputs.shape.rank
        if spec is None or rank is None:
            return
        if spec.ndim is not None and rank != spec.ndim or spec.min_ndim is not None and rank < spec.min_ndim:
            wanted = f"ndim={spec.ndim}" if spec.ndim is not None else f"min_ndim={spec.min_ndim}"
            raise ValueError(f"Input 0 of layer {self.name} is incompatible with the layer: expected {wanted}, found ndim={rank}. "
                             f"Full shape received: {inputs.shape}")
        for axis, extent in spec.axes.items():
            if inputs.shape._dims[axis] not in (None, extent):
                raise ValueError(f"Input 0 of layer {self.name} is incompatible with the layer: expected axis {axis} of input shape "
                                 f"to have value {extent} but received input with shape {inputs.shape}")

    # --- use

    def __call__(self, inputs, *args, **kwargs):
        self._open_scope()
        reuse = True if self.built and self._variables else self._reuse
        with variable_scope(self._scope, reuse=reuse, auxiliary_name_scope=False), \
                get_default_graph().name_scope(self._name_scope):
            inputs = nest.map_structure(convert_to_tensor, inputs)
            first = nest.flatten(inputs)[0]
            if self._dtype is None:
                self._dtype = first.dtype.base_dtype
            if not nest.is_nested(inputs):
                self._check_input(inputs)
            if not self.built:
                self.build(first.shape if not nest.is_nested(inputs) else nest.map_structure(lambda t: t.shape, inputs))
                self.built = True
                if not nest.is_nested(inputs):
                    self._check_input(inputs)
            outputs = self.call(inputs, *args, **kwargs)
            if self._activity_regularizer is not None:
                with get_default_graph().name_scope("ActivityRegularizer"):
                    self.add_loss([self._activity_regularizer(t) for t in nest.flatten(outputs)])
        return outputs

    def apply(self, inputs, *args, **kwargs):
        return self(inputs, *args, **kwargs)

    def count_params(self):
        """How many numbers the variables hold."""
        return sum(v.shape.num_elements() for v in self._variables)

    def __repr__(self):
        return f"<{type(self).__name__} '{self.name}'>"
