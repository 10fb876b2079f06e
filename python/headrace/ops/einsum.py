"""Sums of products by an equation."""

from ..framework.convert import convert_to_tensor
from ..framework.graph import name_scope
from . import array, math


def einsum(equation, *inputs, name=None):
    """The sum of products that an equation such as "bij,bjk->bik" names, of one or two tensors; no axis twice in one term."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(inputs) or len(inputs) > 2 or "." in equation or any(len(set(t)) != len(t) for t in terms):
        raise NotImplementedError(f"einsum: {equation!r} of {len(inputs)} tensors is not there; it takes one or two, each axis "
                                  "once in a term, without an ellipsis")
    if not arrow:
        result = "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    with name_scope(name or "einsum"):
        tensors = [convert_to_tensor(t) for t in inputs]
        for tensor, term in zip(tensors, terms):
            if tensor.shape.rank not in (None, len(term)):
                raise ValueError(f"einsum: the term {term!r} names {len(term)} axes, the tensor has the shape {tensor.shape}")
        if len(tensors) == 1:
            return _ordered(*_summed(tensors[0], terms[0], result), result)
        (a, term_a), (b, term_b) = (_summed(t, term, result + other)
                                    for t, term, other in zip(tensors, terms, reversed(terms)))
        return _ordered(*_product(a, term_a, b, term_b, result), result)


def _summed(tensor, term, kept):
    gone = [i for i, axis in enumerate(term) if axis not in kept]
    return (math.reduce_sum(tensor, gone) if gone else tensor), "".join(axis for axis in term if axis in kept)


def _ordered(tensor, term, wanted):
    if set(term) != set(wanted):
        raise ValueError(f"einsum: the result {wanted!r} names axes that no input has")
    return tensor if term == wanted else array.transpose(tensor, [term.index(axis) for axis in wanted])


def _product(a, term_a, b, term_b, result):
    """The batched matrix product over the axes that only the inputs have."""
    batch = [c for c in term_a if c in term_b and c in result]
    inner = [c for c in term_a if c in term_b and c not in result]
    rows, columns = [c for c in term_a if c not in term_b], [c for c in term_b if c not in term_a]
    extents = {}
    for tensor, term in ((a, term_a), (b, term_b)):
        dynamic = array.shape(tensor)
        for i, axis in enumerate(term):
            known = tensor.shape._dims[i] if tensor.shape.rank is not None else None
            if known is not None or axis not in extents:
                extents[axis] = dynamic[i] if known is None else known
    a = _grouped(_ordered(a, term_a, "".join(batch + rows + inner)), extents, batch, rows, inner)
    b = _grouped(_ordered(b, term_b, "".join(batch + inner + columns)), extents, batch, inner, columns)
    order = batch + rows + columns
    return array.reshape(math.matmul(a, b), array.stack([extents[c] for c in order]) if order else []), "".join(order)


def _grouped(tensor, extents, *groups):
    sizes = []
    for group in groups:
        size = 1
        for axis in group:
            size = size * extents[axis]
        sizes.append(size)
    return array.reshape(tensor, array.stack(sizes))
