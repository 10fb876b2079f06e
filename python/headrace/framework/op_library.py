"""Applying ops by their native signatures: arguments are converted to what the signature asks for, attributes are inferred."""

import collections
import functools
import inspect

from .._native import native
from . import dtypes
from .convert import convert_to_tensor, dtype_of, is_tensor_like, make_native_tensor, make_array
from .graph import get_default_graph, Tensor
from .shape import as_shape


class _Arg:
    __slots__ = ("name", "dtype", "type_attr", "number_attr", "type_list_attr", "is_ref")

    def __init__(self, fields):
        self.name, number, self.type_attr, self.number_attr, self.type_list_attr, self.is_ref = fields
        self.dtype = dtypes.as_dtype(number) if number else None

    @property
    def is_list(self):
        return bool(self.number_attr or self.type_list_attr)


class Signature:
    """An op's signature. `attrs` are those that a caller may give: name -> (kind, has default, default, allowed types)."""

    def __init__(self, name):
        _, inputs, outputs, attrs, self.stateful = native.op_signature(name)
        self.name = name
        self.inputs = [_Arg(fields) for fields in inputs]
        self.outputs = [_Arg(fields) for fields in outputs]
        self.attrs = {attr[0]: attr[1:] for attr in attrs}
        inferred = set()
        for arg in self.inputs:
            inferred.update(a for a in (arg.type_attr, arg.number_attr, arg.type_list_attr) if a)
        self.inferred = inferred


@functools.lru_cache(maxsize=None)
def signature_of(op_type):
    """The signature of an op. Raises NotFoundError for an unknown one."""
    return Signature(op_type)


def _attr_value(kind, value):
    """A natural Python value as the native side takes an attribute."""
    if kind.startswith("list("):
        return [_attr_value(kind[5:-1], item) for item in value]
    if kind == "type":
        return dtypes.as_dtype(value).base_dtype.as_datatype_enum
    if kind == "shape":
        dims = as_shape(value)._dims
        return None if dims is None else list(dims)
    if kind == "tensor":
        return value if isinstance(value, native.Tensor) else make_native_tensor(*make_array(value))
    if kind == "func":
        return getattr(value, "name", value)
    return value


def _types_from_tensors(signature, values, known):
    """Dtypes of type attributes that some tensor, variable or array among the inputs decides."""
    for arg, value in zip(signature.inputs, values):
        if arg.type_attr and arg.type_attr not in known:
            found = dtype_of(value)
            if found is not None and (is_tensor_like(value) or isinstance(value, (list, tuple)) or found is not None):
                known[arg.type_attr] = found


def _weakly_typed(value):
    return not is_tensor_like(value) and not hasattr(value, "dtype")


def apply_op(op_type, *inputs, name=None, **attrs):
    """Adds an operation of the given type; returns its output, its outputs (a named tuple), or the operation if it has none.

    Raises TypeError for inputs or attributes of a wrong type or number, ValueError for what does not fit together.
    """
    signature = signature_of(op_type)
    if len(inputs) != len(signature.inputs):
        raise TypeError(f"{op_type} takes {len(signature.inputs)} inputs ({', '.join(a.name for a in signature.inputs)}), "
                        f"got {len(inputs)}")
    native_attrs, known = {}, {}
    for key, value in attrs.items():
        if value is None:
            continue
        described = signature.attrs.get(key)
        if described is None and not key.startswith("_"):
            raise TypeError(f"{op_type} got an unexpected keyword argument '{key}'")
        native_attrs[key] = _attr_value(described[0], value) if described else value
        if described and described[0] == "type":
            known[key] = dtypes.as_dtype(value).base_dtype
    graph = get_default_graph()
    scope = _reserve(graph, name or op_type)
    before, graph._scope = graph._scope, scope
    try:
        tensors = _convert_inputs(op_type, signature, inputs, attrs, native_attrs, known)
    finally:
        graph._scope = before
    op = graph.create_op(op_type, tensors, native_attrs, scope + "/")
    return _pack_outputs(signature, op)


def _reserve(graph, name):
    if name.endswith("/"):
        return name[:-1]
    graph._check_open()
    return graph.unique_name(name)


def _convert_inputs(op_type, signature, inputs, attrs, native_attrs, known):
    given = dict(known)
    _types_from_tensors(signature, inputs, known)
    tensors = []
    for arg, value in zip(signature.inputs, inputs):
        if arg.is_list:
            tensors += _convert_list(op_type, signature, arg, value, attrs, native_attrs, known)
            continue
        wanted = arg.dtype or known.get(arg.type_attr)
        tensor = _convert_one(op_type, arg, value, wanted, signature, arg.type_attr in given)
        if arg.type_attr and arg.type_attr not in known:
            known[arg.type_attr] = tensor.dtype.base_dtype
        tensors.append(tensor)
    for attr, dtype in known.items():
        native_attrs.setdefault(attr, dtype.as_datatype_enum)
    return tensors


def _convert_one(op_type, arg, value, wanted, signature, fixed):
    if arg.is_ref:
        ref = getattr(value, "_ref", None)
        tensor = ref() if ref else value
        if not isinstance(tensor, Tensor) or not tensor.dtype._is_ref_dtype:
            raise TypeError(f"'{op_type}' Op requires that input '{arg.name}' be a mutable tensor (e.g.: a tf.Variable)")
        return tensor
    if arg.dtype is dtypes.resource and hasattr(value, "handle"):
        return value.handle
    default = None
    if wanted is None and arg.type_attr:
        described = signature.attrs[arg.type_attr]
        if described[1] and _weakly_typed(value):
            default = dtypes.as_dtype(described[2])
        allowed = described[3]
        if default is None and allowed and _weakly_typed(value) and dtypes.int32.as_datatype_enum not in allowed \
                and dtypes.float32.as_datatype_enum in allowed:
            default = dtypes.float32
    try:
        return convert_to_tensor(value, wanted, name=arg.name, preferred_dtype=default)
    except ValueError as error:
        if isinstance(value, Tensor) and wanted is not None:
            raise TypeError(f"Input '{arg.name}' of '{op_type}' Op has type {value.dtype.base_dtype.name} that does not match "
                            f"type {wanted.name} of the other arguments.") from None
        raise error


def _convert_list(op_type, signature, arg, values, attrs, native_attrs, known):
    if isinstance(values, Tensor) or not isinstance(values, (list, tuple)):
        raise TypeError(f"Expected list for '{arg.name}' argument to '{op_type}' Op, not {values!r}.")
    if arg.type_list_attr:
        types = attrs.get(arg.type_list_attr)
        types = [None] * len(values) if types is None else [dtypes.as_dtype(t) for t in types]
        if len(types) != len(values):
            raise ValueError(f"{op_type}: {len(values)} values for {len(types)} types in '{arg.type_list_attr}'")
        tensors = [convert_to_tensor(v, t, name=f"{arg.name}_{i}") for i, (v, t) in enumerate(zip(values, types))]
        native_attrs.setdefault(arg.type_list_attr, [t.dtype.base_dtype.as_datatype_enum for t in tensors])
        return tensors
    wanted = arg.dtype or known.get(arg.type_attr)
    if arg.is_ref:
        tensors = [_convert_one(op_type, arg, v, wanted, signature, False) for v in values]
    else:
        tensors = []
        for i, value in enumerate(values):
            tensor = convert_to_tensor(value, wanted, name=f"{arg.name}_{i}")
            wanted = wanted or tensor.dtype.base_dtype
            tensors.append(tensor)
    if arg.type_attr and tensors:
        known.setdefault(arg.type_attr, tensors[0].dtype.base_dtype)
    native_attrs.setdefault(arg.number_attr, len(tensors))
    return tensors


@functools.lru_cache(maxsize=None)
def _result_type(op_type):
    names = [arg.name for arg in signature_of(op_type).outputs]
    return collections.namedtuple(op_type, names, rename=True)


def _pack_outputs(signature, op):
    outputs = op.outputs
    if not signature.outputs:
        return op
    if len(signature.outputs) == 1:
        return list(outputs) if signature.outputs[0].is_list else outputs[0]
    if not any(arg.is_list for arg in signature.outputs):
        return _result_type(signature.name)(*outputs)
    parts, next_output = [], 0
    for arg in signature.outputs:
        if arg.is_list:
            attr = arg.number_attr or arg.type_list_attr
            count = op._node.attr(attr)
            count = count if isinstance(count, int) else len(count)
            parts.append(list(outputs[next_output:next_output + count]))
            next_output += count
        else:
            parts.append(outputs[next_output])
            next_output += 1
    return _result_type(signature.name)(*parts)


def make_op_function(op_type):
    """A function for an op, with keyword arguments named as in its signature, for `raw_ops`."""
    signature = signature_of(op_type)
    input_names = [arg.name for arg in signature.inputs]
    attr_names = [a for a in signature.attrs if a not in signature.inferred]

    def function(*args, name=None, **kwargs):
        values = list(args)
        for missing in input_names[len(values):]:
            if missing not in kwargs:
                raise TypeError(f"{op_type}() missing a required argument: '{missing}'")
            values.append(kwargs.pop(missing))
        return apply_op(op_type, *values, name=name, **kwargs)

    function.__name__ = function.__qualname__ = op_type
    function.__doc__ = f"The op {op_type}: inputs {input_names}, attributes {attr_names}."
    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in input_names]
    for attr in attr_names:
        _, has_default, default = signature.attrs[attr][:3]
        parameters.append(inspect.Parameter(attr, inspect.Parameter.KEYWORD_ONLY,
                                            default=default if has_default else inspect.Parameter.empty))
    parameters.append(inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, default=None))
    function.__signature__ = inspect.Signature(parameters)
    return function
