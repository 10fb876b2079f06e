"""cond as Switch and Merge nodes of the graph itself, for branches whose operations belong on several tasks."""

from ..framework.op_library import apply_op


def switched_cond(outer, pred, graphs, results):
    """Copies both branches into `outer`, each behind switches on `pred`; returns the merged results."""
    pivot = apply_op("Switch", pred, pred)
    branches = []
    for taken, graph, tensors in ((1, graphs[0], results[0]), (0, graphs[1], results[1])):
        branches.append(_Branch(outer, pred, taken, apply_op("Identity", pivot[taken]), graph).copies_of(tensors))
    return [apply_op("Merge", list(pair)).output for pair in zip(*branches)]


class _Branch:
    """One branch while it is copied: which copy stands for which operation inside."""

    def __init__(self, outer, pred, taken, pivot, graph):
        self._outer, self._pred, self._taken, self._pivot, self._graph = outer, pred, taken, pivot, graph
        self._copies = {}
        self._captured = dict(zip([t.op for t in graph.inputs[len(graph.inputs) - len(graph.captures):]], graph.captures))

    def copies_of(self, tensors):
        for op in self._graph.get_operations():
            self._copy(op)
        copied = [self._copies[t.op].outputs[t.value_index] for t in tensors]
        return [apply_op("Identity", t) for t in copied]

    def _copy(self, op):
        if op in self._captured:
            switch = apply_op("Switch", self._captured[op], self._pred)
            self._copies[op] = apply_op("Identity", switch[self._taken]).op
            return
        inputs = [self._copies[t.op].outputs[t.value_index] for t in op.inputs]
        waits = [self._copies[c] for c in op.control_inputs]
        if not inputs and not waits:
            waits = [self._pivot.op]  # else it would run on either side
        attrs = {name: op._node.attr(name) for name in op._node.attr_names if name != "_class"}
        with self._outer.control_dependencies(waits):
            self._copies[op] = self._outer.create_op(op.type, inputs, attrs, op.name, device=op.device or None)
