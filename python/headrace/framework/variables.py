"""Variables: tensors that outlive steps, kept on the device where they are placed."""

from .._native import native
from . import dtypes
from .convert import convert_to_tensor
from .graph import GraphKeys, Tensor, get_default_graph
from .op_library import apply_op
from .shape import TensorShape, as_shape

VariableSynchronization = type("VariableSynchronization", (), dict(AUTO=0, NONE=1, ON_WRITE=2, ON_READ=3))
VariableAggregation = type("VariableAggregation", (), dict(NONE=0, SUM=1, MEAN=2, ONLY_FIRST_REPLICA=3))


class Variable:
    """A variable with an initial value.

    `initial_value`: a tensor, anything that becomes one, or a function without arguments that makes one (then with `dtype`).
    Added to the collections GLOBAL_VARIABLES, and TRAINABLE_VARIABLES if `trainable`. Read it by using it as a tensor.
    """

    def __init__(self, initial_value=None, trainable=None, collections=None, validate_shape=True, caching_device=None,
                 name=None, variable_def=None, dtype=None, expected_shape=None, import_scope=None, constraint=None,
                 use_resource=None, synchronization=None, aggregation=None, shape=None, _slice=None):
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        graph = get_default_graph()
        while hasattr(graph, "outer_graph"):
            graph = graph.outer_graph
        trainable = trainable is None or trainable
        collections = [GraphKeys.GLOBAL_VARIABLES] if collections is None else list(collections)
        if trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
            collections.append(GraphKeys.TRAINABLE_VARIABLES)
        dtype = None if dtype is None else dtypes.as_dtype(dtype)
        with graph.as_default():
            nodes = _make_nodes(graph, initial_value, name or "Variable", dtype, shape if shape is not None else expected_shape,
                                trainable, validate_shape, use_resource is not False, _slice)
        self._from_nodes(graph, nodes)
        self.constraint = constraint
        graph.add_to_collections(collections, self)

    def _from_nodes(self, graph, nodes):
        self._nodes = nodes
        self._graph = graph
        self._dtype = dtypes.as_dtype(nodes.dtype)
        self._shape = TensorShape(nodes.shape)
        self.handle = graph._by_id(nodes.handle)
        self._initial_value = graph._by_id(nodes.initial_value)
        self.initializer = graph._by_id(nodes.initializer)
        self._snapshot = graph._by_id(nodes.snapshot)
        if not nodes.is_ref:  # a ref variable's first output is its value already
            graph._variable_values[self.handle.op.name] = self._snapshot
        self._is_initialized = None if nodes.is_initialized is None else graph._by_id(nodes.is_initialized)
        self.constraint = None

    @classmethod
    def _wrap(cls, graph, nodes):
        """The Variable of nodes that native code made."""
        variable = object.__new__(cls)
        variable._from_nodes(graph, nodes)
        return variable

    # --- what it is

    @property
    def name(self):
        return self._nodes.name + ":0"

    @property
    def _shared_name(self):
        return self._nodes.name

    @property
    def op(self):
        return self.handle.op

    @property
    def graph(self):
        return self._graph

    @property
    def device(self):
        return self.handle.device

    @property
    def dtype(self):
        return self._dtype

    @property
    def shape(self):
        return self._shape

    def get_shape(self):
        return self._shape

    @property
    def trainable(self):
        return self._nodes.trainable

    @property
    def initial_value(self):
        return self._initial_value

    @property
    def create(self):
        return self.initializer

    def initialized_value(self):
        """Its value if it is initialized, else its initial value."""
        from ..ops.control_flow import cond
        return cond(is_variable_initialized(self), self.read_value, lambda: self._initial_value)

    def _ref(self):
        """What ops on ref variables take."""
        return self.handle

    # --- reading

    def _as_tensor(self, dtype=None, name=None):
        if dtype is not None and dtype.base_dtype is not self._dtype:
            raise ValueError(f"Incompatible type conversion requested to type '{dtype.name}' for variable of type "
                             f"'{self._dtype.name}'")
        return self.value()

    def _as_graph_element(self):
        return self._snapshot

    def value(self):
        """A tensor with the value at the time when the step reads it; all readers of a ref variable share one."""
        if self._nodes.is_ref:
            return self._snapshot
        graph = get_default_graph()
        if graph is not self._graph:
            outer = graph
            while hasattr(outer, "outer_graph"):
                outer = outer.outer_graph
            with outer.as_default():
                return self.value()
        return self._read("ReadVariableOp")

    def _read(self, name):
        # Read where the variable is, not where the reader is colocated.
        graph = self._graph
        with graph.name_scope(self._nodes.name + "/"), graph.colocate_with(None, ignore_existing=True):
            return graph.create_op("ReadVariableOp", [self.handle], {"dtype": self._dtype.as_datatype_enum}, name).outputs[0]

    def read_value(self):
        """A read of its own, after the control dependencies of this moment."""
        return apply_op("Identity", self.handle, name="read") if self._nodes.is_ref else self.value()

    def _reads(self):
        """All reads of the variable that the graph has so far: what is fed in its place."""
        return [op.outputs[0] for op in self.handle.consumers() if op.type == "ReadVariableOp"]

    def eval(self, session=None):
        return self._snapshot.eval(session=session)

    def load(self, value, session=None):
        """Sets the value at once, in `session`."""
        from .session import _session_for
        session = _session_for(self._graph, session, "load")
        session.run(self.initializer, {self._initial_value: value})

    def sparse_read(self, indices, name=None):
        if self._nodes.is_ref:
            return apply_op("GatherV2", self._snapshot, indices, 0, name=name)
        indices = convert_to_tensor(indices)
        rows = apply_op("ResourceGather", self.handle, indices, dtype=self._dtype, name=name)
        rows.set_shape(indices.shape.concatenate(self._shape[1:]))  # a handle that a function captured does not tell it
        return rows

    # --- writing

    def _assign(self, op_type, value, name, read_value, **attrs):
        if not hasattr(value, "_as_tensor") and not isinstance(value, Tensor):
            value = convert_to_tensor(value, self._dtype, name="value")
        value = convert_to_tensor(value, self._dtype)
        if attrs.get("validate_shape", True):
            self._shape.assert_is_compatible_with(value.shape)
        if self._nodes.is_ref:
            changed = apply_op(op_type, self, value, name=name, **attrs)
            return changed if read_value else changed.op
        graph = get_default_graph()
        with graph.colocate_with(None, ignore_existing=True):
            op = graph.create_op(op_type + "VariableOp", [self.handle, value], {"dtype": self._dtype.as_datatype_enum}, name)
        if not read_value:
            return op
        return _Assigned(self, op)

    def assign(self, value, use_locking=None, name=None, read_value=True):
        """Sets the value when it runs; the result is the variable after that."""
        return self._assign("Assign", value, name or "Assign", read_value)

    def assign_add(self, delta, use_locking=None, name=None, read_value=True):
        return self._assign("AssignAdd", delta, name or "AssignAdd", read_value)

    def assign_sub(self, delta, use_locking=None, name=None, read_value=True):
        return self._assign("AssignSub", delta, name or "AssignSub", read_value)

    def count_up_to(self, limit):
        """Counts up by one; raises tf.errors.OutOfRangeError at the limit. The result is the value before."""
        if self._nodes.is_ref:
            return apply_op("CountUpTo", self, limit=limit)
        return apply_op("ResourceCountUpTo", self.handle, limit=limit, T=self._dtype)

    def _scatter(self, op_type, slices, name=None):
        """The variable after an op "Scatter..." or "ScatterNd..." on (indices, values)."""
        values = convert_to_tensor(slices.values, self._dtype)
        if self._nodes.is_ref:
            return apply_op(op_type, self, slices.indices, values, name=name)
        attrs = {} if op_type.startswith("ScatterNd") else {"dtype": self._dtype}
        return _Assigned(self, apply_op("Resource" + op_type, self.handle, slices.indices, values, name=name, **attrs))

    def scatter_add(self, sparse_delta, use_locking=False, name=None):
        return self._scatter("ScatterAdd", sparse_delta, name)

    def scatter_sub(self, sparse_delta, use_locking=False, name=None):
        return self._scatter("ScatterSub", sparse_delta, name)

    def scatter_update(self, sparse_delta, use_locking=False, name=None):
        return self._scatter("ScatterUpdate", sparse_delta, name)

    def set_shape(self, shape):
        self._shape = self._shape.merge_with(shape)

    def __hash__(self):
        return id(self)

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    def __iter__(self):
        raise TypeError("'Variable' object is not iterable.")

    def __repr__(self):
        return f"<tf.Variable '{self.name}' shape={self._shape} dtype={self._dtype.name}>"


class _Assigned:
    """A variable after an assignment: runs it as an operation, reads the new value as a tensor."""

    def __init__(self, variable, op):
        self._variable = variable
        self.op = op
        # Made at once, since the graph may be finished when the value is asked for.
        with op.graph.control_dependencies([op]), op.graph.colocate_with(None, ignore_existing=True):
            self._value = op.graph.create_op("ReadVariableOp", [variable.handle], {"dtype": variable.dtype.as_datatype_enum},
                                             "ReadVariableOp").outputs[0]
        self._value.set_shape(variable.shape)

    def _as_tensor(self, dtype=None, name=None):
        return self._value

    def _as_graph_element(self):
        return self._as_tensor()

    @property
    def graph(self):
        return self.op.graph

    @property
    def name(self):
        return self._as_tensor().name

    @property
    def dtype(self):
        return self._variable.dtype

    @property
    def shape(self):
        return self._variable.shape

    def get_shape(self):
        return self.shape

    def eval(self, feed_dict=None, session=None):
        return self._as_tensor().eval(feed_dict, session)

    def __repr__(self):
        return f"<assigned {self._variable!r}>"


def _make_nodes(graph, initial_value, name, dtype, shape, trainable, validate_shape, use_resource, slice_info):
    """Adds the nodes of a variable; returns the native VariableNodes. `slice_info`: (full name, full shape, offset) or None."""
    graph._check_open()
    unique = name[:-1] if name.endswith("/") else graph.unique_name(name)
    scope, _, last = unique.rpartition("/")
    made = None
    if not callable(initial_value):
        with graph.name_scope(unique + "/"):
            made = convert_to_tensor(initial_value, dtype, name="initial_value")
        dtype = dtype or made.dtype.base_dtype
        if validate_shape and not made.shape.is_fully_defined():
            raise ValueError(f"initial_value must have a shape specified: {made}")
        shape = made.shape if shape is None else TensorShape(shape).merge_with(made.shape)
    elif shape is None or dtype is None:
        with graph.control_dependencies(None), graph.name_scope(f"{unique}/Initializer/"):
            made = convert_to_tensor(initial_value(), dtype)
        dtype, shape = dtype or made.dtype.base_dtype, made.shape
    dims = None if not validate_shape or shape is None else as_shape(shape)._dims

    def build(prefix, handle):
        if made is not None:
            return made._key()
        with graph.control_dependencies(None), graph.name_scope(prefix), graph.colocate_with(graph._operation(handle)):
            return convert_to_tensor(initial_value(), dtype)._key()

    before, graph._control = graph._control, []
    try:
        options = native.VariableOptions(last, dtype.base_dtype.as_datatype_enum, None if dims is None else list(dims),
                                         trainable=trainable, use_resource=use_resource, slice=slice_info)
        nodes = native.make_variable(graph._native, graph._context(scope), options, build)
    finally:
        graph._control = before
    graph._sync()
    return nodes


def is_variable_initialized(variable):
    """A bool scalar tensor: whether the variable has a value."""
    if variable._is_initialized is None:
        op_type = "IsVariableInitialized" if variable.handle.dtype._is_ref_dtype else "VarIsInitializedOp"
        with variable.graph.colocate_with(variable.op):
            variable._is_initialized = variable.graph.create_op(op_type, [variable.handle]).outputs[0]
    return variable._is_initialized


def global_variables(scope=None):
    return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def trainable_variables(scope=None):
    return get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def local_variables(scope=None):
    return get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def model_variables(scope=None):
    return get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


def moving_average_variables(scope=None):
    return get_default_graph().get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def _all_saveable_objects(scope=None):
    graph = get_default_graph()
    return graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope) + graph.get_collection(GraphKeys.SAVEABLE_OBJECTS, scope)


def group(*inputs, name=None):
    """One operation that runs all of `inputs` (operations, tensors, variables, or lists of them)."""
    flat = []

    def collect(item):
        if isinstance(item, (list, tuple)):
            for inner in item:
                collect(inner)
        elif item is not None:
            flat.append(item)

    collect(inputs)
    graph = get_default_graph()
    with graph.control_dependencies(flat):
        return graph.create_op("NoOp", (), name=name or "group_deps")


def no_op(name=None):
    return get_default_graph().create_op("NoOp", (), name=name)


def variables_initializer(var_list, name="init"):
    """An operation that initializes the variables."""
    return group(*[v.initializer for v in var_list], name=name)


def global_variables_initializer():
    return variables_initializer(global_variables())


def local_variables_initializer():
    return variables_initializer(local_variables())


initialize_variables = variables_initializer
initialize_all_variables = global_variables_initializer
initialize_local_variables = local_variables_initializer
all_variables = global_variables


def report_uninitialized_variables(var_list=None, name="report_uninitialized_variables"):
    """A string vector: the names of the variables that have no value yet."""
    if var_list is None:
        var_list = global_variables() + local_variables()
    graph = get_default_graph()
    with graph.name_scope(name):
        if not var_list:
            return convert_to_tensor([], dtypes.string)
        with graph.device("/cpu:0"):
            flags = apply_op("Pack", [is_variable_initialized(v) for v in var_list])
            missing = apply_op("LogicalNot", flags)
            names = convert_to_tensor([v.op.name for v in var_list])
            rows = apply_op("Squeeze", apply_op("Where", missing), squeeze_dims=[1])
            return apply_op("GatherV2", names, rows, 0)


def assert_variables_initialized(var_list=None):
    """An operation that fails when one of the variables has no value."""
    missing = report_uninitialized_variables(var_list)
    return apply_op("Assert", apply_op("Equal", apply_op("Size", missing), 0), [missing])


def assign(ref, value, validate_shape=None, use_locking=None, name=None):
    """Sets the variable when it runs."""
    if isinstance(ref, Tensor):  # what an assignment of a ref variable returned
        return apply_op("Assign", ref, value, validate_shape=validate_shape, name=name)
    attrs = {} if validate_shape is None or not ref._nodes.is_ref else {"validate_shape": validate_shape}
    return ref._assign("Assign", value, name or "Assign", True, **attrs)


def assign_add(ref, value, use_locking=None, name=None):
    """Adds to the variable when it runs."""
    return apply_op("AssignAdd", ref, value, name=name) if isinstance(ref, Tensor) else ref.assign_add(value, name=name)


def assign_sub(ref, value, use_locking=None, name=None):
    """Subtracts from the variable when it runs."""
    return apply_op("AssignSub", ref, value, name=name) if isinstance(ref, Tensor) else ref.assign_sub(value, name=name)


def count_up_to(ref, limit, name=None):
    """ref.count_up_to(limit)."""
    return ref.count_up_to(limit)
