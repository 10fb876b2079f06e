"""Tensors as a signature describes them."""

from ..framework.graph import get_default_graph


def build_tensor_info(tensor):
    """A TensorInfo message: name, dtype and shape. Raises TypeError for what is no dense tensor."""
    from ..protos import TensorInfo
    if not hasattr(tensor, "op") or not hasattr(tensor, "dtype"):
        raise TypeError(f"a tensor is expected, got {tensor!r}")
    info = TensorInfo(name=tensor.name, dtype=tensor.dtype.base_dtype.as_datatype_enum)
    shape = tensor.shape
    if shape.rank is None:
        info.tensor_shape.unknown_rank = True
    else:
        for extent in shape.as_list():
            info.tensor_shape.dim.add(size=-1 if extent is None else extent)
    return info


def get_tensor_from_tensor_info(tensor_info, graph=None, import_scope=None):
    """The tensor of the graph that a TensorInfo names."""
    name = f"{import_scope}/{tensor_info.name}" if import_scope else tensor_info.name
    return (graph or get_default_graph()).get_tensor_by_name(name)
