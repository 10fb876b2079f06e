"""What the elements of a dataset look like: a structure of tensors, flattened for the native side."""

from ..framework import dtypes, nest
from ..framework.convert import convert_to_tensor
from ..framework.graph import Tensor
from ..framework.session import SparseTensorValue
from ..framework.shape import TensorShape, as_shape


class Spec:
    """dtype and shape of one component, as the program sees it, and as the native side does."""

    __slots__ = ("dtype", "shape")

    def __init__(self, dtype, shape):
        self.dtype, self.shape = dtypes.as_dtype(dtype), as_shape(shape)

    def with_shape(self, shape):
        return type(self)(self.dtype, shape)

    @property
    def native_dtype(self):
        return self.dtype

    @property
    def native_shape(self):
        return self.shape

    @property
    def class_(self):
        return Tensor

    def to_native(self, value, slices=False):
        return value

    def from_native(self, tensor):
        return tensor

    def __eq__(self, other):
        return type(self) is type(other) and self.dtype is other.dtype and self.shape == other.shape

    def __hash__(self):
        return hash((self.dtype, self.shape))

    def __repr__(self):
        return f"{'SparseTensorSpec' if self.class_ is not Tensor else 'TensorSpec'}({self.shape}, {self.dtype!r})"


class SparseSpec(Spec):
    """A sparse component: serialized to a vector of three variants on the way through the stages, as in TensorFlow."""

    __slots__ = ()

    @property
    def native_dtype(self):
        return dtypes.variant

    @property
    def native_shape(self):
        return TensorShape(None)

    @property
    def class_(self):
        from ..sparse import SparseTensor
        return SparseTensor

    def to_native(self, value, slices=False):
        from ..sparse import serialize_many_sparse, serialize_sparse
        return (serialize_many_sparse if slices else serialize_sparse)(value, out_type=dtypes.variant)

    def from_native(self, tensor):
        from ..sparse import deserialize_sparse
        value = deserialize_sparse(tensor, self.dtype, self.shape.rank)
        value.set_shape(self.shape)
        return value


class DatasetSpec(Spec):
    """A dataset as a component (of a window): `element` are the specs of its elements."""

    __slots__ = ("element",)

    def __init__(self, element):
        super().__init__(dtypes.variant, [])
        self.element = element

    def with_shape(self, shape):
        return self

    @property
    def class_(self):
        from .dataset import Dataset
        return Dataset

    def to_native(self, value, slices=False):
        return value._variant

    def from_native(self, tensor):
        return self.class_(tensor, self.element)

    def __eq__(self, other):
        return type(self) is type(other) and self.element == other.element

    def __hash__(self):
        return hash(repr(self.element))

    def __repr__(self):
        return f"DatasetSpec({self.element!r})"


def _is_sparse(value):
    return hasattr(value, "with_values")


def _spec_of_leaf(value):
    if isinstance(value, HasElements):
        return DatasetSpec(value._specs)
    return (SparseSpec if _is_sparse(value) else Spec)(value.dtype.base_dtype, value.shape)


def to_native(structure, specs, slices=False):
    """The flat native tensors of a structure of values; with `slices`, such that their slices are those of the values."""
    return [spec.to_native(value, slices) for value, spec in zip(nest.flatten(structure), nest.flatten(specs))]


def from_native(specs, tensors):
    """The structure of values of flat native tensors."""
    return nest.pack(specs, [spec.from_native(tensor) for spec, tensor in zip(nest.flatten(specs), tensors)])


def as_values(structure):
    """The structure with its leaves made tensors or sparse tensors."""
    return nest.map_structure(
        lambda leaf: leaf if _is_sparse(leaf) or isinstance(leaf, HasElements) else convert_to_tensor(leaf),
        to_tuple(structure))


def to_tuple(structure):
    """Lists in a dataset's structure are tensors, not structure."""
    if isinstance(structure, SparseTensorValue):
        from ..sparse import SparseTensor
        return SparseTensor.from_value(structure)
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
    return nest.map_structure(_spec_of_leaf, structure)


def windows_of(specs):
    """The specs of windows: for each component a dataset of its values."""
    return nest.map_structure(DatasetSpec, specs)


def classes_of(specs):
    return nest.map_structure(lambda s: s.class_, specs)


def types_of(specs):
    return nest.map_structure(lambda s: s.dtype, specs)


def shapes_of(specs):
    return nest.map_structure(lambda s: s.shape, specs)


def attrs_of(specs):
    """The attributes output_types and output_shapes."""
    flat = nest.flatten(specs)
    return {"output_types": [s.native_dtype for s in flat], "output_shapes": [s.native_shape for s in flat]}


def with_shapes(specs, shapes):
    return nest.pack(specs, [s.with_shape(shape) for s, shape in zip(nest.flatten(specs), shapes)])


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


class HasElements:
    """What datasets and iterators tell of their elements, from their `_specs`."""

    @property
    def output_types(self):
        return types_of(self._specs)

    @property
    def output_shapes(self):
        return shapes_of(self._specs)

    @property
    def output_classes(self):
        return classes_of(self._specs)

    @property
    def element_spec(self):
        return self._specs
