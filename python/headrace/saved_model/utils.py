"""Tensors as a signature describes them."""

from ..framework.graph import get_default_graph
from ..sparse import SparseTensor


def build_tensor_info(tensor):
    """A TensorInfo message: name (of a sparse tensor those of its parts), dtype and shape. Raises TypeError for what is none."""
    from ..protos import TensorInfo
    if not hasattr(tensor, "op") or not hasattr(tensor, "dtype"):
        raise TypeError(f"a tensor is expected, got {tensor!r}")
    info = TensorInfo(dtype=tensor.dtype.base_dtype.as_datatype_enum)
    if isinstance(tensor, SparseTensor):
        info.coo_sparse.values_tensor_name = tensor.values.name
        info.coo_sparse.indices_tensor_name = tensor.indices.name
        info.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        info.name = tensor.name
    shape = tensor.shape
    if shape.rank is None:
        info.tensor_shape.unknown_rank = True
    else:
        for extent in shape.as_list():
            info.tensor_shape.dim.add(size=-1 if extent is None else extent)
    return info


def get_tensor_from_tensor_info(tensor_info, graph=None, import_scope=None):
    """The tensor, or sparse tensor, of the graph that a TensorInfo names. Raises KeyError where the graph has none."""
    graph = graph or get_default_graph()

    def named(name):
        return graph.get_tensor_by_name(f"{import_scope}/{name}" if import_scope else name)

    if tensor_info.WhichOneof("encoding") == "coo_sparse":
        parts = tensor_info.coo_sparse
        return SparseTensor(*(named(name) for name in (
            parts.indices_tensor_name, parts.values_tensor_name, parts.dense_shape_tensor_name)))
    return named(tensor_info.name)
