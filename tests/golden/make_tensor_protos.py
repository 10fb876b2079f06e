"""Writes tensor_protos.txt: TensorProtos in every form that occurs, and what TensorFlow reads from them.

Line: NAME DTYPE SHAPE VALUES PROTO, the last two in hexadecimal: raw little-endian bytes, or the strings between commas.
Usage: python make_tensor_protos.py [OUTPUT]
"""
import sys

import ml_dtypes
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

T = types_pb2


def proto(dtype, dims, **fields):
  message = tensor_pb2.TensorProto(dtype=dtype, **fields)
  message.tensor_shape.SetInParent()
  for size in dims:
    message.tensor_shape.dim.add(size=size)
  return message


def lists():
  """Typed lists: complete, shorter than the shape, empty."""
  complete = {
      T.DT_FLOAT: ("float_val", [1.5, -2, 3e38]), T.DT_DOUBLE: ("double_val", [1.5, -2, 1e300]),
      T.DT_INT32: ("int_val", [1, -2, 2**31 - 1]), T.DT_INT16: ("int_val", [1, -2, 32767]),
      T.DT_UINT16: ("int_val", [1, 2, 65535]), T.DT_INT8: ("int_val", [1, -2, 127]), T.DT_UINT8: ("int_val", [1, 2, 255]),
      T.DT_QINT8: ("int_val", [1, -2, 3]), T.DT_QUINT8: ("int_val", [1, 2, 255]), T.DT_QINT32: ("int_val", [1, -2, 3]),
      T.DT_QINT16: ("int_val", [1, -2, 3]), T.DT_QUINT16: ("int_val", [1, 2, 65535]),
      T.DT_INT64: ("int64_val", [1, -2, 2**62]), T.DT_BOOL: ("bool_val", [True, False, True]),
      T.DT_UINT32: ("uint32_val", [1, 2, 2**32 - 1]), T.DT_UINT64: ("uint64_val", [1, 2, 2**64 - 1]),
      T.DT_HALF: ("half_val", [0x3c00, 0xc000, 0x7bff]), T.DT_BFLOAT16: ("half_val", [0x3f80, 0xc000, 0x7f7f]),
      T.DT_STRING: ("string_val", [b"a", b"", b"\x00\xff"]), T.DT_FLOAT8_E5M2: ("float8_val", b"\x3c\xc0\x01"),
      T.DT_FLOAT8_E4M3FN: ("float8_val", b"\x38\xc0\x01"), T.DT_INT4: ("int_val", [1, -2, 7]),
      T.DT_UINT4: ("int_val", [1, 2, 15]),
  }
  for dtype, (field, values) in complete.items():
    name = T.DataType.Name(dtype)[3:].lower()
    yield f"list_{name}", proto(dtype, [3], **{field: values})
    yield f"last_repeats_{name}", proto(dtype, [2, 3], **{field: values[:2]})
    yield f"one_for_all_{name}", proto(dtype, [4], **{field: values[2:]})
    yield f"zeros_{name}", proto(dtype, [2, 2])
    yield f"no_elements_{name}", proto(dtype, [0, 3])
    yield f"scalar_{name}", proto(dtype, [], **{field: values[:1]})
  yield "list_complex64", proto(T.DT_COMPLEX64, [2], scomplex_val=[1, 2, 3, -4])
  yield "last_repeats_complex64", proto(T.DT_COMPLEX64, [3], scomplex_val=[1, 2])
  yield "list_complex128", proto(T.DT_COMPLEX128, [2], dcomplex_val=[1, 2, 3, -4])
  yield "last_repeats_complex128", proto(T.DT_COMPLEX128, [3], dcomplex_val=[1, 2])


def contents():
  """Raw content as TensorFlow writes it: by Python's constants, and by C++ as in messages between tasks."""
  rows = np.arange(20).reshape(4, 5)
  for dtype in (np.float32, np.float64, np.int32, np.int64, np.int16, np.int8, np.uint8, np.uint16, np.uint32, np.uint64, bool,
                np.float16, ml_dtypes.bfloat16, np.complex64, np.complex128, ml_dtypes.float8_e5m2, ml_dtypes.float8_e4m3fn):
    values = rows.astype(dtype)
    yield f"python_{values.dtype.name}", tf.make_tensor_proto(values)
    if not values.dtype.name.startswith("float8"):  # has no such kernel
      serialized = tf.io.serialize_tensor(tf.constant(values)).numpy()
      yield f"cpp_{values.dtype.name}", tensor_pb2.TensorProto.FromString(serialized)
  yield "python_string", tf.make_tensor_proto([["a", "bc"], ["", "long " * 20]])
  yield "cpp_string", tensor_pb2.TensorProto.FromString(tf.io.serialize_tensor(tf.constant(["a", "bc"])).numpy())
  # Lengths as varints, then the bytes: how C++ packs strings into the content.
  yield "content_string", proto(T.DT_STRING, [3], tensor_content=b"\x01\x00\x02abc")
  yield "content_no_strings", proto(T.DT_STRING, [0])


def decoded(message):
  dtype = tf.dtypes.as_dtype(message.dtype)
  if "float8" in dtype.name or dtype.name in ("int4", "uint4"):  # ParseTensor has no such kernel
    return tf.make_ndarray(message)
  return tf.io.parse_tensor(message.SerializeToString(), dtype).numpy()


def line(name, message):
  values = decoded(message)
  if message.dtype == T.DT_STRING:
    text = ",".join(value.hex() for value in np.asarray(values).ravel())
  else:
    text = np.asarray(values).tobytes().hex()
  dims = ",".join(str(dim.size) for dim in message.tensor_shape.dim)
  return f"{name} {T.DataType.Name(message.dtype)} [{dims}] '{text}' {message.SerializeToString(deterministic=True).hex()}"


def main():
  with open(sys.argv[1] if len(sys.argv) > 1 else "tensor_protos.txt", "w") as out:
    out.write(f"# TensorFlow {tf.__version__}\n")
    for name, message in [*lists(), *contents()]:
      out.write(line(name, message) + "\n")


main()
