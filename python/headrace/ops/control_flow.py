"""Conditionals and loops: Python functions are traced once into functions of the graph, run by If and While."""

import numpy as np

from ..framework import dtypes, nest
from ..framework.convert import constant_value, convert_to_tensor, is_tensor_like
from ..framework.function_graph import FuncGraph, Function
from ..framework.graph import IndexedSlices, Operation, Tensor, get_default_graph, name_scope
from ..framework.op_library import apply_op, signature_of
from ..framework.shape import TensorShape, as_shape
from ..framework.variables import group, no_op  # noqa: F401 - part of this module's surface
from .tensor_array import TensorArray


def _is_stateful(graph):
    return any(signature_of(op.type).stateful for op in graph.get_operations() if op.type != "_Arg")


def _to_tensors(graph, leaves):
    """What a traced function returned as tensors of its graph; operations become a `true` that waits for them."""
    tensors = []
    for leaf in leaves:
        if isinstance(leaf, TensorArray):
            leaf = leaf.flow
        elif isinstance(leaf, Operation) or getattr(leaf, "op", None) is not None and not is_tensor_like(leaf):
            with graph.control_dependencies([leaf]):
                leaf = apply_op("Identity", True)
        tensor = convert_to_tensor(leaf)
        tensors.append(graph.capture(tensor) if tensor.graph is not graph else tensor)
    return tensors


def _share_captures(graphs):
    """Makes all functions take the same captured tensors, in one order; returns these outer tensors."""
    outer = list({id(t): t for graph in graphs for t in graph.captures}.values())
    for graph in graphs:
        own = len(graph.inputs) - len(graph.captures)
        inner = [graph.capture(t) for t in outer]
        graph.inputs[own:] = inner
        graph.captures[:] = outer
    return outer


def _with_dependencies_inside(graph, tensors):
    """Identities, so that results are nodes of the function's own and follow what has state in it."""
    with graph.as_default():
        return [apply_op("Identity", t) for t in tensors]


def smart_cond(pred, true_fn=None, false_fn=None, name=None):
    """cond that decides at once where `pred` is known."""
    known = pred if isinstance(pred, (bool, np.bool_)) else (constant_value(pred) if isinstance(pred, Tensor) else None)
    if known is not None:
        return true_fn() if known else false_fn()
    return cond(pred, true_fn, false_fn, name=name)


def cond(pred, true_fn=None, false_fn=None, strict=False, name=None, fn1=None, fn2=None):
    """What `true_fn()` makes where `pred` is true, else what `false_fn()` makes. Only one of them runs.

    Both return the same structure of tensors, or operations. A list of one is returned as its element unless `strict`.
    """
    true_fn, false_fn = true_fn or fn1, false_fn or fn2
    if not callable(true_fn):
        raise TypeError("'true_fn' must be callable.")
    if not callable(false_fn):
        raise TypeError("'false_fn' must be callable.")
    if isinstance(pred, (bool, np.bool_)):
        raise TypeError("pred must not be a Python bool")
    outer = get_default_graph()
    with name_scope(name or "cond") as scope:
        pred = convert_to_tensor(pred)
        graphs, structures, results = [], [], []
        for label, function in (("true", true_fn), ("false", false_fn)):
            graph = FuncGraph(f"{scope.rstrip('/').replace('/', '_')}_{label}", outer, differentiable=True)
            with graph.as_default():
                returned = function()
                returned = apply_op("NoOp") if returned is None else nest.split_sparse(returned)
                results.append(_to_tensors(graph, nest.flatten(returned)))
            structures.append(returned)
            graphs.append(graph)
        _check_branches(structures, results)
        captures = _share_captures(graphs)
        results = [_with_dependencies_inside(g, r) for g, r in zip(graphs, results)]
        functions = [Function(g, r) for g, r in zip(graphs, results)]
        stateful = any(_is_stateful(g) for g in graphs)
        shapes = [_common_shape(a.shape, b.shape) for a, b in zip(*results)]
        outputs = apply_op("If" if stateful else "StatelessIf", pred, captures, Tout=functions[0].output_types,
                           then_branch=functions[0].name, else_branch=functions[1].name, output_shapes=shapes, name=scope)
        for output, shape in zip(outputs, shapes):
            output.set_shape(shape)
    return _unwrapped(_repack(structures[0], outputs), strict)


def _unwrapped(packed, strict):
    packed = nest.join_sparse(packed)
    if not strict and isinstance(packed, (list, tuple)) and not hasattr(packed, "_fields") and len(packed) == 1:
        return packed[0]
    return packed


def _repack(structure, outputs):
    leaves = [leaf._with(output) if isinstance(leaf, TensorArray) else output
              for leaf, output in zip(nest.flatten(structure), outputs)]
    return nest.pack(structure, leaves)


def _check_branches(structures, results):
    try:
        nest.assert_same_structure(*structures)
    except ValueError as error:
        raise ValueError(f"true_fn and false_fn must return the same structure: {error}") from None
    for a, b in zip(*results):
        if a.dtype.base_dtype is not b.dtype.base_dtype:
            raise ValueError("Outputs of true_fn and false_fn must have the same type(s). Received "
                             f"{a.dtype.name} from true_fn and {b.dtype.name} from false_fn.")


def _common_shape(a, b):
    if a.rank is None or a.rank != b.rank:
        return TensorShape(None)
    return TensorShape([x if x == y else None for x, y in zip(a._dims, b._dims)])


def case(pred_fn_pairs, default=None, exclusive=False, strict=False, name="case"):
    """What the function of the first true predicate makes, else what `default` makes."""
    pairs = list(pred_fn_pairs.items()) if isinstance(pred_fn_pairs, dict) else list(pred_fn_pairs)
    if not pairs:
        raise ValueError("pred_fn_pairs must have at least one pair")
    with name_scope(name):
        if exclusive:
            from .check import Assert
            flags = apply_op("Pack", [convert_to_tensor(p) for p, _ in pairs])
            count = apply_op("Sum", apply_op("Cast", flags, DstT=dtypes.int32), np.array([0], np.int32))
            guard = Assert(apply_op("LessEqual", count, 1), ["case: more than one predicate is true", flags])
            with get_default_graph().control_dependencies([guard]):
                pairs = [(apply_op("Identity", p), f) for p, f in pairs]

        def chain(rest):
            predicate, function = rest[0]
            if len(rest) == 1:
                return function() if default is None else cond(predicate, function, default, strict)
            return cond(predicate, function, lambda: chain(rest[1:]), strict)

        return chain(pairs)


def while_loop(cond, body, loop_vars, shape_invariants=None, parallel_iterations=10, back_prop=True, swap_memory=False,
               name=None, maximum_iterations=None, return_same_structure=False):
    """Calls `body(*loop_vars)` for as long as `cond(*loop_vars)` is true; returns the last loop variables.

    The variables keep their dtypes, and their shapes unless `shape_invariants` says less. Gradients flow through the loop.
    """
    if not callable(cond) or not callable(body):
        raise TypeError("'cond' and 'body' must be callable.")
    if not loop_vars:
        raise ValueError("'loop_vars' must be provided.")
    outer = get_default_graph()
    with name_scope(name or "while") as scope:
        structure = loop_vars if isinstance(loop_vars, (list, tuple)) else [loop_vars]
        leaves = nest.flatten(structure)
        initial = [leaf.flow if isinstance(leaf, TensorArray) else convert_to_tensor(leaf) for leaf in leaves]
        invariants = [t.shape for t in initial] if shape_invariants is None else [
            as_shape(s) for s in _flatten_shapes(structure, shape_invariants)]
        if maximum_iterations is not None:
            return _bounded(cond, body, structure, invariants, maximum_iterations, scope, parallel_iterations,
                            return_same_structure)
        graphs, results, returned = _trace_loop(outer, scope, cond, body, structure, leaves, initial, invariants)
        captures = _share_captures(graphs)
        own = len(initial)
        body_results = _with_dependencies_inside(graphs[1], results[1]) + graphs[1].inputs[own:]
        condition = Function(graphs[0], _with_dependencies_inside(graphs[0], results[0]))
        step = Function(graphs[1], body_results)
        stateful = any(_is_stateful(g) for g in graphs)
        shapes = invariants + [t.shape for t in captures]
        outputs = apply_op("While" if stateful else "StatelessWhile", initial + captures, cond=condition.name,
                           body=step.name, output_shapes=shapes, parallel_iterations=parallel_iterations, name=scope)
        for output, shape in zip(outputs, shapes):
            output.set_shape(shape)
    packed = nest.pack(structure, [leaf._with(output) if isinstance(leaf, TensorArray) else output
                                   for leaf, output in zip(nest.flatten(returned), outputs)])
    if not return_same_structure and len(packed) == 1 and not isinstance(packed, dict):
        return packed[0]
    return packed


def _flatten_shapes(structure, shapes):
    """The shapes beside the leaves; lists of numbers are shapes, not structures."""
    if not nest.is_nested(structure):
        return [shapes if shapes is not None else TensorShape(None)]
    if isinstance(structure, dict):
        return [s for key in sorted(structure) for s in _flatten_shapes(structure[key], shapes[key])]
    if not isinstance(shapes, (list, tuple)) or len(shapes) != len(structure):
        raise ValueError(f"shape_invariants {shapes} do not have the structure of loop_vars {structure}")
    return [s for item, part in zip(structure, shapes) for s in _flatten_shapes(item, part)]


def _trace_loop(outer, scope, cond, body, structure, leaves, initial, invariants):
    graphs, results, returned = [], [], structure
    for label, function in (("cond", cond), ("body", body)):
        graph = FuncGraph(f"{scope.rstrip('/').replace('/', '_')}_{label}", outer, differentiable=True)
        with graph.as_default():
            arguments = [graph.add_argument(t.dtype.base_dtype, s) for t, s in zip(initial, invariants)]
            values = nest.pack(structure, [leaf._with(a) if isinstance(leaf, TensorArray) else a
                                           for leaf, a in zip(leaves, arguments)])
            made = function(**values) if isinstance(values, dict) else function(*values)
            if label == "body":
                made = made if isinstance(made, (list, tuple, dict)) and (
                    nest.is_nested(structure[0]) is False or len(structure) > 1 or nest.is_nested(made)) else [made]
                if len(structure) == 1 and nest.is_nested(structure[0]) and (
                        not isinstance(made, (list, tuple)) or len(made) != 1):
                    made = [made]
                returned = _checked_body(structure, made)
                made = returned
            results.append(_to_tensors(graph, nest.flatten(made)))
        graphs.append(graph)
    _check_loop(results, initial, invariants)
    return graphs, results, returned


def _checked_body(structure, made):
    flat, wanted = nest.flatten(made), nest.flatten(structure)
    if len(flat) != len(wanted):
        raise ValueError(f"body() returned {len(flat)} values for {len(wanted)} loop variables")
    return nest.pack(structure, flat)


def _check_loop(results, initial, invariants):
    if len(results[0]) != 1 or results[0][0].dtype.base_dtype is not dtypes.bool_:
        raise TypeError(f"cond must return a boolean scalar, got {results[0]}")
    for result, first, invariant in zip(results[1], initial, invariants):
        if result.dtype.base_dtype is not first.dtype.base_dtype:
            raise TypeError(f"Loop var {first.name} enters the loop with type {first.dtype.name} but has type "
                            f"{result.dtype.name} after 1 iteration.")
        if not _no_less_known(result.shape, invariant):
            raise ValueError(f"Input tensor '{first.name}' enters the loop with shape {invariant}, but has shape {result.shape} "
                             "after one iteration. To allow the shape to vary across iterations, use the `shape_invariants` "
                             "argument of tf.while_loop to specify a less-specific shape.")


def _no_less_known(shape, invariant):
    if invariant.rank is None:
        return True
    if shape.rank != invariant.rank:
        return shape.rank is None and not invariant.is_fully_defined()
    return all(wanted is None or wanted == extent for extent, wanted in zip(shape._dims, invariant._dims))


def _bounded(cond, body, structure, invariants, maximum, scope, parallel_iterations, return_same_structure):
    limit = convert_to_tensor(maximum, dtypes.int32)

    def bounded_cond(count, values):
        return apply_op("LogicalAnd", apply_op("Less", count, limit), cond(*values))

    def bounded_body(count, values):
        made = body(*values)
        if len(structure) == 1 and not (isinstance(made, (list, tuple)) and len(made) == 1):
            made = [made]
        return apply_op("AddV2", count, 1), nest.pack(structure, nest.flatten(made))

    shapes = [TensorShape([]), nest.pack(structure, [_ShapeLeaf(s) for s in invariants])]
    flat_shapes = [TensorShape([])] + list(invariants)
    del shapes
    counted = while_loop(bounded_cond, bounded_body, [convert_to_tensor(0), structure],
                         _structured_shapes(structure, flat_shapes), parallel_iterations, name=scope,
                         return_same_structure=True)[1]
    if not return_same_structure and len(counted) == 1:
        return counted[0]
    return counted


class _ShapeLeaf:

    def __init__(self, shape):
        self.shape = shape


def _structured_shapes(structure, flat_shapes):
    boxed = nest.pack([0, structure], [_ShapeLeaf(s) for s in flat_shapes])
    return nest.map_structure(lambda box: box.shape, boxed)


def _slices(elems, infer_shape=True):
    """The elements of each tensor as a TensorArray, and how many there are."""
    flat = [convert_to_tensor(e) for e in nest.flatten(elems)]
    count = None
    for tensor in flat:
        if tensor.shape.rank == 0:
            raise ValueError(f"elements must be at least 1-dimensional, got {tensor}")
        if tensor.shape.rank is not None and tensor.shape._dims[0] is not None:
            count = tensor.shape._dims[0]
    if count is None:
        count = apply_op("StridedSlice", apply_op("Shape", flat[0]), np.array([0], np.int32), np.array([1], np.int32),
                         np.array([1], np.int32), shrink_axis_mask=1)
    arrays = [TensorArray(t.dtype.base_dtype, size=count, element_shape=None).unstack(t) for t in flat]
    return arrays, count


def map_fn(fn, elems, dtype=None, parallel_iterations=None, back_prop=True, swap_memory=False, infer_shape=True, name=None,
           fn_output_signature=None):
    """fn of each slice of `elems` along the first axis, stacked. `dtype`: what fn returns, where it differs from `elems`."""
    if not callable(fn):
        raise TypeError(f"{getattr(fn, '__name__', fn)} is not callable.")
    dtype = fn_output_signature if dtype is None else dtype
    with name_scope(name or "map"):
        arrays, count = _slices(elems)
        types = dtype if dtype is not None else nest.map_structure(lambda e: convert_to_tensor(e).dtype.base_dtype, elems)
        results = [TensorArray(t, size=count) for t in nest.flatten(types)]

        def body(i, made):
            value = fn(nest.pack(elems, [a.read(i) for a in arrays]))
            nest.assert_same_structure(types, value)
            leaves = [m.write(i, v) for m, v in zip(made, nest.flatten(value))]
            return apply_op("AddV2", i, 1), leaves

        limit = convert_to_tensor(count, dtypes.int32)
        made = while_loop(lambda i, _: apply_op("Less", i, limit), body, [convert_to_tensor(0), results],
                          parallel_iterations=parallel_iterations or 10)[1]
        return nest.pack(types, [_stacked(m, count) for m in made])


def _stacked(array, count):
    tensor = array.stack()
    if isinstance(count, int) and tensor.shape.rank is not None:
        tensor.set_shape([count] + tensor.shape.as_list()[1:])
    return tensor


def scan(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, infer_shape=True,
         reverse=False, name=None):
    """The running results of fn(result so far, slice), stacked. Without `initializer` the first slice is the first result."""
    if not callable(fn):
        raise TypeError(f"{getattr(fn, '__name__', fn)} is not callable.")
    with name_scope(name or "scan"):
        arrays, count = _slices(elems)
        limit = convert_to_tensor(count, dtypes.int32)
        last = apply_op("Sub", limit, 1)
        first_index = last if reverse else 0
        if initializer is None:
            structure = elems
            first = [a.read(first_index) for a in arrays]
            start = 1
        else:
            structure = initializer
            first = [convert_to_tensor(v) for v in nest.flatten(initializer)]
            start = 0
        results = [TensorArray(t.dtype.base_dtype, size=count, element_shape=t.shape) for t in first]
        if initializer is None:
            results = [r.write(first_index, t) for r, t in zip(results, first)]

        def body(i, state, made):
            place = apply_op("Sub", last, i) if reverse else i
            value = fn(nest.pack(structure, state), nest.pack(elems, [a.read(place) for a in arrays]))
            nest.assert_same_structure(structure, value)
            leaves = [convert_to_tensor(v, t.dtype) for v, t in zip(nest.flatten(value), state)]
            return apply_op("AddV2", i, 1), leaves, [m.write(place, v) for m, v in zip(made, leaves)]

        _, _, made = while_loop(lambda i, *_: apply_op("Less", i, limit), body, [convert_to_tensor(start), first, results],
                                parallel_iterations=parallel_iterations)
        return nest.pack(structure, [_stacked(m, count) for m in made])


def _fold(fn, elems, initializer, name, reverse):
    with name_scope(name):
        arrays, count = _slices(elems)
        limit = convert_to_tensor(count, dtypes.int32)
        last = apply_op("Sub", limit, 1)
        if initializer is None:
            structure, start = elems, 1
            state = [a.read(last if reverse else 0) for a in arrays]
        else:
            structure, start = initializer, 0
            state = [convert_to_tensor(v) for v in nest.flatten(initializer)]

        def body(i, values):
            place = apply_op("Sub", last, i) if reverse else i
            made = fn(nest.pack(structure, values), nest.pack(elems, [a.read(place) for a in arrays]))
            return apply_op("AddV2", i, 1), [convert_to_tensor(v) for v in nest.flatten(made)]

        result = while_loop(lambda i, _: apply_op("Less", i, limit), body, [convert_to_tensor(start), state])[1]
        return nest.pack(structure, result)


def foldl(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, name=None):
    """fn(... fn(fn(initializer, first), second) ..., last)."""
    return _fold(fn, elems, initializer, name or "foldl", False)


def foldr(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, name=None):
    """fn(... fn(fn(initializer, last), last but one) ..., first)."""
    return _fold(fn, elems, initializer, name or "foldr", True)


def with_dependencies(dependencies, output_tensor, name=None):
    """The same value, after the dependencies have run."""
    with name_scope(name or "control_dependency") as scope, get_default_graph().control_dependencies(dependencies):
        return apply_op("Identity", output_tensor, name=scope)


def tuple_(tensors, name=None, control_inputs=None):
    """The same tensors, all of which are there before any is used."""
    with name_scope(name or "tuple"):
        waits = [t.op for t in tensors if t is not None] + list(control_inputs or [])
        gate = group(*waits)
        result = []
        for t in tensors:
            if isinstance(t, IndexedSlices):
                result.append(IndexedSlices(with_dependencies([gate], t.values), t.indices, t.dense_shape))
            else:
                result.append(None if t is None else with_dependencies([gate], t))
        return result
