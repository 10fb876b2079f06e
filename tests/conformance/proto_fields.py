"""Compares proto/*.proto with the descriptors in the installed tensorflow package: names, numbers and wire types.

Every message and field of ours must be TensorFlow's. Fields of TensorFlow's that we leave unknown are counted, not errors.
Usage: python proto_fields.py [--verbose]     (needs protoc in the path, and tensorflow)
"""
import importlib
import pathlib
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2
import tensorflow

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = pathlib.Path(tensorflow.__file__).parent
MODULES = [f"tensorflow.core.framework.{name}_pb2" for name in (
    "types tensor tensor_shape resource_handle graph node_def attr_value function op_def versions tensor_slice step_stats "
    "allocation_description tensor_description cost_graph device_attributes variable summary").split()] + [
        f"tensorflow.core.protobuf.{name}_pb2" for name in (
            "config cluster tensorflow_server named_tensor device_filters tensor_bundle saver meta_graph debug saved_model "
            "transport_options").split()] + [
                "tensorflow.python.training.checkpoint_state_pb2", "tensorflow.core.example.example_pb2",
                "tensorflow.core.example.feature_pb2", "tensorflow.core.util.event_pb2",
                "tensorflow.compiler.xla.tsl.protobuf.rpc_options_pb2", "tensorflow.compiler.xla.tsl.protobuf.histogram_pb2"]
# Only in the C++ library, as serialized descriptors.
EMBEDDED = ["tensorflow/core/protobuf/master.proto", "tensorflow/core/protobuf/worker.proto"]
Field = descriptor_pb2.FieldDescriptorProto


def our_files():
  with tempfile.TemporaryDirectory() as directory:
    out = pathlib.Path(directory) / "all.bin"
    subprocess.run(["protoc", f"-Iheadrace/proto={ROOT}/proto", f"--descriptor_set_out={out}",
                    *sorted(map(str, (ROOT / "proto").glob("*.proto")))], check=True)
    return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file


def varint(data, at):
  value = shift = 0
  while True:
    byte = data[at]
    at += 1
    value |= (byte & 127) << shift
    shift += 7
    if not byte & 128:
      return value, at


def embedded_file(data, name):
  """Finds the FileDescriptorProto that begins with its field 1 = name, and takes fields until one cannot belong to it."""
  begin = data.find(bytes([10, len(name)]) + name.encode())
  if begin < 0:
    raise SystemExit(f"{name} is not in the library")
  end = begin
  while True:
    tag, at = varint(data, end)
    if tag & 7 != 2 or not 1 <= tag >> 3 <= 12:
      return descriptor_pb2.FileDescriptorProto.FromString(data[begin:end])
    length, at = varint(data, at)
    end = at + length


def their_files():
  for name in MODULES:
    file = descriptor_pb2.FileDescriptorProto()
    importlib.import_module(name).DESCRIPTOR.CopyToProto(file)
    yield file
  library = next(PACKAGE.glob("libtensorflow_cc.so*")).read_bytes()
  for name in EMBEDDED:
    yield embedded_file(library, name)


def messages(files):
  """Full name within the package -> descriptor, nested ones included."""
  found = {}

  def add(prefix, message):
    name = prefix + message.name
    found[name] = message
    for nested in message.nested_type:
      add(name + ".", nested)

  for file in files:
    for message in file.message_type:
      add("", message)
  return found


def enums(files):
  found = {}

  def add(prefix, scope):
    for enum in scope.enum_type:
      found[prefix + enum.name] = {value.name: value.number for value in enum.value}

  for file in files:
    add("", file)
  for name, message in messages(files).items():
    add(name + ".", message)
  return found


def wire(field):
  kind = Field.TYPE_INT32 if field.type == Field.TYPE_ENUM else field.type
  nested = field.type_name.split(".")[-1] if field.type == Field.TYPE_MESSAGE else ""
  return field.number, kind, field.label, nested, field.HasField("oneof_index")


def compare(ours, theirs):
  faults, skipped = [], []
  for name, message in ours.items():
    if name not in theirs:
      faults.append(f"{name}: TensorFlow has no such message")
      continue
    wanted = {field.name: wire(field) for field in theirs[name].field}
    actual = {field.name: wire(field) for field in message.field}
    for field, form in actual.items():
      if wanted.get(field) != form:
        faults.append(f"{name}.{field}: ours is {form}, TensorFlow's is {wanted.get(field)}")
    skipped += [f"{name}.{field}" for field in wanted if field not in actual]
  return faults, skipped


def main():
  our, their = list(our_files()), list(their_files())
  ours = messages(our)
  faults, skipped = compare(ours, messages(their))
  their_enums = enums(their)
  for name, values in enums(our).items():
    if their_enums.get(name) != values:
      faults.append(f"enum {name}: ours is {values}, TensorFlow's is {their_enums.get(name)}")
  if "--verbose" in sys.argv:
    print("left unknown:", *skipped, sep="\n  ")
  print(*faults, sep="\n")
  print(f"{len(ours)} messages, {len(faults)} faults, {len(skipped)} of TensorFlow's fields left unknown")
  return 1 if faults or len(ours) < 100 else 0


if __name__ == "__main__":
  sys.exit(main())
