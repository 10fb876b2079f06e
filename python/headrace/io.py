"""tf.io: files, records and parsing, under TensorFlow's newer names."""

import importlib

_HOMES = {
    ".parsing": (
        "FixedLenFeature", "FixedLenSequenceFeature", "RaggedFeature", "SparseFeature", "VarLenFeature", "decode_csv",
        "decode_json_example", "decode_raw", "matching_files", "parse_example", "parse_sequence_example",
        "parse_single_example", "parse_single_sequence_example", "parse_tensor", "read_file", "serialize_tensor", "write_file"),
    ".python_io": ("TFRecordCompressionType", "TFRecordOptions", "TFRecordWriter", "tf_record_iterator"),
    ".sparse": ("deserialize_many_sparse", "serialize_many_sparse", "serialize_sparse"),
    ".strings": ("decode_base64", "encode_base64"),
    ".train": ("match_filenames_once", "write_graph"),
}
_NAMES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name):
    if name == "gfile":
        return importlib.import_module(".gfile", __package__)
    if name not in _NAMES:
        raise AttributeError(f"module 'headrace.io' has no attribute '{name}'")
    value = globals()[name] = getattr(importlib.import_module(_NAMES[name], __package__), name)
    return value


def __dir__():
    return sorted([*_NAMES, "gfile"])
