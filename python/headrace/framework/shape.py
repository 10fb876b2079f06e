"""Shapes that may be known in part."""


def _dim(value):
    if value is None:
        extent = None
    elif isinstance(value, int):
        extent = int(value)
    elif isinstance(value, Dimension):
        extent = value.value
    else:
        extent = value.__index__()
    if extent is not None and extent < 0:
        if extent == -1:
            return None
        raise ValueError(f"Dimension {extent} must be >= 0")
    return extent


class Dimension:
    """An extent; `value` is None where it is unknown. What follows from an unknown extent is unknown.

    A known extent is also an int, so that programs for either of TensorFlow's styles (`x.shape[0].value`, `x.shape[0]`) work.
    """

    def __new__(cls, value=None):
        extent = _dim(value)
        return object.__new__(Dimension) if extent is None else int.__new__(_KnownDimension, extent)

    @property
    def _value(self):
        return None

    @property
    def value(self):
        return self._value

    def is_compatible_with(self, other):
        other = Dimension(other)
        return self._value is None or other._value is None or self._value == other._value

    def merge_with(self, other):
        other = Dimension(other)
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self._value} and {other._value} are not compatible")
        return self if self._value is not None else other

    def __int__(self):
        return self._value

    def __index__(self):
        if self._value is None:
            raise TypeError("an unknown Dimension is no index")
        return self._value

    def __eq__(self, other):
        try:
            other = Dimension(other)._value
        except (TypeError, AttributeError):
            return NotImplemented
        return None if self._value is None or other is None else self._value == other

    def __ne__(self, other):
        equal = self == other
        return equal if equal is None or equal is NotImplemented else not equal

    def __hash__(self):
        return hash(self._value)

    def _combine(self, other, function):
        other = Dimension(other)._value
        return Dimension(None if self._value is None or other is None else function(self._value, other))

    def __add__(self, other):
        return self._combine(other, lambda a, b: a + b)

    __radd__ = __add__

    def __sub__(self, other):
        return self._combine(other, lambda a, b: a - b)

    def __rsub__(self, other):
        return self._combine(other, lambda a, b: b - a)

    def __mul__(self, other):
        return self._combine(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __floordiv__(self, other):
        return self._combine(other, lambda a, b: a // b)

    __truediv__ = __floordiv__

    def __mod__(self, other):
        return self._combine(other, lambda a, b: a % b)

    def __lt__(self, other):
        other = Dimension(other)._value
        return None if self._value is None or other is None else self._value < other

    def __le__(self, other):
        other = Dimension(other)._value
        return None if self._value is None or other is None else self._value <= other

    def __gt__(self, other):
        other = Dimension(other)._value
        return None if self._value is None or other is None else self._value > other

    def __ge__(self, other):
        other = Dimension(other)._value
        return None if self._value is None or other is None else self._value >= other

    def __repr__(self):
        return f"Dimension({self._value})"

    def __str__(self):
        return "?" if self._value is None else str(self._value)


class _KnownDimension(int, Dimension):

    def __new__(cls, value):
        return Dimension(value)

    @property
    def _value(self):
        return int(self)

    def __repr__(self):
        return f"Dimension({int(self)})"

    def __str__(self):
        return str(int(self))

    def __reduce__(self):
        return int, (int(self),)


def dimension_value(dimension):
    """The extent as an int, or None."""
    return dimension.value if isinstance(dimension, Dimension) else dimension


class TensorShape:
    """A shape: of unknown rank, or a list of extents of which some may be unknown (None)."""

    __slots__ = ("_dims",)

    def __init__(self, dims=None):
        if dims is None:
            self._dims = None
        elif isinstance(dims, TensorShape):
            self._dims = dims._dims
        elif isinstance(dims, (int, Dimension)):
            self._dims = (_dim(dims),)
        else:
            self._dims = tuple(_dim(d) for d in dims)

    @property
    def rank(self):
        return None if self._dims is None else len(self._dims)

    @property
    def ndims(self):
        return self.rank

    @property
    def dims(self):
        return None if self._dims is None else [Dimension(d) for d in self._dims]

    def as_list(self):
        if self._dims is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._dims)

    def is_fully_defined(self):
        return self._dims is not None and None not in self._dims

    def assert_is_fully_defined(self):
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def num_elements(self):
        if not self.is_fully_defined():
            return None
        total = 1
        for d in self._dims:
            total *= d
        return total

    def is_compatible_with(self, other):
        other = TensorShape(other)
        if self._dims is None or other._dims is None:
            return True
        return len(self._dims) == len(other._dims) and all(
            a is None or b is None or a == b for a, b in zip(self._dims, other._dims))

    def assert_is_compatible_with(self, other):
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    def assert_has_rank(self, rank):
        if self._dims is not None and len(self._dims) != rank:
            raise ValueError(f"Shape {self} must have rank {rank}")

    def merge_with(self, other):
        other = TensorShape(other)
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are not compatible")
        if self._dims is None:
            return other
        if other._dims is None:
            return self
        return TensorShape([b if a is None else a for a, b in zip(self._dims, other._dims)])

    def concatenate(self, other):
        other = TensorShape(other)
        if self._dims is None or other._dims is None:
            return TensorShape(None)
        return TensorShape(self._dims + other._dims)

    def with_rank(self, rank):
        return self.merge_with(TensorShape([None] * rank))

    def with_rank_at_least(self, rank):
        if self._dims is not None and len(self._dims) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank):
        if self._dims is not None and len(self._dims) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def __len__(self):
        if self._dims is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self._dims)

    def __bool__(self):
        return self._dims is not None

    def __iter__(self):
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter(Dimension(d) for d in self._dims)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return TensorShape(None if self._dims is None else self._dims[key])
        return Dimension(None if self._dims is None else self._dims[key])

    def __add__(self, other):
        return self.concatenate(other)

    def __radd__(self, other):
        return TensorShape(other).concatenate(self)

    def __eq__(self, other):
        try:
            return self._dims == TensorShape(other)._dims
        except (TypeError, ValueError, AttributeError):
            return NotImplemented

    def __hash__(self):
        return hash(self._dims)

    def __repr__(self):
        return "TensorShape(None)" if self._dims is None else f"TensorShape([{', '.join(f'Dimension({d})' for d in self._dims)}])"

    def __str__(self):
        if self._dims is None:
            return "<unknown>"
        if len(self._dims) == 1:
            return f"({'?' if self._dims[0] is None else self._dims[0]},)"
        return "(" + ", ".join("?" if d is None else str(d) for d in self._dims) + ")"


def as_shape(value):
    return value if isinstance(value, TensorShape) else TensorShape(value)


def unknown_shape(rank=None):
    return TensorShape(None if rank is None else [None] * rank)
