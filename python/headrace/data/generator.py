"""Datasets of what Python generators yield, in this process."""

import itertools

import numpy as np

from ..framework import dtypes, nest
from ..framework.convert import convert_to_tensor
from ..framework.function_graph import Function, trace
from ..framework.op_library import apply_op
from ..framework.shape import TensorShape, as_shape
from ..ops.script import numpy_function
from . import structure
from .structure import Spec


class _Runs:
    """The runs through a generator that are under way, by number. Each run has an iterator of its own."""

    def __init__(self, generator):
        self._generator = generator
        self._numbers = itertools.count()
        self._arguments, self._iterators = {}, {}

    def begin(self, *arguments):
        number = next(self._numbers)
        self._arguments[number] = arguments
        return np.int64(number)

    def iterator(self, number):
        if number not in self._iterators:
            self._iterators[number] = iter(self._generator(*self._arguments.pop(number)))
        return self._iterators[number]

    def finish(self, number):
        self._arguments.pop(number, None)
        self._iterators.pop(number, None)
        return np.int64(0)


def _flatten_up_to(types, values):
    """The parts of an element that stand where `types` has its leaves. Raises TypeError or ValueError where it has others."""
    if not nest.is_nested(types):
        return [values]
    if isinstance(types, dict):
        if not isinstance(values, dict) or set(types) != set(values):
            raise TypeError(f"expected a dict with the keys {sorted(types)}")
        return [part for key in sorted(types) for part in _flatten_up_to(types[key], values[key])]
    if not isinstance(values, (list, tuple)) or isinstance(types, tuple) and not isinstance(values, tuple):
        raise TypeError(f"expected a {type(types).__name__}, got a {type(values).__name__}")
    if len(types) != len(values):
        raise ValueError(f"expected {len(types)} parts, got {len(values)}")
    return [part for t, value in zip(types, values) for part in _flatten_up_to(t, value)]


def _as_array(value, spec):
    """A yielded value as an array of the component's type and shape. Raises TypeError or ValueError."""
    wanted = np.dtype(spec.dtype.as_numpy_dtype)
    try:
        if isinstance(value, (np.ndarray, np.generic)):
            array = np.asarray(value, order="C")
            if np.can_cast(array.dtype, wanted, "same_kind"):
                array = array.astype(wanted, copy=False)
        else:
            array = np.asarray(value, dtype=wanted, order="C")
            if wanted.kind in "iub" and array.size and not np.array_equal(array, np.asarray(value)):
                raise TypeError("it would be changed")
    except (TypeError, ValueError, OverflowError):
        raise TypeError("`generator` yielded an element that could not be converted to the expected type. The expected type "
                        f"was {spec.dtype.name}, but the yielded element was {value}.") from None
    if array.dtype != wanted:
        raise TypeError(f"`generator` yielded an element of type {array.dtype} where an element of type {spec.dtype.name} was "
                        "expected.")
    if not spec.shape.is_compatible_with(array.shape):
        raise TypeError(f"`generator` yielded an element of shape {array.shape} where an element of shape {spec.shape} was "
                        "expected.")
    return array


def _function(name, body, argument_specs):
    graph, results = trace(f"Dataset_generator_{name}", body, argument_specs)
    return Function(graph, results)


def from_generator(generator, output_types, output_shapes, args):
    """(variant, specs) of the dataset."""
    if not callable(generator):
        raise TypeError("`generator` must be a Python callable.")
    flat_types = [dtypes.as_dtype(t) for t in nest.flatten(output_types)]
    if output_shapes is None:
        flat_shapes = [TensorShape(None)] * len(flat_types)
    else:
        flat_shapes = [as_shape(shape) for shape in _flatten_up_to(output_types, output_shapes)]
    flat_specs = [Spec(t, shape) for t, shape in zip(flat_types, flat_shapes)]
    tensors = [convert_to_tensor(value, name="args") for value in (args or ())]
    runs = _Runs(generator)

    def next_element(number):
        values = next(runs.iterator(int(number)))
        try:
            flat = _flatten_up_to(output_types, values)
        except (TypeError, ValueError):
            raise TypeError("`generator` yielded an element that did not match the expected structure. The expected structure "
                            f"was {output_types}, but the yielded element was {values}.") from None
        return [_as_array(value, spec) for value, spec in zip(flat, flat_specs)]

    number = [(dtypes.int64, [])]
    begin = _function("begin", lambda: [numpy_function(runs.begin, tensors, dtypes.int64)], [])
    following = _function("next", lambda n: numpy_function(next_element, [n], flat_types), number)
    finish = _function("finish", lambda n: [numpy_function(lambda k: runs.finish(int(k)), [n], dtypes.int64)], number)
    specs = nest.pack(output_types, flat_specs)
    variant = apply_op("GeneratorDataset", begin.captures, following.captures, finish.captures, init_func=begin.name,
                       next_func=following.name, finalize_func=finish.name, **structure.attrs_of(specs))
    return variant, specs
