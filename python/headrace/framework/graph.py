"""Graph, Operation, Tensor: what Python knows of the native graph, and the scopes under which it grows."""

import contextlib
import re
import sys
import threading

from .._native import native
from . import dtypes, errors
from .shape import TensorShape, as_shape

_VALID_OP_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")
_VALID_SCOPE_NAME = re.compile(r"^[A-Za-z0-9_.\\/>-]*$")


class GraphKeys:
    """The names of the collections that the library itself uses."""
    GLOBAL_VARIABLES = "variables"
    VARIABLES = "variables"
    LOCAL_VARIABLES = "local_variables"
    METRIC_VARIABLES = "metric_variables"
    MODEL_VARIABLES = "model_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    SUMMARIES = "summaries"
    QUEUE_RUNNERS = "queue_runners"
    TABLE_INITIALIZERS = "table_initializer"
    ASSET_FILEPATHS = "asset_filepaths"
    REGULARIZATION_LOSSES = "regularization_losses"
    CONCATENATED_VARIABLES = "concatenated_variables"
    SAVERS = "savers"
    WEIGHTS = "weights"
    BIASES = "biases"
    ACTIVATIONS = "activations"
    UPDATE_OPS = "update_ops"
    LOSSES = "losses"
    SAVEABLE_OBJECTS = "saveable_objects"
    RESOURCES = "resources"
    LOCAL_RESOURCES = "local_resources"
    INIT_OP = "init_op"
    LOCAL_INIT_OP = "local_init_op"
    READY_OP = "ready_op"
    READY_FOR_LOCAL_INIT_OP = "ready_for_local_init_op"
    SUMMARY_OP = "summary_op"
    GLOBAL_STEP = "global_step"
    GLOBAL_STEP_READ = "global_step_read_op_cache"
    EVAL_STEP = "eval_step"
    TRAIN_OP = "train_op"
    COND_CONTEXT = "cond_context"
    WHILE_CONTEXT = "while_context"


class Tensor:
    """One output of an operation. Holds no value: Session.run computes it."""

    __slots__ = ("op", "value_index", "__weakref__", "__dict__")
    __array_priority__ = 100

    def __init__(self, op, index):
        self.op = op
        self.value_index = index

    @property
    def graph(self):
        return self.op.graph

    @property
    def name(self):
        return f"{self.op.name}:{self.value_index}"

    @property
    def device(self):
        return self.op.device

    @property
    def dtype(self):
        return dtypes.as_dtype(self.op._node.output_type(self.value_index))

    @property
    def shape(self):
        return TensorShape(self.op._node.output_shape(self.value_index))

    def get_shape(self):
        return self.shape

    def set_shape(self, shape):
        """Adds what is known of the shape. Raises ValueError when it contradicts."""
        dims = as_shape(shape)._dims
        self.op._node.set_shape(self.value_index, None if dims is None else list(dims))

    def consumers(self):
        """The operations that use this tensor."""
        return [op for op in self.graph.get_operations() if any(t is self for t in op.inputs)]

    def eval(self, feed_dict=None, session=None):
        """Its value: `session.run(self, feed_dict)`, with the default session unless one is given."""
        from .session import _session_for
        return _session_for(self.graph, session, "eval").run(self, feed_dict)

    def _key(self):
        return self.op._node, self.value_index

    def __hash__(self):
        return id(self)

    def __eq__(self, other):
        return self is other

    def __ne__(self, other):
        return self is not other

    def __len__(self):
        raise TypeError(f"len is not well defined for a symbolic Tensor ({self.name}). Please call `x.shape` rather than "
                        "`len(x)` for shape information.")

    def __bool__(self):
        raise TypeError(f"Using a symbolic tensor ({self.name}) as a Python `bool` is not allowed. Use `if t is not None:` to "
                        "test if a tensor is defined, and ops such as tf.cond to execute subgraphs conditioned on its value.")

    def __iter__(self):
        shape = self.shape
        if shape.rank is None:
            raise TypeError("Cannot iterate over a tensor with unknown shape.")
        if shape.rank == 0:
            raise TypeError("Cannot iterate over a scalar tensor.")
        if shape._dims[0] is None:
            raise TypeError("Cannot iterate over a tensor with unknown first dimension.")
        return (self[i] for i in range(shape._dims[0]))

    def __array__(self, dtype=None, copy=None):
        raise NotImplementedError(f"Cannot convert a symbolic Tensor ({self.name}) to a numpy array.")

    def __repr__(self):
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    __str__ = lambda self: f'Tensor("{self.name}", shape={self.shape}, dtype={self.dtype.name})'


class Operation:
    """A node of the graph: something to run, or to wait for."""

    __slots__ = ("graph", "_node", "_outputs", "_frame", "__weakref__", "__dict__")

    def __init__(self, graph, node):
        self.graph = graph
        self._node = node
        self._outputs = None
        self._frame = None

    @property
    def name(self):
        return self._node.name

    @property
    def type(self):
        return self._node.op

    @property
    def device(self):
        return self._node.device

    @property
    def outputs(self):
        if self._outputs is None:
            self._outputs = [Tensor(self, i) for i in range(self._node.num_outputs)]
        return self._outputs

    @property
    def inputs(self):
        return tuple(self.graph._tensor(key) for key in self._node.inputs)

    @property
    def control_inputs(self):
        return [self.graph._operation(node) for node in self._node.control_inputs]

    @property
    def node_def(self):
        """The NodeDef message of this operation."""
        return next(node for node in self.graph.as_graph_def().node if node.name == self.name)

    @property
    def op_def(self):
        return native.op_signature(self.type)

    @property
    def traceback(self):
        return [self._frame] if self._frame else []

    def traceback_line(self):
        """"file.py:12", where the program made this operation; "" when unknown."""
        return self._frame or ""

    def get_attr(self, name):
        """The attribute's value. Raises ValueError when there is none of that name."""
        value = self._node.attr(name)
        kind = _attr_kinds(self.type).get(name, "")
        if kind == "type":
            return dtypes.as_dtype(value)
        if kind == "list(type)":
            return [dtypes.as_dtype(v) for v in value]
        if kind == "shape":
            return TensorShape(value)
        if kind == "list(shape)":
            return [TensorShape(v) for v in value]
        return value

    def colocation_groups(self):
        groups = self._node.attr("_class") if "_class" in self._node.attr_names else []
        return groups or [b"loc:@" + self.name.encode()]

    def run(self, feed_dict=None, session=None):
        """Runs it with the default session, unless one is given."""
        from .session import _session_for
        _session_for(self.graph, session, "run").run(self, feed_dict)

    def values(self):
        return tuple(self.outputs)

    def _set_device(self, device):
        self._node.set_device(_device_text(device))

    def __repr__(self):
        return f"<tf.Operation '{self.name}' type={self.type}>"


_KINDS = {}


def _attr_kinds(op_type):
    kinds = _KINDS.get(op_type)
    if kinds is None:
        kinds = _KINDS[op_type] = {attr[0]: attr[1] for attr in native.op_signature(op_type)[3]}
    return kinds


class IndexedSlices:
    """Rows `values` of a tensor of `dense_shape` that is zero elsewhere; row i belongs at `indices[i]`."""

    def __init__(self, values, indices, dense_shape=None):
        self.values = values
        self.indices = indices
        self.dense_shape = dense_shape

    @property
    def op(self):
        return self.values.op

    @property
    def graph(self):
        return self.values.graph

    @property
    def dtype(self):
        return self.values.dtype

    @property
    def device(self):
        return self.values.device

    @property
    def name(self):
        return self.values.name

    @property
    def shape(self):
        from .convert import constant_value
        known = None if self.dense_shape is None else constant_value(self.dense_shape)
        return TensorShape(known)

    def __repr__(self):
        return f"IndexedSlices(indices={self.indices}, values={self.values}, dense_shape={self.dense_shape})"


class DeviceSpec:
    """A device name in parts: job, replica, task, device_type, device_index; each may be None."""

    def __init__(self, job=None, replica=None, task=None, device_type=None, device_index=None):
        self.job, self.replica, self.task = job, replica, task
        self.device_type, self.device_index = device_type, device_index

    @classmethod
    def from_string(cls, text):
        text = native.merge_devices("", text)
        parts = dict(job=None, replica=None, task=None, device_type=None, device_index=None)
        for part in text.split("/"):
            key, _, value = part.partition(":")
            if key == "job":
                parts["job"] = value
            elif key in ("replica", "task"):
                parts[key] = int(value)
            elif key == "device":
                kind, _, index = value.partition(":")
                parts["device_type"] = None if kind == "*" else kind
                parts["device_index"] = int(index) if index not in ("", "*") else None
        return cls(**parts)

    def to_string(self):
        text = "" if self.job is None else f"/job:{self.job}"
        text += "" if self.replica is None else f"/replica:{self.replica}"
        text += "" if self.task is None else f"/task:{self.task}"
        if self.device_type is not None:
            text += f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}"
        return text

    def merge_from(self, other):
        for key in ("job", "replica", "task", "device_type", "device_index"):
            if getattr(other, key) is not None:
                setattr(self, key, getattr(other, key))

    def replace(self, **changes):
        return DeviceSpec(**{**self.__dict__, **changes})

    def __eq__(self, other):
        return isinstance(other, DeviceSpec) and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash(self.to_string())

    def __repr__(self):
        return f"DeviceSpec({self.to_string()!r})"


def _device_text(device):
    if device is None:
        return ""
    return device.to_string() if isinstance(device, DeviceSpec) else device


class _NewOperation:
    """What a device function sees of an operation that is about to be made."""

    __slots__ = ("type", "name", "device", "node_def")

    def __init__(self, op_type, name, device):
        self.type, self.name, self.device = op_type, name, device
        self.node_def = self

    @property
    def op(self):
        return self.type


class Graph:
    """A graph of operations. Built by one thread at a time; sessions may run meanwhile what was there before."""

    def __init__(self):
        self._native = native.Graph()
        self._operations = {}
        self._num_synced = 0
        self._names_in_use = {}
        self._scope = ""
        self._devices = []  # innermost last: text, a function, or None, which hides the outer ones
        self._control = []  # innermost last: lists of operations, or None, which hides the outer ones
        self._colocation = []
        self._collections = {}
        self._finalized = False
        self._variable_store = None
        self._attr_scopes = []
        self._function_counter = 0
        self._unfeedable = set()
        self.seed = None
        self.version_lock = threading.RLock()

    # --- what is there

    @property
    def version(self):
        return self._native.num_ids

    @property
    def finalized(self):
        return self._finalized

    def finalize(self):
        """Forbids new operations: making one raises RuntimeError."""
        self._finalized = True

    def _unsafe_unfinalize(self):
        self._finalized = False

    def _check_open(self):
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    def _operation(self, node):
        op = self._operations.get(node.id)
        if op is None:
            op = self._operations[node.id] = Operation(self, node)
        return op

    def _tensor(self, key):
        return self._operation(key[0]).outputs[key[1]]

    def _by_id(self, key):
        """The tensor for (node id, index), or the operation for a node id."""
        self._sync()
        if isinstance(key, int):
            return self._operations[key]
        return self._operations[key[0]].outputs[key[1]]

    def _sync(self):
        """Takes note of operations that native code made."""
        if self._native.num_ids == self._num_synced:
            return
        frame = _user_frame()
        for node in self._native.nodes(self._num_synced):
            if node.id in self._operations:
                continue
            self._operation(node)._frame = frame
            self._mark(node.name)
        self._num_synced = self._native.num_ids

    def get_operations(self):
        self._sync()
        return [self._operation(node) for node in self._native.nodes(0)]

    def _find_operation(self, name):
        node = self._native.find(name)
        return None if node is None else self._operation(node)

    def get_operation_by_name(self, name):
        op = self._find_operation(name)
        if op is None:
            raise KeyError(f"The name '{name}' refers to an Operation not in the graph.")
        return op

    def get_tensor_by_name(self, name):
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        op_name, colon, index = name.rpartition(":")
        if not colon or not index.isdigit():
            raise ValueError(f"The name '{name}' looks like an (invalid) Operation name, not a Tensor. Tensor names must be of "
                             'the form "<op_name>:<output_index>".')
        op = self._find_operation(op_name)
        if op is None:
            raise KeyError(f"The name '{name}' refers to a Tensor which does not exist. The operation, '{op_name}', does not "
                           "exist in the graph.")
        if int(index) >= len(op.outputs):
            raise KeyError(f"The name '{name}' refers to a Tensor which does not exist. The operation, '{op_name}', exists but "
                           f"only has {len(op.outputs)} outputs.")
        return op.outputs[int(index)]

    def as_graph_element(self, obj, allow_tensor=True, allow_operation=True):
        """The tensor or operation of this graph that `obj` is or names."""
        convert = getattr(obj, "_as_graph_element", None)
        if convert is not None:
            obj = convert()
        if isinstance(obj, bytes):
            obj = obj.decode()
        if isinstance(obj, str):
            if ":" in obj and allow_tensor:
                return self.get_tensor_by_name(obj)
            if allow_operation:
                try:
                    return self.get_operation_by_name(obj)
                except KeyError as error:
                    if allow_tensor and not error.args:
                        raise
                    raise
            raise ValueError(f"The name '{obj}' refers to an Operation, not a Tensor.")
        if isinstance(obj, Tensor) and allow_tensor or isinstance(obj, Operation) and allow_operation:
            if obj.graph is not self:
                raise ValueError(f"{obj!r} is not an element of this graph.")
            return obj
        kinds = " or ".join(k for k, ok in (("Tensor", allow_tensor), ("Operation", allow_operation)) if ok)
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {kinds}.")

    def as_graph_def(self, from_version=None, add_shapes=False):
        """The graph as a GraphDef message."""
        from ..protos import GraphDef
        return GraphDef.FromString(self._native.serialize())

    def __contains__(self, element):
        return getattr(element, "graph", None) is self

    # --- names

    def _mark(self, name):
        self._names_in_use.setdefault(name.lower(), 1)

    def unique_name(self, name, mark_as_used=True):
        """A name below the current scope that nothing has: `name`, `name_1`, ..."""
        if self._scope:
            name = f"{self._scope}/{name}"
        key = name.lower()
        count = self._names_in_use.get(key, 0)
        if mark_as_used:
            self._names_in_use[key] = count + 1
        if count == 0:
            return name
        while key in self._names_in_use:
            unique = f"{name}_{count}"
            key = unique.lower()
            count += 1
        if mark_as_used:
            self._names_in_use[key] = 1
            self._names_in_use[name.lower()] = count
        return unique

    @contextlib.contextmanager
    def name_scope(self, name):
        """Operations made inside are named below `name`, made unique; a name that ends in "/" is taken as it is."""
        if name and not (_VALID_OP_NAME if not self._scope else _VALID_SCOPE_NAME).match(name):
            raise ValueError(f"'{name}' is not a valid root scope name" if not self._scope else f"'{name}' is not a valid scope name")
        before = self._scope
        if not name:
            self._scope = ""
        elif name.endswith("/"):
            self._scope = name[:-1]
        else:
            self._scope = self.unique_name(name)
        try:
            yield self._scope + "/" if self._scope else ""
        finally:
            self._scope = before

    def get_name_scope(self):
        return self._scope

    # --- devices, control, colocation

    @contextlib.contextmanager
    def device(self, device_name_or_function):
        """Operations made inside ask for this device; the inner scope wins field by field. None: nothing from outside."""
        spec = device_name_or_function
        if isinstance(spec, (str, DeviceSpec)):
            spec = native.merge_devices("", _device_text(spec))
        elif spec is not None and not callable(spec):
            raise ValueError(f"a device is a text, a DeviceSpec, a function or None, not {spec!r}")
        self._devices.append(spec)
        try:
            yield
        finally:
            self._devices.pop()

    def _device_for(self, op_type, name, requested=""):
        device = requested
        for spec in reversed(self._devices):
            if spec is None:
                break
            if callable(spec):
                wanted = getattr(spec, "_by_type", None)
                chosen = wanted(op_type, device) if wanted else _device_text(spec(_NewOperation(op_type, name, device)))
                device = native.merge_devices(device, chosen or "") if not wanted else native.merge_devices(chosen, device)
            elif spec:
                device = native.merge_devices(spec, device)
        return device

    @contextlib.contextmanager
    def control_dependencies(self, control_inputs):
        """Operations made inside run after these. None: after none of the outer ones either."""
        if control_inputs is None:
            self._control.append(None)
        else:
            ops = []
            for item in control_inputs:
                convert = getattr(item, "_as_graph_element", None)
                item = convert() if convert else item
                if isinstance(item, IndexedSlices):
                    item = item.op
                element = self.as_graph_element(item) if not self._captures(item) else None
                if element is not None:
                    ops.append(element.op if isinstance(element, Tensor) else element)
            self._control.append(ops)
        try:
            yield
        finally:
            self._control.pop()

    def _captures(self, item):
        return False

    def _control_inputs(self):
        ops = {}
        for scope in reversed(self._control):
            if scope is None:
                break
            for op in scope:
                ops[op._node.id] = op._node
        return list(ops.values())

    @contextlib.contextmanager
    def colocate_with(self, op, ignore_existing=False):
        """Operations made inside go where `op` is, whatever device scopes say."""
        op = getattr(op, "op", op)
        before, self._colocation = self._colocation, ([] if ignore_existing else list(self._colocation))
        devices, self._devices = self._devices, []
        if op is not None:
            self._colocation.append(op)
        try:
            yield
        finally:
            self._colocation, self._devices = before, devices

    def _context(self, prefix=None):
        """Where native code puts what it makes: under the scopes of this moment."""
        scope = self._scope if prefix is None else prefix
        function = None
        if self._colocation:
            device = self._colocation[-1].device
            function = lambda op, requested: requested or device  # noqa: E731
        elif self._devices:
            function = lambda op, requested: self._device_for(op, "", requested)  # noqa: E731
        return native.Context(scope, function, self._control_inputs())

    # --- growing

    def create_op(self, op_type, inputs, attrs=None, name=None, dtypes=None, control_inputs=None, device=None):
        """Adds an operation. `inputs` are Tensors; `attrs` natural Python values. Raises ValueError for what does not fit."""
        self._check_open()
        name = name or op_type
        if name.endswith("/"):
            name = name[:-1]
        else:
            if not self._scope and not _VALID_OP_NAME.match(name):
                raise ValueError(f"'{name}' is not a valid node name")
            name = self.unique_name(name)
        keys = [self._as_input(t)._key() for t in inputs]
        colocate = [op.name for op in self._colocation if op.graph is self]
        if device is None:
            device = self._device_for(op_type, name) if self._devices and not colocate else ""
        control = self._control_inputs() if control_inputs is None else [op._node for op in control_inputs]
        if control:
            seen = {node.id for node, _ in keys}
            control = [node for node in control if node.id not in seen]
        attrs = attrs or {}
        for scope in self._attr_scopes:
            attrs = {**scope, **attrs}
        node = self._native.add_op(op_type, name, keys, attrs, device, control, colocate)
        op = self._operation(node)
        op._frame = _user_frame()
        self._num_synced = self._native.num_ids if self._num_synced == node.id else self._num_synced
        return op

    def _as_input(self, tensor):
        if tensor.op.graph is not self:
            raise ValueError(f"Tensor {tensor.name} must be from the same graph as the operation that uses it")
        return tensor

    def define_function(self, name, body, arguments, results):
        """Adds a traced body to the function library; returns the unique name that it got."""
        unique = f"{name}_{_next_function_number()}"
        self._native.define_function(unique, body._native, [t.op._node for t in arguments], [t._key() for t in results])
        return unique

    # --- collections

    def add_to_collection(self, name, value):
        self._check_open()
        self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names, value):
        for name in ([names] if isinstance(names, str) else dict.fromkeys(names)):
            self.add_to_collection(name, value)

    def get_collection_ref(self, name):
        return self._collections.setdefault(name, [])

    def get_collection(self, name, scope=None):
        items = self._collections.get(name, [])
        if scope is None:
            return list(items)
        pattern = re.compile(scope)
        return [item for item in items if hasattr(item, "name") and pattern.match(item.name)]

    def get_all_collection_keys(self):
        return [key for key, items in self._collections.items() if isinstance(key, str) and items]

    def clear_collection(self, name):
        self._collections.pop(name, None)

    @property
    def collections(self):
        return self.get_all_collection_keys()

    # --- defaults

    @contextlib.contextmanager
    def as_default(self):
        """Makes this the default graph inside the block, for the calling thread."""
        _stack().append(self)
        try:
            yield self
        finally:
            _stack().pop()

    @contextlib.contextmanager
    def _attr_scope(self, attrs):
        self._attr_scopes.append(attrs)
        try:
            yield
        finally:
            self._attr_scopes.pop()

    def prevent_feeding(self, tensor):
        self._unfeedable.add(id(tensor))

    def is_feedable(self, tensor):
        return id(tensor) not in self._unfeedable

    def prevent_fetching(self, op):
        pass

    def is_fetchable(self, element):
        return True

    @contextlib.contextmanager
    def gradient_override_map(self, op_type_map):
        raise NotImplementedError("gradient_override_map: gradients are defined by the native ops and cannot be replaced")
        yield


_lock = threading.Lock()
_function_number = 0


def _next_function_number():
    global _function_number
    with _lock:
        _function_number += 1
        return _function_number


_HERE = __file__.rsplit("/", 2)[0]


def _user_frame():
    """"file.py:12" of the nearest frame outside of this package."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else None


_local = threading.local()
_default_graph = None


def _stack():
    stack = getattr(_local, "graphs", None)
    if stack is None:
        stack = _local.graphs = []
    return stack


def get_default_graph():
    """The innermost graph made default by `with graph.as_default()`, else the process's own."""
    global _default_graph
    stack = _stack()
    if stack:
        return stack[-1]
    if _default_graph is None:
        _default_graph = Graph()
    return _default_graph


def reset_default_graph():
    """Replaces the process's own default graph by an empty one. Raises AssertionError inside a `with graph.as_default()`."""
    global _default_graph
    if _stack():
        raise AssertionError("Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, exit the "
                             "nesting and create a new graph.")
    _default_graph = Graph()


class name_scope:
    """`with tf.name_scope(name):` operations made inside are named below it. Gives the scope's name with a "/" at its end."""

    def __init__(self, name, default_name=None, values=None):
        self._name = default_name if name is None else name
        if self._name is not None and not isinstance(self._name, str):
            raise TypeError(f"name for name_scope must be a string, not {self._name!r}")
        self.name = self._name

    def __enter__(self):
        self._scope = get_default_graph().name_scope(self._name)
        return self._scope.__enter__()

    def __exit__(self, *raised):
        return self._scope.__exit__(*raised)


def device(device_name_or_function):
    """`with tf.device(...)`: see Graph.device."""
    return get_default_graph().device(device_name_or_function)


def control_dependencies(control_inputs):
    """`with tf.control_dependencies([...])`: see Graph.control_dependencies."""
    return get_default_graph().control_dependencies(control_inputs)


def colocate_with(op, ignore_existing=False):
    """`with tf.colocate_with(op)`: see Graph.colocate_with."""
    return get_default_graph().colocate_with(op, ignore_existing)


def add_to_collection(name, value):
    get_default_graph().add_to_collection(name, value)


def add_to_collections(names, value):
    get_default_graph().add_to_collections(names, value)


def get_collection(key, scope=None):
    return get_default_graph().get_collection(key, scope)


def get_collection_ref(key):
    return get_default_graph().get_collection_ref(key)


def container(container_name):
    raise NotImplementedError("tf.container: give `container` to the variable or resource itself")


def set_random_seed(seed):
    """The default graph's seed: random operations without one of their own follow from it and their place in the graph."""
    get_default_graph().seed = seed


DEFAULT_GRAPH_SEED = 87654321


def get_seed(op_seed):
    """The pair of seeds for a random operation, from the graph's seed and its own, as in TensorFlow."""
    graph = get_default_graph()
    if graph.seed is not None:
        if op_seed is None:
            op_seed = graph._native.num_ids
        seeds = graph.seed & 0x7FFFFFFF, op_seed & 0x7FFFFFFF
    elif op_seed is not None:
        seeds = DEFAULT_GRAPH_SEED, op_seed & 0x7FFFFFFF
    else:
        seeds = 0, 0
    return (0, 2**31 - 1) if seeds == (0, 0) and (op_seed is not None or graph.seed is not None) else seeds
