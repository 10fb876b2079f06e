"""TensorArray: a list of tensors that a loop fills or reads, over the TensorList ops."""

import numpy as np

from ..framework import dtypes
from ..framework.convert import convert_to_tensor, is_tensor_like
from ..framework.graph import name_scope
from ..framework.op_library import apply_op
from ..framework.shape import TensorShape, as_shape


class TensorArray:
    """An array of tensors of one dtype. Writing gives a new TensorArray, as TensorFlow's `flow` demands.

    `size`: how many there are at first; with `dynamic_size` writing beyond makes room.
    """

    def __init__(self, dtype, size=None, dynamic_size=None, clear_after_read=None, tensor_array_name=None, handle=None,
                 flow=None, infer_shape=True, element_shape=None, colocate_with_first_write_call=True, name=None):
        if handle is not None:
            raise ValueError("Cannot construct a TensorArray from a handle: give `flow`")
        self._dtype = dtypes.as_dtype(dtype)
        self._element_shape = as_shape(element_shape) if element_shape is not None else TensorShape(None)
        self._dynamic_size = bool(dynamic_size)
        self._infer_shape = infer_shape
        if flow is not None:
            self._flow = flow
            return
        with name_scope(name or "TensorArray"):
            self._flow = apply_op("TensorListReserve", _shape_argument(self._element_shape),
                                  size if is_tensor_like(size) else np.int32(size or 0), element_dtype=self._dtype)

    def _with(self, flow):
        array = TensorArray.__new__(TensorArray)
        array.__dict__.update(self.__dict__)
        array._flow = flow
        return array

    @property
    def dtype(self):
        return self._dtype

    @property
    def flow(self):
        return self._flow

    @property
    def handle(self):
        return self._flow

    @property
    def dynamic_size(self):
        return self._dynamic_size

    @property
    def element_shape(self):
        return self._element_shape

    def identity(self):
        return self._with(apply_op("Identity", self._flow))

    def grad(self, source, flow=None, name=None):
        raise NotImplementedError("TensorArray.grad: gradients flow through the array by themselves")

    def _learn(self, shape):
        if self._infer_shape:
            self._element_shape = self._element_shape.merge_with(shape) if self._element_shape.is_compatible_with(
                shape) else TensorShape(None)

    def read(self, index, name=None):
        """The tensor at `index`."""
        value = apply_op("TensorListGetItem", self._flow, index, _shape_argument(self._element_shape),
                         element_dtype=self._dtype, name=name)
        value.set_shape(self._element_shape)
        return value

    def write(self, index, value, name=None):
        """The array with `value` at `index`."""
        value = convert_to_tensor(value, self._dtype)
        self._learn(value.shape)
        flow = apply_op("TensorListSetItem", self._flow, index, value, resize_if_index_out_of_bounds=self._dynamic_size,
                        name=name)
        return self._with(flow)

    def stack(self, name=None):
        """All tensors along a new first axis."""
        value = apply_op("TensorListStack", self._flow, _shape_argument(self._element_shape), element_dtype=self._dtype,
                         name=name)
        if self._element_shape.rank is not None:
            value.set_shape([None] + self._element_shape.as_list())
        return value

    def gather(self, indices, name=None):
        """The tensors at the indices along a new first axis."""
        value = apply_op("TensorListGather", self._flow, indices, _shape_argument(self._element_shape),
                         element_dtype=self._dtype, name=name)
        if self._element_shape.rank is not None:
            value.set_shape([None] + self._element_shape.as_list())
        return value

    def concat(self, name=None):
        """All tensors joined along their first axis."""
        lengths = np.zeros(0, np.int64)
        shape = self._element_shape
        shape = TensorShape([None] + shape.as_list()[1:]) if shape.rank else shape
        return apply_op("TensorListConcatV2", self._flow, _shape_argument(shape), lengths, element_dtype=self._dtype,
                        name=name).tensor

    def unstack(self, value, name=None):
        """The array of the slices of `value` along its first axis."""
        value = convert_to_tensor(value, self._dtype)
        if value.shape.rank is not None:
            self._learn(value.shape[1:])
        return self._with(apply_op("TensorListFromTensor", value, _shape_argument(TensorShape(
            value.shape._dims[1:] if value.shape.rank is not None else None)), name=name))

    def scatter(self, indices, value, name=None):
        """The array with the slices of `value` at the indices."""
        value = convert_to_tensor(value, self._dtype)
        if value.shape.rank is not None:
            self._learn(value.shape[1:])
        return self._with(apply_op("TensorListScatterV2", value, indices, _shape_argument(self._element_shape), np.int32(-1),
                                   name=name))

    def split(self, value, lengths, name=None):
        """The array of the pieces of `value` with the given lengths."""
        value = convert_to_tensor(value, self._dtype)
        return self._with(apply_op("TensorListSplit", value, np.int32(-1) if value.shape.rank is None else _shape_argument(
            TensorShape([None] + value.shape.as_list()[1:])), math_cast(lengths), name=name))

    def size(self, name=None):
        """How many there are."""
        return apply_op("TensorListLength", self._flow, name=name)

    def close(self, name=None):
        """Nothing is left to free once the step has ended."""
        return apply_op("NoOp", name=name)


def math_cast(lengths):
    return apply_op("Cast", convert_to_tensor(lengths), DstT=dtypes.int64)


def _shape_argument(shape):
    if shape.rank is None:
        return np.int32(-1)
    return np.asarray([-1 if d is None else d for d in shape._dims], np.int32)
