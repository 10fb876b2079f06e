"""Nested structures of lists, tuples, named tuples and dicts: flattened and rebuilt."""

import collections


def is_nested(value):
    return isinstance(value, (list, tuple, dict))


def flatten(structure):
    """The leaves, in order; dicts by sorted keys."""
    leaves = []
    _collect(structure, leaves)
    return leaves


def _collect(structure, leaves):
    if isinstance(structure, dict):
        for key in sorted(structure):
            _collect(structure[key], leaves)
    elif isinstance(structure, (list, tuple)):
        for item in structure:
            _collect(item, leaves)
    else:
        leaves.append(structure)


def pack(structure, leaves):
    """The same structure around other leaves. Raises ValueError for another number of them."""
    iterator = iter(leaves)
    try:
        packed = _rebuild(structure, iterator)
    except StopIteration:
        raise ValueError(f"too few values for the structure {structure}") from None
    rest = list(iterator)
    if rest:
        raise ValueError(f"{len(rest)} values too many for the structure {structure}")
    return packed


def _rebuild(structure, iterator):
    if isinstance(structure, dict):
        values = {key: _rebuild(structure[key], iterator) for key in sorted(structure)}
        return type(structure)((key, values[key]) for key in structure)
    if isinstance(structure, (list, tuple)):
        items = [_rebuild(item, iterator) for item in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*items)
        return type(structure)(items)
    return next(iterator)


def map_structure(function, *structures):
    """The function of the leaves of one or several equal structures, in that structure."""
    return pack(structures[0], [function(*leaves) for leaves in zip(*[flatten(s) for s in structures])])


class _SparseParts(collections.namedtuple("_SparseParts", ["indices", "values", "dense_shape"])):
    """A sparse tensor as structure, while its parts are computed one by one."""


def split_sparse(structure):
    """The structure with the parts of its sparse tensors as leaves."""
    return map_structure(lambda leaf: _SparseParts(leaf.indices, leaf.values, leaf.dense_shape)
                         if hasattr(leaf, "with_values") else leaf, structure)


def join_sparse(structure):
    """What split_sparse took apart, put together."""
    if isinstance(structure, _SparseParts):
        from ..sparse import SparseTensor
        return SparseTensor(*structure)
    if isinstance(structure, dict):
        return type(structure)((key, join_sparse(value)) for key, value in structure.items())
    if isinstance(structure, (list, tuple)):
        items = [join_sparse(item) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else type(structure)(items)
    return structure


def assert_same_structure(a, b, check_types=True):
    """Raises ValueError when two structures differ."""
    if is_nested(a) != is_nested(b):
        raise ValueError(f"The two structures don't have the same nested structure: {a} and {b}")
    if not is_nested(a):
        return
    if len(a) != len(b):
        raise ValueError(f"The two structures don't have the same number of elements: {a} and {b}")
    if isinstance(a, dict):
        if set(a) != set(b):
            raise ValueError(f"The two dictionaries don't have the same set of keys: {set(a)} and {set(b)}")
        for key in a:
            assert_same_structure(a[key], b[key], check_types)
    else:
        for x, y in zip(a, b):
            assert_same_structure(x, y, check_types)
