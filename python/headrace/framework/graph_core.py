"""Graph: what Python knows of the native graph, and the scopes under which it grows."""

import contextlib
import re
import sys
import threading

from .._native import native
from .device import DeviceSpec, NewOperation, device_text
from .tensor import IndexedSlices, Operation, Tensor

_VALID_OP_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")
_VALID_SCOPE_NAME = re.compile(r"^[A-Za-z0-9_.\\/>-]*$")


class Graph:
    """A graph of operations. Built by one thread at a time; sessions may run meanwhile what was there before."""

    def __init__(self):
        self._native = native.Graph()
        self._operations = {}
        self._num_synced = 0
        self._names_in_use = {}
        self._variable_values = {}  # the value of each variable, by the name of its operation
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
        self._host_functions = []  # the Python functions that its operations call
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
        if op is None and ":" in name:
            raise ValueError(f"Name '{name}' appears to refer to a Tensor, not a Operation.")
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
        value = self._variable_values.get(op_name)
        if value is not None and index == "0":
            return value  # a variable's name stands for its value, as that of a ref variable does
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
                return self.get_operation_by_name(obj)
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
            spec = native.merge_devices("", device_text(spec))
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
                chosen = wanted(op_type, device) if wanted else device_text(spec(NewOperation(op_type, name, device)))
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
        try:
            node = self._native.add_op(op_type, name, keys, attrs, device, control, colocate)
        except ValueError as error:
            given = ", ".join(f"{t.name} {t.shape}" for t in inputs)
            raise ValueError(f"{error}" + (f" (inputs of '{name}': {given})" if given else "")) from None
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


def _stack():
    """The graphs that `with graph.as_default()` has made the calling thread's default, innermost last."""
    stack = getattr(_local, "graphs", None)
    if stack is None:
        stack = _local.graphs = []
    return stack
