"""tf.strings: joining, splitting, hashing and rewriting strings element by element."""

import numpy as np

from .framework import dtypes
from .framework.convert import convert_to_tensor
from .framework.graph import name_scope
from .framework.op_library import apply_op
from .ops import array, math
from .parsing import string_to_number
from .sparse import SparseTensor

to_number = string_to_number


def as_string(input, precision=-1, scientific=False, shortest=False, width=-1, fill="", name=None):
    """Numbers and truth values as text."""
    return apply_op("AsString", input, precision=precision, scientific=scientific, shortest=shortest, width=width, fill=fill,
                    name=name)


def format(template, inputs, placeholder="{}", summarize=3, name=None):  # noqa: A001 - TensorFlow's name
    """The template with a tensor's text in each place: the first and last `summarize` values of each dimension (-1: all)."""
    tensors = [convert_to_tensor(value) for value in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]
    if template.count(placeholder) != len(tensors):
        raise ValueError(f"{len(tensors)} placeholder(s) in template does not match {template.count(placeholder)} tensor(s) "
                         "provided as input")
    return apply_op("StringFormat", tensors, template=template, placeholder=placeholder, summarize=summarize, name=name)


def string_split(source=None, sep=None, skip_empty=True, delimiter=" ", result_type="SparseTensor", name=None):
    """The words of each string of a vector, as a SparseTensor [strings, most words].

    `delimiter`: each of its characters separates; "" splits into bytes. `sep`: the same, under its newer name.
    """
    if result_type != "SparseTensor":
        raise NotImplementedError(f"string_split: result_type={result_type} is not there, only 'SparseTensor'")
    delimiter = delimiter if sep is None else sep
    source = convert_to_tensor(source, dtypes.string)
    return SparseTensor(*apply_op("StringSplit", source, delimiter, skip_empty=skip_empty, name=name))


def split(input=None, sep=None, maxsplit=-1, result_type="SparseTensor", source=None, name=None):
    """The parts of each string of a vector between `sep` (runs of white space if empty), as a SparseTensor."""
    if result_type != "SparseTensor":
        raise NotImplementedError(f"tf.strings.split: result_type={result_type} is not there, only 'SparseTensor'")
    source = convert_to_tensor(source if input is None else input, dtypes.string)
    if source.shape.rank == 0:
        source = array.expand_dims(source, 0)
    return SparseTensor(*apply_op("StringSplitV2", source, "" if sep is None else sep, maxsplit=maxsplit, name=name))


def string_join(inputs, separator="", name=None):
    """The strings of several tensors of one shape, joined element by element."""
    return apply_op("StringJoin", [convert_to_tensor(x, dtypes.string) for x in inputs], separator=separator, name=name)


def reduce_join(inputs, axis=None, keep_dims=None, separator="", name=None, reduction_indices=None, keepdims=None):
    """The strings along axes (all of them), joined."""
    inputs = convert_to_tensor(inputs, dtypes.string)
    axis = reduction_indices if axis is None else axis
    if axis is None:
        rank = inputs.shape.rank
        axis = math.range(array.rank(inputs) - 1, -1, -1) if rank is None else np.arange(rank - 1, -1, -1, dtype=np.int32)
    return apply_op("ReduceJoin", inputs, axis, keep_dims=bool(keepdims or keep_dims), separator=separator, name=name)


def string_to_hash_bucket_fast(input=None, num_buckets=None, name=None):
    """A number below `num_buckets` for each string: FarmHash, the same everywhere, but open to chosen collisions."""
    return apply_op("StringToHashBucketFast", input, num_buckets=num_buckets, name=name)


def string_to_hash_bucket_strong(input=None, num_buckets=None, key=None, name=None):
    """A number below `num_buckets` for each string: SipHash under a key of two numbers."""
    return apply_op("StringToHashBucketStrong", input, num_buckets=num_buckets, key=key, name=name)


def string_to_hash_bucket(string_tensor=None, num_buckets=None, name=None, input=None):
    """A number below `num_buckets` for each string. string_to_hash_bucket_fast is the one for new programs."""
    return apply_op("StringToHashBucket", input if string_tensor is None else string_tensor, num_buckets=num_buckets, name=name)


def substr(input=None, pos=None, len=None, name=None, unit="BYTE"):  # noqa: A002
    """`len` bytes (or UTF-8 characters) of each string, from `pos` on."""
    pos = convert_to_tensor(pos)
    return apply_op("Substr", input, pos, convert_to_tensor(len, pos.dtype.base_dtype), unit=unit, name=name)


def regex_replace(input=None, pattern=None, rewrite=None, replace_global=True, name=None, source=None):
    """Each string with what matches a regular expression (RE2 syntax) replaced; \\\\1 stands for the first group."""
    source = source if input is None else input
    if isinstance(pattern, (str, bytes)) and isinstance(rewrite, (str, bytes)):
        return apply_op("StaticRegexReplace", source, pattern=pattern, rewrite=rewrite, replace_global=replace_global,
                        name=name)
    return apply_op("RegexReplace", source, pattern, rewrite, replace_global=replace_global, name=name)


def regex_full_match(input, pattern, name=None):
    """Whether the whole of each string matches a regular expression (RE2 syntax)."""
    if isinstance(pattern, (str, bytes)):
        return apply_op("StaticRegexFullMatch", input, pattern=pattern, name=name)
    return apply_op("RegexFullMatch", input, pattern, name=name)


def string_strip(input, name=None):
    """Without white space at both ends."""
    return apply_op("StringStrip", input, name=name)


def lower(input, encoding="", name=None):
    """In lower case; `encoding` "utf-8" for more than ASCII."""
    return apply_op("StringLower", input, encoding=encoding, name=name)


def upper(input, encoding="", name=None):
    """In upper case; `encoding` "utf-8" for more than ASCII."""
    return apply_op("StringUpper", input, encoding=encoding, name=name)


def string_length(input, name=None, unit="BYTE"):
    """The number of bytes (or UTF-8 characters)."""
    return apply_op("StringLength", input, unit=unit, name=name)


def encode_base64(input, pad=False, name=None):
    """As web-safe base64."""
    return apply_op("EncodeBase64", input, pad=pad, name=name)


def decode_base64(input, name=None):
    """What encode_base64 made."""
    return apply_op("DecodeBase64", input, name=name)


def bytes_split(input, name=None):
    """The bytes of each string of a vector, as a SparseTensor."""
    with name_scope(name or "bytes_split"):
        return string_split(input, "", skip_empty=False)


# The names under tf.strings.
join = string_join
to_hash_bucket = string_to_hash_bucket
to_hash_bucket_fast = string_to_hash_bucket_fast
to_hash_bucket_strong = string_to_hash_bucket_strong
strip = string_strip
length = string_length
