"""What the elements of a dataset look like: a structure of tensors, flattened for the native side."""

from ..framework import dtypes, nest
from ..framework.convert import convert_to_tensor
from ..framework.shape import TensorShape, as_shape


class Spec:
    """dtype and shape of one component."""

    __slots__ = ("dtype", "shape")

    def __init__(self, dtype, shape):
        self.dtype, self.shape = dtypes.as_dtype(dtype), as_shape(shape)


def to_tuple(structure):
    """Lists in a dataset's structure are tensors, not structure."""
    if isinstance(structure, tuple):
        items = [to_tuple(item) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    if isinstance(structure, dict):
        return type(structure)((key, to_tuple(value)) for key, value in structure.items())
    if isinstance(structure, list):
        return convert_to_tensor(structure)
    return structure


def spec_of(structure):
    """The structure of Specs of a structure of tensors."""
    return nest.map_structure(lambda t: Spec(t.dtype.base_dtype, t.shape), structure)


def types_of(specs):
    return nest.map_structure(lambda s: s.dtype, specs)


def shapes_of(specs):
    return nest.map_structure(lambda s: s.shape, specs)


def attrs_of(specs):
    """The attributes output_types and output_shapes."""
    flat = nest.flatten(specs)
    return {"output_types": [s.dtype for s in flat], "output_shapes": [s.shape for s in flat]}


def with_shapes(specs, shapes):
    return nest.pack(specs, [Spec(s.dtype, shape) for s, shape in zip(nest.flatten(specs), shapes)])


def prepended(specs, extent):
    """The specs of batches."""
    return with_shapes(specs, [TensorShape([extent]).concatenate(s.shape) for s in nest.flatten(specs)])


def without_first(specs):
    """The specs of slices along the first axis."""
    return with_shapes(specs, [s.shape[1:] if s.shape.rank is not None else s.shape for s in nest.flatten(specs)])


def most_specific_common(a, b):
    """The specs that hold for elements of both."""
    from ..ops.control_flow import _common_shape
    return with_shapes(a, [_common_shape(x.shape, y.shape) for x, y in zip(nest.flatten(a), nest.flatten(b))])
