"""Tracing: a Python function runs once, in a graph of its own, and becomes a function of the graph around it.

What it uses from outside is captured: small constants are copied, everything else becomes an extra argument. Variables are
read outside, before the function runs: inside a loop or a branch their value is the one from its beginning, as with
TensorFlow 1's variables.
"""

from . import dtypes
from .graph import Graph, get_default_graph

_COPIED_ELEMENTS = 64


class FuncGraph(Graph):
    """The body of a function while it is traced.

    `inputs`: the arguments, captured ones last; `captures`: the outer tensors that the extra arguments stand for. Where
    gradients may be asked for (`differentiable`), floating constants are captured like other tensors: they may be asked for
    theirs.
    """

    def __init__(self, name, outer_graph, differentiable=False):
        super().__init__()
        self.differentiable = differentiable
        self.name = name
        self.outer_graph = outer_graph
        self.inputs = []
        self.captures = []
        self.seed = outer_graph.seed
        self._captured = {}

    def add_argument(self, dtype, shape, name=None):
        """An argument of the function, as a tensor inside."""
        index = len(self.inputs)
        with self.control_dependencies(None):
            op = self.create_op("_Arg", (), {"T": dtypes.as_dtype(dtype).as_datatype_enum, "index": index},
                                name or f"arg{index}")
        tensor = op.outputs[0]
        if shape is not None:
            tensor.set_shape(shape)
        self.inputs.append(tensor)
        return tensor

    def capture(self, tensor):
        """The tensor inside that stands for one outside."""
        known = self._captured.get(id(tensor))
        if known is not None:
            return known[1]
        inner = self._copy_of_constant(tensor)
        if inner is None:
            inner = self._argument_for(self._just_outside(tensor))
        self._captured[id(tensor)] = (tensor, inner)  # the tensor is kept, so that its id stays its own
        return inner

    def _just_outside(self, tensor):
        """The tensor in the graph around this one that stands for `tensor`, which may come from further out."""
        if tensor.op.graph is self.outer_graph:
            return tensor
        if not isinstance(self.outer_graph, FuncGraph):
            raise ValueError(f"Tensor {tensor.name} must be from the graph around the function that uses it")
        return self.outer_graph.capture(tensor)

    def _argument_for(self, outside):
        known = self._captured.get(id(outside))
        if known is not None:
            return known[1]
        inner = self.add_argument(outside.dtype.base_dtype, outside.shape, f"captured{len(self.captures)}")
        self.captures.append(outside)
        self._captured[id(outside)] = (outside, inner)
        return inner

    def _copy_of_constant(self, tensor):
        if tensor.op.type != "Const" or self.differentiable and (tensor.dtype.is_floating or tensor.dtype.is_complex):
            return None
        value = tensor.op._node.attr("value")
        size = 1
        for extent in value.shape:
            size *= extent
        if size > _COPIED_ELEMENTS:
            return None
        attrs = {"value": value, "dtype": tensor.dtype.as_datatype_enum}
        with self.name_scope(None), self.control_dependencies(None):
            return self.create_op("Const", (), attrs, tensor.op.name.rsplit("/", 1)[-1]).outputs[0]

    def _as_input(self, tensor):
        return tensor if tensor.op.graph is self else self.capture(tensor)

    def _captures(self, item):
        # Control inputs from outside have run before the function does.
        graph = getattr(item, "graph", None)
        return graph is not None and graph is not self


class Function:
    """A traced function in its outer graph's library: `name`, the captured outer tensors, the results inside."""

    def __init__(self, graph, results):
        self.graph = graph
        self.results = results
        self.captures = graph.captures
        self.name = graph.outer_graph.define_function(graph.name, graph, graph.inputs, results)

    @property
    def output_types(self):
        return [t.dtype.base_dtype for t in self.results]

    @property
    def output_shapes(self):
        return [t.shape for t in self.results]


def trace(name, function, argument_specs, outer_graph=None):
    """Runs `function` on arguments of the given [(dtype, shape)]; returns (FuncGraph, what it returned)."""
    outer = outer_graph or get_default_graph()
    graph = FuncGraph(name, outer)
    with graph.as_default():
        arguments = [graph.add_argument(dtype, shape) for dtype, shape in argument_specs]
        returned = function(*arguments)
    return graph, returned
