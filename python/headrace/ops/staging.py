"""Staging areas: buffers on a task, first in, first out, between steps that make elements and steps that use them."""

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import get_default_graph, name_scope
from ..framework.op_library import apply_op
from ..framework.shape import TensorShape, as_shape
from ..framework.variables import no_op


class StagingArea:
    """A buffer of elements of one or several components, on the device that is in force where it is made.

    `capacity`: the most elements, and `memory_limit`: the most bytes in it (0: no limit). Equal shared names on a task are one
    area. With `names`, elements are dicts.
    """

    def __init__(self, dtypes, shapes=None, names=None, shared_name=None, capacity=0, memory_limit=0):
        self._dtypes = _as_dtypes(dtypes)
        if shapes is not None and len(shapes) != len(self._dtypes):
            raise ValueError("StagingArea shapes must be the same length as dtypes")
        if names is not None and len(names) != len(self._dtypes):
            raise ValueError("StagingArea names must be the same length as dtypes")
        self._shapes = [TensorShape(None)] * len(self._dtypes) if shapes is None else [as_shape(s) for s in shapes]
        self._names = names
        self._capacity, self._memory_limit = capacity, memory_limit
        graph = get_default_graph()
        with name_scope("StagingArea") as scope:
            self._name = shared_name or scope[:-1]
        with name_scope(f"{self._name}_root"):
            self._root = no_op("NoOp")
        self._graph = graph

    name = property(lambda self: self._name)
    dtypes = property(lambda self: self._dtypes)
    shapes = property(lambda self: self._shapes)
    names = property(lambda self: self._names)
    capacity = property(lambda self: self._capacity)
    memory_limit = property(lambda self: self._memory_limit)

    def _apply(self, op_type, *inputs, name, suffix, **attrs):
        with self._graph.colocate_with(self._root):
            return apply_op(op_type, *inputs, shared_name=self._name, capacity=self._capacity,
                            memory_limit=self._memory_limit, name=name or f"{self._name}_{suffix}", **attrs)

    def _components(self, values):
        if isinstance(values, dict):
            if not self._names:
                raise ValueError("Staging areas must have names to enqueue a dictionary")
            if not set(values) <= set(self._names):
                raise ValueError(f"Keys in dictionary to put do not match names of staging area. Dictionary: {sorted(values)}"
                                 f"Queue: {sorted(self._names)}")
            indices = [i for i, name in enumerate(self._names) if name in values]
            values = [values[self._names[i]] for i in indices]
        elif self._names:
            raise ValueError("You must enqueue a dictionary in a staging area with names")
        else:
            values = values if isinstance(values, (list, tuple)) else [values]
            indices = range(len(values))
        if len(values) > len(self._dtypes):
            raise ValueError(f"Unexpected number of inputs '{len(values)}' vs '{len(self._dtypes)}'")
        tensors = []
        for i, value in zip(indices, values):
            tensor = convert_to_tensor(value) if hasattr(value, "dtype") else convert_to_tensor(value, self._dtypes[i])
            if tensor.dtype.base_dtype is not self._dtypes[i]:
                raise ValueError(f"Datatypes do not match. Received val.dtype {tensor.dtype} and dtype {self._dtypes[i]}")
            tensor.shape.assert_is_compatible_with(self._shapes[i])
            tensors.append(tensor)
        return tensors

    def _returned(self, tensors):
        for tensor, shape in zip(tensors, self._shapes):
            tensor.set_shape(shape)
        return dict(zip(self._names, tensors)) if self._names else tensors

    def put(self, values, name=None):
        """An operation that adds one element: a value, a list of values or a dict; it waits for room."""
        with name_scope(name or f"{self._name}_put") as scope:
            return self._apply("Stage", self._components(values), name=scope, suffix="put")

    def get(self, name=None):
        """The first element, which leaves the area, as a list of tensors or a dict; the step waits for one."""
        return self._returned(self._apply("Unstage", name=name, suffix="get", dtypes=self._dtypes))

    def peek(self, index, name=None):
        """The element behind `index` others, which stays; the step waits for one."""
        index = convert_to_tensor(index, dtypes.int32, name="index")
        return self._returned(self._apply("StagePeek", index, name=name, suffix="peek", dtypes=self._dtypes))

    def size(self, name=None):
        """How many elements are in it."""
        return self._apply("StageSize", name=name, suffix="size", dtypes=self._dtypes)

    def clear(self, name=None):
        """An operation that removes all elements."""
        return self._apply("StageClear", name=name, suffix="clear", dtypes=self._dtypes)


def _as_dtypes(types):
    return [dtypes.as_dtype(t) for t in types]
