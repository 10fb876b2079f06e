"""Functions of tensors that bring their own gradient."""

import functools
import inspect

from . import nest
from .convert import convert_to_tensor
from .function_graph import FuncGraph, Function
from .graph import GraphKeys, get_default_graph
from .op_library import apply_op


def custom_gradient(f=None):
    """A decorator for `f(*args)`, which returns (result, grad_fn): `grad_fn(*dresults)` gives the gradients of the arguments.

    Where `f` uses variables beside its arguments, `grad_fn(*dresults, variables=...)` gives (those of the arguments, those of
    the variables). It is called once, when `f` is.
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def decorated(*args, **kwargs):
        if kwargs:
            raise ValueError("The custom_gradient decorator currently supports keywords arguments only when eager execution is "
                             "enabled.")
        return _apply(f, args)

    return decorated


def _apply(f, args):
    arguments = [apply_op("Identity", a) for a in nest.flatten(args)]
    returned = f(*nest.pack(args, arguments))
    if not isinstance(returned, (list, tuple)) or len(returned) != 2 or not callable(returned[1]):
        raise TypeError(f"custom_gradient: the function must return its result and a function, it returned {returned!r}")
    structure, grad_fn = returned
    results = [convert_to_tensor(r) for r in nest.flatten(structure)]
    variables = _variables_between(arguments, results)
    if variables and not _takes_variables(grad_fn):
        raise TypeError("@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses variables: "
                        f"{variables}")
    function, sources = _trace(grad_fn, results, arguments, variables)
    outputs = apply_op("IdentityN", results + sources + function.captures, _gradient_function=function.name,
                       _gradient_results=len(results), _gradient_captures=len(results) + len(sources))
    return nest.pack(structure, list(outputs[:len(results)]))


def _takes_variables(grad_fn):
    parameters = inspect.signature(grad_fn).parameters
    return "variables" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _trace(grad_fn, results, arguments, variables):
    """`grad_fn` as a function of the graph, and what it has gradients for: arguments, and values of variables."""
    sources = arguments + [v.value() for v in variables]
    graph = FuncGraph("custom_gradient", get_default_graph(), differentiable=True)
    with graph.as_default():
        given = [graph.add_argument(r.dtype.base_dtype, r.shape) if r.dtype.is_floating or r.dtype.is_complex else None
                 for r in results]
        made = grad_fn(*given, variables=variables) if variables else grad_fn(*given)
        by_argument, by_variable = made if variables else (made, ())
        flat = _counted(by_argument, len(arguments), f"custom_gradient function expected to return {len(arguments)} gradients, "
                        "but returned %d instead.")
        flat += _counted(by_variable, len(variables), f"Must return gradient for each of the {len(variables)} variables from "
                         "@custom_gradient grad_fn, got %d")
        pairs = [(gradient, source) for gradient, source in zip(flat, sources) if gradient is not None]
        gradients = [apply_op("Identity", _fitting(*pair)) for pair in pairs]
    return Function(graph, gradients), [source for _, source in pairs]


def _counted(structure, count, message):
    flat = nest.flatten(structure)
    if len(flat) != count:
        raise ValueError(message % len(flat))
    return flat


def _fitting(gradient, source):
    gradient = convert_to_tensor(gradient, source.dtype.base_dtype)
    if not gradient.shape.is_compatible_with(source.shape):
        raise ValueError(f"Incompatible shapes between op input and calculated input gradient: {source.name} has {source.shape}, "
                         f"its gradient {gradient.shape}")
    return gradient


def _variables_between(arguments, results):
    """The trainable variables that results depend on other than through the arguments."""
    graph = get_default_graph()
    outermost = graph
    while isinstance(outermost, FuncGraph):
        outermost = outermost.outer_graph
    known = {v.handle.op: v for v in outermost.get_collection(GraphKeys.TRAINABLE_VARIABLES)}
    stops, found, pending = {a.op for a in arguments}, {}, [r.op for r in results]
    while pending:
        op = pending.pop()
        if op in stops:
            continue
        stops.add(op)
        if op in known:
            found[op] = known[op]
        inside = op.graph
        outer = [t for t, inner in inside._captured.values() if inner.op is op] if isinstance(inside, FuncGraph) else []
        pending += [t.op for t in (*op.inputs, *outer)]
    return list(found.values())
