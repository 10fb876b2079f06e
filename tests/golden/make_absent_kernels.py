"""Writes absent_kernels.txt: for each op and attribute of TensorFlow, the declared types for which TensorFlow has no kernel on the CPU
(ops without any such kernel are left out). The registry test asks for a kernel for all the others.

Usage: python make_absent_kernels.py > absent_kernels.txt      (needs tensorflow-cpu)
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf  # noqa: E402
from tensorflow.python.framework import kernels, op_def_registry  # noqa: E402

from make_op_definitions import dtype_name  # noqa: E402

constraints = {}  # op -> for each kernel: attribute -> types
for kernel in kernels.get_all_registered_kernels().kernel:
  if kernel.device_type == "CPU":
    types = {c.name: set(c.allowed_values.list.type) for c in kernel.constraint}
    constraints.setdefault(kernel.op, []).append(types)

print(f"# TensorFlow {tf.__version__}")
for op in sorted(constraints):
  definition = op_def_registry.get(op)
  for attr in definition.attr if definition else ():
    if attr.type != "type":
      continue
    absent = [t for t in attr.allowed_values.list.type
              if not any(attr.name not in kernel or t in kernel[attr.name] for kernel in constraints[op])]
    if absent:
      print(f"{op} {attr.name}:", *map(dtype_name, absent))
