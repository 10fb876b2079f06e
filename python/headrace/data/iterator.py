"""Iterators: what hands a dataset's elements to steps."""

from ..framework import dtypes, nest
from ..framework.function_graph import Function, FuncGraph
from ..framework.graph import Tensor, get_default_graph
from ..framework.op_library import apply_op
from . import structure
from .structure import Spec


class Iterator(structure.HasElements):
    """Hands out a dataset's elements: each step that runs get_next()'s tensors takes the next one.

    At the end the step raises tf.errors.OutOfRangeError.
    """

    def __init__(self, iterator_resource, initializer, specs):
        self._resource, self._initializer, self._specs = iterator_resource, initializer, specs

    @staticmethod
    def from_structure(output_types, output_shapes=None, shared_name=None, output_classes=None):
        """An iterator for any dataset of these types and shapes: make_initializer(dataset) attaches one."""
        specs = _specs(output_types, output_shapes, output_classes)
        resource = apply_op("IteratorV2", shared_name=shared_name or "", container="", **structure.attrs_of(specs))
        return Iterator(resource, None, specs)

    @staticmethod
    def from_string_handle(string_handle, output_types, output_shapes=None, output_classes=None):
        """The iterator that a fed handle (from string_handle()) stands for."""
        specs = _specs(output_types, output_shapes, output_classes)
        resource = apply_op("IteratorFromStringHandleV2", string_handle, **structure.attrs_of(specs))
        return Iterator(resource, None, specs)

    @property
    def initializer(self):
        """The operation that starts it from the beginning. Raises ValueError where there is none."""
        if self._initializer is None:
            raise ValueError("The iterator does not have an initializer: one that was made by make_one_shot_iterator needs none, "
                             "and one of from_structure is initialized by make_initializer(dataset).")
        return self._initializer

    def make_initializer(self, dataset, name=None):
        """The operation that makes it hand out `dataset` from its beginning."""
        nest.assert_same_structure(dataset._specs, self._specs)
        for have, want in zip(nest.flatten(dataset._specs), nest.flatten(self._specs)):
            if have.dtype is not want.dtype:
                raise TypeError(f"Expected output types {self.output_types!r} but got dataset with output types "
                                f"{dataset.output_types!r}.")
            if not have.shape.is_compatible_with(want.shape):
                raise TypeError(f"Expected output shapes compatible with {self.output_shapes!r} but got dataset with output "
                                f"shapes {dataset.output_shapes!r}.")
        with get_default_graph().colocate_with(self._resource.op):
            return apply_op("MakeIterator", dataset._variant, self._resource, name=name or "make_initializer")

    def get_next(self, name=None):
        """The tensors of the next element, in the dataset's structure."""
        outputs = apply_op("IteratorGetNext", self._resource, name=name, **structure.attrs_of(self._specs))
        return structure.from_native(self._specs, outputs)

    def string_handle(self, name=None):
        """A string tensor that from_string_handle understands."""
        return apply_op("IteratorToStringHandle", self._resource, name=name)


def _specs(types, shapes, classes):
    flat = [dtypes.as_dtype(t) for t in nest.flatten(types)]
    flat_shapes = [None] * len(flat) if shapes is None else _flat_shapes(types, shapes)
    kinds = [Spec] * len(flat)
    if classes is not None:
        kinds = [Spec if c is Tensor else structure.SparseSpec for c in nest.flatten(classes)]
    return nest.pack(types, [kind(t, shape) for kind, t, shape in zip(kinds, flat, flat_shapes)])


def _flat_shapes(types, shapes):
    if not nest.is_nested(types):
        return [shapes]
    if isinstance(types, dict):
        return [s for key in sorted(types) for s in _flat_shapes(types[key], shapes[key])]
    return [s for t, shape in zip(types, shapes) for s in _flat_shapes(t, shape)]


def make_initializable_iterator(dataset, shared_name=None):
    """See Dataset.make_initializable_iterator."""
    resource = apply_op("IteratorV2", shared_name=shared_name or "", container="", **structure.attrs_of(dataset._specs))
    with get_default_graph().colocate_with(resource.op):
        initializer = apply_op("MakeIterator", dataset._variant, resource)
    return Iterator(resource, initializer, dataset._specs)


def make_one_shot_iterator(dataset):
    """See Dataset.make_one_shot_iterator."""
    graph = get_default_graph()
    body = FuncGraph("Dataset_one_shot", graph)
    with body.as_default():
        variant = _copied(body, dataset._variant, {})
    function = Function(body, [variant])
    resource = apply_op("OneShotIterator", dataset_factory=function.name, container="", shared_name="",
                        **structure.attrs_of(dataset._specs))
    return Iterator(resource, None, dataset._specs)


def _copied(body, tensor, known):
    """The tensor with all that it needs, copied into the body. Raises ValueError for what has state or must be fed."""
    pending = [tensor.op]
    while pending:
        op = pending[-1]
        if op in known:
            pending.pop()
            continue
        waiting = [t.op for t in op.inputs if t.op not in known]
        if waiting:
            pending += waiting
            continue
        pending.pop()
        if op.type in ("Placeholder", "VarHandleOp", "VariableV2", "IteratorV2", "ReadVariableOp"):
            raise ValueError(f"Failed to create a one-shot iterator for a dataset: it depends on {op.name} ({op.type}). Use "
                             "`Dataset.make_initializable_iterator()` instead.")
        attrs = {name: op._node.attr(name) for name in op._node.attr_names if name != "_class"}
        inputs = [known[t.op].outputs[t.value_index] for t in op.inputs]
        with body.name_scope(None), body.control_dependencies(None):
            known[op] = body.create_op(op.type, inputs, attrs, op.name)
    return known[tensor.op].outputs[tensor.value_index]


def get_output_types(dataset_or_iterator):
    return dataset_or_iterator.output_types


def get_output_shapes(dataset_or_iterator):
    return dataset_or_iterator.output_shapes


def get_output_classes(dataset_or_iterator):
    return dataset_or_iterator.output_classes
