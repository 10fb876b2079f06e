"""Headrace: distributed training on TensorFlow's graphs, wire and files. `import headrace as tf`.

The surface is TensorFlow 1's (`tensorflow.compat.v1`). What a program does not use is not loaded.
"""

import importlib as _importlib

from ._native import native as _native
from .framework import dtypes as _dtypes
from .framework import errors
from .framework.convert import constant, convert_to_tensor
from .framework.dtypes import (DType, as_dtype, bfloat16, complex64, complex128, double, float16, float32, float64, half, int8,
                               int16, int32, int64, qint8, qint16, qint32, quint8, quint16, resource, string, uint8, uint16,
                               uint32, uint64, variant)
from .framework.gradients import UnconnectedGradients, gradients, hessians
from .framework.graph import (DeviceSpec, Graph, GraphKeys, IndexedSlices, Operation, Tensor, add_to_collection,
                              add_to_collections, colocate_with, container, control_dependencies, device, get_collection,
                              get_collection_ref, get_default_graph, get_seed, name_scope, reset_default_graph,
                              set_random_seed)
from .framework.session import InteractiveSession, Session, SparseTensorValue, get_default_session
from .framework.shape import Dimension, TensorShape, dimension_value
from .framework.variable_scope import (AUTO_REUSE, VariableScope, get_local_variable, get_variable, get_variable_scope,
                                       no_regularizer, variable_op_scope, variable_scope)
from .framework.variables import (Variable, VariableAggregation, VariableSynchronization, all_variables,
                                  assert_variables_initialized, assign, assign_add, assign_sub, count_up_to, global_variables,
                                  global_variables_initializer, group, initialize_all_variables, initialize_local_variables,
                                  initialize_variables, is_variable_initialized, local_variables,
                                  local_variables_initializer, model_variables, moving_average_variables, no_op,
                                  report_uninitialized_variables, trainable_variables, variables_initializer)
from .ops import array as _array
from .ops import clip as _clip
from .ops import initializers as _initializers
from .ops import math as _math
from .ops import random as _random
from .ops import rows as _rows
from .ops import slicing as _slicing

bool = _dtypes.bool_  # noqa: A001 - TensorFlow's name
newaxis = None
OpError = errors.OpError
__version__ = VERSION = "1.15.0+headrace.0.1.0"  # programs compare it with TensorFlow's
GIT_VERSION = COMPILER_VERSION = "headrace"


def _adopt(module, *skipped):
    """Makes the public functions and classes of a module names of this one."""
    for name, value in vars(module).items():
        if name.startswith("_") or name in skipped or not (callable(value)):
            continue
        if getattr(value, "__module__", module.__name__) == module.__name__:
            globals().setdefault(name, value)


_adopt(_array, "shape_of")
_adopt(_slicing)
_adopt(_rows)
_adopt(_math)
_adopt(_random)
_adopt(_clip)
globals().update({name: value for name, value in vars(_initializers).items()
                  if name.endswith("_initializer") and name != "tables_initializer"})

# What is loaded when it is first used: name -> (module, name in it; None: the module itself).
_LAZY = {
    "compat": (".compat", None), "contrib": (".contrib", None), "data": (".data", None), "raw_ops": (".raw_ops", None),
    "train": (".train", None), "nn": (".nn", None), "protos": (".protos", None), "summary": (".summary", None),
    **{name: (".ops.control_flow", name) for name in ("cond", "case", "while_loop", "map_fn", "scan", "foldl", "foldr")},
    **{name: (".ops.queues", name) for name in (
        "FIFOQueue", "RandomShuffleQueue", "PaddingFIFOQueue", "QueueBase", "ReaderBase", "TextLineReader", "TFRecordReader",
        "FixedLengthRecordReader", "WholeFileReader", "IdentityReader", "ConditionalAccumulator",
        "SparseConditionalAccumulator")},
    **{name: (".ops.script", name) for name in ("numpy_function", "py_func")},
    **{name: (".ops.printing", name) for name in ("Print", "print")},
    "tuple": (".ops.control_flow", "tuple_"), "TensorArray": (".ops.tensor_array", "TensorArray"),
    **{name: (".ops.check", name) for name in (
        "Assert", "add_check_numerics_ops", "assert_equal", "assert_greater", "assert_greater_equal", "assert_integer",
        "assert_less", "assert_less_equal", "assert_near", "assert_negative", "assert_non_negative", "assert_non_positive",
        "assert_none_equal", "assert_positive", "assert_proper_iterable", "assert_rank", "assert_rank_at_least",
        "assert_rank_in", "assert_same_float_dtype", "assert_scalar", "assert_type", "check_numerics", "ensure_shape",
        "is_non_decreasing", "is_numeric_tensor", "is_strictly_increasing", "verify_tensor_all_finite")},
    **{name: (".ops.matrix", name) for name in ("cross", "diag", "diag_part", "eye", "matrix_band_part", "matrix_diag",
                                                "matrix_diag_part", "matrix_set_diag", "matrix_transpose", "matvec", "norm",
                                                "trace")},
    **{name: (".ops.decompositions", name) for name in (
        "cholesky", "cholesky_solve", "matrix_determinant", "matrix_inverse", "matrix_solve",
        "matrix_triangular_solve")},
    **{name: (".ops.counting", name) for name in (
        "argsort", "bincount", "confusion_matrix", "count_nonzero", "depth_to_space", "histogram_fixed_width",
        "histogram_fixed_width_bins", "listdiff", "roll", "searchsorted", "setdiff1d", "sort", "space_to_depth",
        "unique_with_counts")},
    **{name: (".ops.scatter", name) for name in (
        "scatter_add", "scatter_div", "scatter_max", "scatter_min", "scatter_mul", "scatter_nd_add", "scatter_nd_sub",
        "scatter_nd_update", "scatter_sub", "scatter_update")},
    **{name: (".framework.behavior", name) for name in (
        "disable_control_flow_v2", "disable_eager_execution", "disable_resource_variables", "disable_tensor_equality",
        "disable_v2_behavior", "disable_v2_tensorshape", "enable_eager_execution", "enable_resource_variables",
        "enable_v2_behavior", "executing_eagerly", "resource_variables_enabled")},
    **{name: (".ops.special", name) for name in ("atan2", "lbeta", "polygamma", "zeta")},
    "custom_gradient": (".framework.custom_gradient", "custom_gradient"),
    "AggregationMethod": (".framework.gradients", "AggregationMethod"), "Template": (".framework.template", "Template"),
    "make_template": (".framework.template", "make_template"), "get_logger": (".logging", "get_logger"),
    "initialize_all_tables": (".lookup", "tables_initializer"), "make_ndarray": (".framework.tensor_proto", "make_ndarray"),
    "make_tensor_proto": (".framework.tensor_proto", "make_tensor_proto"),
    **{name: (".ops.batches", name) for name in ("batch_to_space", "batch_to_space_nd", "space_to_batch", "space_to_batch_nd")},
    "math": (".math", None), "random": (".random", None),
    "einsum": (".ops.einsum", "einsum"), "debugging": (".debugging", None), "layers": (".layers", None),
    "losses": (".losses", None),
    "metrics": (".metrics", None), "linalg": (".linalg", None), "image": (".image", None), "test": (".test", None),
    "app": (".app", None), "flags": (".flags", None), "logging": (".logging", None), "gfile": (".gfile", None),
    "python_io": (".python_io", None), "import_graph_def": (".train.meta_graph", "import_graph_def"),
    "sparse": (".sparse", None),
    **{name: (".sparse", name) for name in (
        "SparseTensor", "edit_distance", "convert_to_tensor_or_sparse_tensor", "sparse_placeholder", "sparse_to_dense", "sparse_tensor_to_dense",
        "sparse_reshape", "sparse_reorder", "sparse_transpose", "sparse_concat", "sparse_slice", "sparse_split",
        "sparse_retain", "sparse_reset_shape", "sparse_fill_empty_rows", "sparse_tensor_dense_matmul", "sparse_add",
        "sparse_reduce_sum",
        "sparse_segment_sum", "sparse_segment_mean", "sparse_segment_sqrt_n", "sparse_merge", "sparse_to_indicator",
        "serialize_sparse", "serialize_many_sparse", "deserialize_many_sparse")},
    "graph_util": (".graph_util", None), "saved_model": (".saved_model", None),
    "io": (".io", None), "strings": (".strings", None), "lookup": (".lookup", None),
    "feature_column": (".feature_column", None),
    **{name: (".parsing", name) for name in (
        "VarLenFeature", "FixedLenFeature", "FixedLenSequenceFeature", "SparseFeature", "parse_example", "parse_single_example",
        "parse_single_sequence_example", "decode_csv", "decode_raw", "decode_json_example", "string_to_number", "parse_tensor",
        "serialize_tensor", "read_file", "write_file", "matching_files")},
    **{name: (".strings", name) for name in (
        "as_string", "string_split", "string_join", "string_strip", "string_to_hash_bucket", "string_to_hash_bucket_fast",
        "string_to_hash_bucket_strong", "reduce_join", "substr", "regex_replace", "encode_base64", "decode_base64")},
    **{name: (".lookup", name) for name in ("tables_initializer",)},
    **{name: (".framework.partitioned", name) for name in (
        "fixed_size_partitioner", "min_max_variable_partitioner", "variable_axis_size_partitioner")},
    "initializers": (".ops.initializers", None),
    "ConfigProto": (".protos", "ConfigProto"), "GraphDef": (".protos", "GraphDef"), "NodeDef": (".protos", "NodeDef"),
    "GPUOptions": (".protos", "GPUOptions"), "GraphOptions": (".protos", "GraphOptions"),
    "OptimizerOptions": (".protos", "OptimizerOptions"), "RunOptions": (".protos", "RunOptions"),
    "RunMetadata": (".protos", "RunMetadata"), "MetaGraphDef": (".protos", "MetaGraphDef"), "Summary": (".protos", "Summary"),
    "AttrValue": (".protos", "AttrValue"), "SessionLog": (".protos", "SessionLog"), "Event": (".protos", "Event"), "SummaryMetadata": (".protos", "SummaryMetadata"),
    "HistogramProto": (".protos", "HistogramProto"),
}

# Spellings from before TensorFlow 1.0, for the message that names the new one.
_RENAMED = {
    "scalar_summary": "summary.scalar", "histogram_summary": "summary.histogram",
    "image_summary": "summary.image", "merge_summary": "summary.merge", "merge_all_summaries": "summary.merge_all",
    "batch_matmul": "matmul", "complex_abs": "abs", "select": "where", "inv": "reciprocal",
}


def __getattr__(name):
    target = _LAZY.get(name)
    if target is not None:
        module = _importlib.import_module(target[0], __name__)
        value = globals()[name] = module if target[1] is None else getattr(module, target[1])
        return value
    if name.startswith("__"):
        raise AttributeError(name)
    if name in _RENAMED:
        raise AttributeError(f"module 'headrace' has no attribute '{name}': it is called '{_RENAMED[name]}' now")
    import difflib
    near = difflib.get_close_matches(name, __dir__(), n=1)
    raise AttributeError(f"module 'headrace' has no attribute '{name}'" + (f". Did you mean '{near[0]}'?" if near else ""))


def __dir__():
    return sorted(set(name for name in globals() if not name.startswith("_")) | set(_LAZY))
