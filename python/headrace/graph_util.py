"""tf.graph_util: GraphDef messages cut down to what is needed, and with variables turned into constants."""

import numpy as np

from .framework import dtypes
from .framework.tensor_proto import make_tensor_proto


def _producer(text):
    """The node that an input names."""
    return text.lstrip("^").partition(":")[0]


def extract_sub_graph(graph_def, dest_nodes):
    """The GraphDef of the nodes named and of all that they need. Raises AssertionError for an unknown one."""
    from .protos import GraphDef
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list.")
    nodes = {node.name: node for node in graph_def.node}
    needed, waiting = set(), list(dest_nodes)
    while waiting:
        name = waiting.pop()
        if name not in nodes:
            raise AssertionError(f"{name} is not in graph")
        if name not in needed:
            needed.add(name)
            waiting += [_producer(text) for text in nodes[name].input]
    result = GraphDef(node=[node for node in graph_def.node if node.name in needed])
    result.library.CopyFrom(graph_def.library)
    result.versions.CopyFrom(graph_def.versions)
    return result


_VARIABLES = ("VariableV2", "Variable", "VarHandleOp")


def convert_variables_to_constants(sess, input_graph_def, output_node_names, variable_names_whitelist=None,
                                   variable_names_blacklist=None):
    """The GraphDef that computes the named nodes without variables: their values in `sess` are constants of it."""
    graph_def = extract_sub_graph(input_graph_def, output_node_names)
    names = [node.name for node in graph_def.node if node.op in _VARIABLES
             and (variable_names_whitelist is None or node.name in variable_names_whitelist)
             and node.name not in (variable_names_blacklist or ())]
    frozen = dict(zip(names, sess.run([f"{name}:0" for name in names]))) if names else {}
    axes = []
    for node in graph_def.node:
        source = _producer(node.input[0]) if node.input else None
        if node.name in frozen:
            node.CopyFrom(_constant_node(node.name, frozen[node.name], node.device))
        elif node.op == "ReadVariableOp" and source in frozen:
            _rename_op(node, "Identity", T=node.attr["dtype"].type)
        elif node.op == "ResourceGather" and source in frozen:
            _rename_op(node, "GatherV2", Tparams=node.attr["dtype"].type, Tindices=node.attr["Tindices"].type,
                       Taxis=dtypes.int32.as_datatype_enum)
            axes.append(_constant_node(f"{node.name}/axis", np.int32(0), node.device))
            node.input.insert(2, axes[-1].name)
    graph_def.node.extend(axes)
    return graph_def


def _constant_node(name, value, device):
    """The NodeDef of a constant."""
    from .protos import NodeDef
    value = make_tensor_proto(np.asarray(value))
    node = NodeDef(name=name, op="Const", device=device)
    node.attr["dtype"].type = value.dtype
    node.attr["value"].tensor.CopyFrom(value)
    return node


def _rename_op(node, op, **types):
    node.op = op
    node.attr.clear()
    for key, value in types.items():
        node.attr[key].type = value


def remove_training_nodes(input_graph, protected_nodes=None):
    """The GraphDef without Identity and CheckNumerics nodes, which only training wants."""
    from .protos import GraphDef
    protected = set(protected_nodes or ())
    dropped = {node.name: node.input[0] for node in input_graph.node if node.op in ("Identity", "CheckNumerics")
               and node.name not in protected and not any(text.startswith("^") for text in node.input)}

    def source(text):
        while _producer(text) in dropped and not text.startswith("^"):
            text = dropped[_producer(text)]
        return text

    result = GraphDef()
    result.CopyFrom(input_graph)
    del result.node[:]
    used = {_producer(text) for node in input_graph.node for text in node.input if text.startswith("^")}
    for node in input_graph.node:
        if node.name in dropped and node.name not in used:
            continue
        kept = result.node.add()
        kept.CopyFrom(node)
        kept.input[:] = [source(text) for text in node.input]
    return result
