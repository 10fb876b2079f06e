"""The messages of TensorFlow's formats (GraphDef, ConfigProto, Example, Summary, ...), made from the library's own schemas.

They are read when first asked for: programs that use none do without the protobuf package's start-up time.
"""

import functools
import importlib.resources


@functools.lru_cache(maxsize=None)
def _pool():
    from google.protobuf import descriptor_pb2, descriptor_pool
    pool = descriptor_pool.DescriptorPool()
    schemas = descriptor_pb2.FileDescriptorSet.FromString(
        importlib.resources.files(__package__).joinpath("schemas.bin").read_bytes())
    names = {}
    for file in schemas.file:
        pool.Add(file)
        for message in file.message_type:
            names[message.name] = f"{file.package}.{message.name}"
    return pool, names


def __getattr__(name):
    if name.startswith("_"):
        raise AttributeError(name)
    from google.protobuf import message_factory
    pool, names = _pool()
    if name not in names:
        raise AttributeError(f"module 'headrace.protos' has no message '{name}'")
    message = globals()[name] = message_factory.GetMessageClass(pool.FindMessageTypeByName(names[name]))
    return message


def __dir__():
    return sorted(_pool()[1])
