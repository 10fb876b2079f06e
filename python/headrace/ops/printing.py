"""Operations that print while a step runs, on the task that runs them."""

import pprint
import sys

from ..framework import dtypes, nest
from ..framework.convert import convert_to_tensor, is_tensor_like
from ..framework.op_library import apply_op

_LEVELS = {"info": "log(info)", "warn": "log(warning)", "warning": "log(warning)", "error": "log(error)"}


def Print(input_, data, message=None, first_n=None, summarize=None, name=None):  # noqa: N802 - TensorFlow's name
    """The tensor `input_`; when it is computed, `message` and the first `summarize` (3) values of each tensor of `data` are
    printed to standard error; the first `first_n` times only, where given."""
    return apply_op("Print", input_, list(data), message=message, first_n=first_n, summarize=summarize, name=name)


def _stream(output_stream):
    """The attribute that names a stream. Raises ValueError for one that cannot be used."""
    from .. import logging
    if isinstance(output_stream, str) and output_stream.startswith("file://"):
        return output_stream
    if output_stream is sys.stderr or output_stream is sys.__stderr__:
        return "stderr"
    if output_stream is sys.stdout or output_stream is sys.__stdout__:
        return "stdout"
    for level, text in _LEVELS.items():
        if output_stream in (getattr(logging, level), getattr(logging, level.upper())):
            return text
    raise ValueError(f"Unsupported output stream, logging level, or file.{output_stream}. Supported streams are sys.stdout, "
                     "sys.stderr, tf.logging.info, tf.logging.warning, tf.logging.error. File needs to be in the form of "
                     "'file://<filepath>'.")


def _is_sparse(value):
    return hasattr(value, "with_values")


def _template(value, placeholder, tensors):
    """The text of one argument, with a placeholder for each tensor, which is added to `tensors`."""
    leaves = []
    for leaf in nest.flatten(value):
        if _is_sparse(leaf):
            tensors += [leaf.indices, leaf.values, leaf.dense_shape]
            leaves.append(f"SparseTensor(indices={placeholder}, values={placeholder}, shape={placeholder})")
        elif is_tensor_like(leaf):
            tensors.append(convert_to_tensor(leaf))
            leaves.append(placeholder)
        else:
            leaves.append(leaf)
    return value if isinstance(value, str) else pprint.pformat(nest.pack(value, leaves))


def _is_one_text(inputs):
    value = inputs[0] if len(inputs) == 1 else None
    return is_tensor_like(value) and value.dtype.base_dtype is dtypes.string and value.shape.rank == 0


def print(*inputs, output_stream=None, summarize=3, sep=" ", end="\n", name=None, **unknown):  # noqa: A001 - TensorFlow's name
    """An operation that prints the inputs, which may be structures of tensors and other values, side by side.

    Of each dimension of a tensor the first and last `summarize` are shown (-1: all). `output_stream`: sys.stderr (unless
    given), sys.stdout, tf.logging.info, warning or error, or "file://" and a path, to whose end is written.
    """
    if unknown:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {unknown}")
    stream = _stream(sys.stderr if output_stream is None else output_stream)
    if _is_one_text(inputs):
        text = inputs[0]
    else:
        plain = " ".join(pprint.pformat(nest.map_structure(
            lambda leaf: "" if is_tensor_like(leaf) or _is_sparse(leaf) else leaf, value)) for value in inputs)
        placeholder = "{}"
        while placeholder in plain:
            placeholder += "9"
        tensors = []
        template = sep.join([_template(value, placeholder, tensors) for value in inputs])
        template = template.replace(f"'{placeholder}'", placeholder)
        text = apply_op("StringFormat", tensors, template=template, placeholder=placeholder, summarize=summarize,
                        name=f"{name}_format" if name else None)
    return apply_op("PrintV2", text, output_stream=stream, end=end, name=name)
