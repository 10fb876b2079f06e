"""Writes op_definitions.txt: the signatures of TensorFlow's ops, one a line, as the installed tensorflow package states them.

Line: Name(arg: type, ...) -> (arg: type, ...) | attr: kind [= default] [in {a,b}] [>= n] | ... [| stateful] ...
An argument's type is a dtype, an attr's name, `n * type` for a repeated one or `list(attr)`; `Ref(...)` marks a reference.
Usage: python make_op_definitions.py [OUTPUT]
"""
import re
import sys

import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry  # noqa: F401  (forces registration)
from tensorflow.python.client import pywrap_tf_session as c_api
from tensorflow.core.framework import op_def_pb2


SHORT_NAMES = {"float": "f32", "double": "f64", "half": "f16", "bfloat16": "bf16", "string": "str", "complex64": "c64",
               "complex128": "c128", "bool": "bool", "resource": "resource", "variant": "variant"}


def dtype_name(value):
  """f32, i64, u8, qi8, f8e5m2, ... as Headrace prints them."""
  name = types_pb2.DataType.Name(value)[3:].lower()
  name = SHORT_NAMES.get(name, name)
  return re.sub("^(q?)(u?)int", lambda m: m[1] + (m[2] or "i"), name).replace("float8_", "f8")


def value_text(value):
  kind = value.WhichOneof("value")
  if kind == "type":
    return dtype_name(value.type)
  if kind == "s":
    return repr(value.s.decode("latin1"))
  if kind == "b":
    return "true" if value.b else "false"
  if kind == "i":
    return str(value.i)
  if kind == "f":
    return repr(value.f)
  if kind == "shape":
    if value.shape.unknown_rank:
      return "<unknown>"
    return "[" + ",".join("?" if d.size == -1 else str(d.size) for d in value.shape.dim) + "]"
  if kind == "list":
    items = value.list
    if items.type:
      return "[" + ",".join(dtype_name(t) for t in items.type) + "]"
    if items.s:
      return "[" + ",".join(repr(s.decode("latin1")) for s in items.s) + "]"
    return "[" + ",".join(str(v) for v in list(items.i) + list(items.f) + list(items.b)) + "]"
  if kind == "func":
    return "func:" + value.func.name
  if kind == "tensor":
    return "tensor"
  return "?"


def arg_text(arg):
  base = arg.type_attr or dtype_name(arg.type)
  if arg.type_list_attr:
    base = f"list({arg.type_list_attr})"
  elif arg.number_attr:
    base = f"{arg.number_attr} * {base}"
  return f"{arg.name}: " + (f"Ref({base})" if arg.is_ref else base)


def attr_text(attr):
  text = f"{attr.name}: {attr.type}"
  if attr.HasField("default_value"):
    text += " = " + value_text(attr.default_value)
  if attr.HasField("allowed_values"):
    allowed = attr.allowed_values.list
    names = [dtype_name(t) for t in allowed.type] or [repr(s.decode()) for s in allowed.s]
    text += " in {" + ",".join(names) + "}"
  if attr.has_minimum:
    text += f" >= {attr.minimum}"
  return text


def op_text(op):
  inputs = ", ".join(arg_text(a) for a in op.input_arg)
  outputs = ", ".join(arg_text(a) for a in op.output_arg)
  parts = [f"{op.name}({inputs}) -> ({outputs})"] + [attr_text(a) for a in op.attr]
  for flag in ("is_stateful", "is_commutative", "is_aggregate", "allows_uninitialized_input"):
    if getattr(op, flag):
      parts.append(flag.replace("is_", ""))
  return " | ".join(parts)


def main():
  buffer = c_api.TF_GetAllOpList()
  ops = op_def_pb2.OpList()
  ops.ParseFromString(c_api.TF_GetBuffer(buffer))
  lines = sorted(op_text(op) for op in ops.op)
  header = f"# TensorFlow {tf.__version__}: {len(lines)} ops\n"
  with open(sys.argv[1] if len(sys.argv) > 1 else "op_definitions.txt", "w") as out:
    out.write(header + "\n".join(lines) + "\n")


if __name__ == "__main__":
  main()
