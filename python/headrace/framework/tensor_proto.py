"""TensorProto messages: what a server of models is asked with."""

import numpy as np

from . import dtypes
from .convert import constant, to_numpy
from .graph_core import Graph


def make_tensor_proto(values, dtype=None, shape=None, verify_shape=False):
    """A TensorProto message that holds `values`."""
    with Graph().as_default() as graph:
        constant(values, dtype, shape, verify_shape=verify_shape)
        return graph.as_graph_def().node[0].attr["value"].tensor


def make_ndarray(tensor):
    """The numpy array that a TensorProto message holds."""
    from ..protos import GraphDef
    dtype = dtypes.as_dtype(tensor.dtype)
    graph_def = GraphDef()
    node = graph_def.node.add(name="value", op="Const")
    node.attr["dtype"].type = tensor.dtype
    node.attr["value"].tensor.CopyFrom(tensor)
    graph = Graph()
    graph._native.import_graph_def(graph_def.SerializeToString(), "", {})
    value = graph._native.find("value").attr("value")
    return np.asarray(to_numpy(value.value(), dtype))
