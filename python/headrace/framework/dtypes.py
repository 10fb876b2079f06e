"""Element types: TensorFlow's names and numbers, and their numpy types."""

import numpy as np


class DType:
    """An element type. `name` as in "float32"; `as_datatype_enum` is its number in files and on the wire."""

    __slots__ = ("name", "as_datatype_enum", "_numpy", "base_dtype")

    def __init__(self, name, number, numpy_type, base=None):
        self.name = name
        self.as_datatype_enum = number
        self._numpy = numpy_type
        self.base_dtype = base or self

    @property
    def as_numpy_dtype(self):
        """The numpy scalar type; object for strings."""
        return self._numpy() if callable(self._numpy) and not isinstance(self._numpy, type) else self._numpy

    @property
    def is_floating(self):
        return self.base_dtype.name in ("float16", "float32", "float64", "bfloat16")

    @property
    def is_complex(self):
        return self.base_dtype.name.startswith("complex")

    @property
    def is_integer(self):
        return self.base_dtype.name.lstrip("u").startswith("int")

    @property
    def is_unsigned(self):
        return self.base_dtype.name.startswith("uint")

    @property
    def is_bool(self):
        return self.base_dtype.name == "bool"

    @property
    def is_numpy_compatible(self):
        return self.base_dtype.name not in ("resource", "variant")

    @property
    def real_dtype(self):
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    @property
    def size(self):
        """Bytes of an element; 1 for strings."""
        return 1 if self._numpy is object else np.dtype(self.as_numpy_dtype).itemsize

    @property
    def min(self):
        return np.finfo(self._numpy).min if self.is_floating else np.iinfo(self._numpy).min

    @property
    def max(self):
        return np.finfo(self._numpy).max if self.is_floating else np.iinfo(self._numpy).max

    @property
    def limits(self):
        return (0, 1) if self.is_floating else (self.min, self.max)

    @property
    def _is_ref_dtype(self):
        return self.as_datatype_enum > 100

    @property
    def _as_ref(self):
        return self if self._is_ref_dtype else _BY_NUMBER[self.as_datatype_enum + 100]

    def is_compatible_with(self, other):
        other = as_dtype(other)
        return self.base_dtype is other.base_dtype

    def __eq__(self, other):
        if other is self:
            return True
        if other is None:
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return self.as_datatype_enum

    def __repr__(self):
        return f"tf.{self.name}"

    def __str__(self):
        return f"<dtype: '{self.name}'>"

    def __reduce__(self):
        return as_dtype, (self.name,)


def _bfloat16():
    import ml_dtypes
    return ml_dtypes.bfloat16


_BY_NUMBER = {}
_BY_KEY = {}


def _define(name, number, numpy_type):
    dtype = DType(name, number, numpy_type)
    ref = DType(name + "_ref", number + 100, numpy_type, dtype)
    _BY_NUMBER[number], _BY_NUMBER[number + 100] = dtype, ref
    _BY_KEY[name], _BY_KEY[name + "_ref"] = dtype, ref
    return dtype


float32 = _define("float32", 1, np.float32)
float64 = double = _define("float64", 2, np.float64)
int32 = _define("int32", 3, np.int32)
uint8 = _define("uint8", 4, np.uint8)
int16 = _define("int16", 5, np.int16)
int8 = _define("int8", 6, np.int8)
string = _define("string", 7, object)
complex64 = _define("complex64", 8, np.complex64)
int64 = _define("int64", 9, np.int64)
bool_ = _define("bool", 10, np.bool_)
qint8 = _define("qint8", 11, np.int8)
quint8 = _define("quint8", 12, np.uint8)
qint32 = _define("qint32", 13, np.int32)
bfloat16 = _define("bfloat16", 14, _bfloat16)
qint16 = _define("qint16", 15, np.int16)
quint16 = _define("quint16", 16, np.uint16)
uint16 = _define("uint16", 17, np.uint16)
complex128 = _define("complex128", 18, np.complex128)
float16 = half = _define("float16", 19, np.float16)
resource = _define("resource", 20, object)
variant = _define("variant", 21, object)
uint32 = _define("uint32", 22, np.uint32)
uint64 = _define("uint64", 23, np.uint64)

_BY_KEY.update({"float": float32, "double": float64, "half": float16, float: float32, int: int32, bool: bool_,
                str: string, bytes: string, object: string, complex: complex128})
_BY_NUMPY = {np.dtype(d._numpy): d for d in
             (float32, float64, int32, uint8, int16, int8, complex64, int64, bool_, uint16, complex128, float16, uint32,
              uint64)}


def as_dtype(value):
    """The DType that `value` means: a DType, its name or number, a numpy or Python type. Raises TypeError for anything else."""
    if isinstance(value, DType):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        found = _BY_NUMBER.get(value)
    else:
        try:
            found = _BY_KEY.get(value)
        except TypeError:
            found = None
    if found is None:
        try:
            array_type = np.dtype(value)
        except (TypeError, ValueError):
            array_type = None
        if array_type is not None:
            found = _BY_NUMPY.get(array_type)
            if found is None and array_type.kind in "OSU":
                found = string
            if found is None and array_type.name == "bfloat16":
                found = bfloat16
    if found is None:
        raise TypeError(f"Cannot convert value {value!r} to a TensorFlow DType.")
    return found
