"""Tensor, Operation, IndexedSlices: what a graph is made of."""

from .._native import native
from . import dtypes
from .device import device_text
from .shape import TensorShape, as_shape


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
        self._node.set_device(device_text(device))

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
