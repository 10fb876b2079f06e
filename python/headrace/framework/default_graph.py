"""The default graph, and the scopes that open in it."""

from .graph_core import Graph, _stack

_default_graph = None


def get_default_graph():
    """The innermost graph made default by `with graph.as_default()`, else the process's own."""
    global _default_graph
    stack = _stack()
    if stack:
        return stack[-1]
    if _default_graph is None:
        _default_graph = Graph()
    return _default_graph


def reset_default_graph():
    """Replaces the process's own default graph by an empty one. Raises AssertionError inside a `with graph.as_default()`."""
    global _default_graph
    if _stack():
        raise AssertionError("Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, exit the "
                             "nesting and create a new graph.")
    _default_graph = Graph()


class name_scope:
    """`with tf.name_scope(name):` operations made inside are named below it. Gives the scope's name with a "/" at its end."""

    def __init__(self, name, default_name=None, values=None):
        self._name = default_name if name is None else name
        if self._name is not None and not isinstance(self._name, str):
            raise TypeError(f"name for name_scope must be a string, not {self._name!r}")
        self.name = self._name

    def __enter__(self):
        self._scope = get_default_graph().name_scope(self._name)
        return self._scope.__enter__()

    def __exit__(self, *raised):
        return self._scope.__exit__(*raised)


def device(device_name_or_function):
    """`with tf.device(...)`: see Graph.device."""
    return get_default_graph().device(device_name_or_function)


def control_dependencies(control_inputs):
    """`with tf.control_dependencies([...])`: see Graph.control_dependencies."""
    return get_default_graph().control_dependencies(control_inputs)


def colocate_with(op, ignore_existing=False):
    """`with tf.colocate_with(op)`: see Graph.colocate_with."""
    return get_default_graph().colocate_with(op, ignore_existing)


def add_to_collection(name, value):
    get_default_graph().add_to_collection(name, value)


def add_to_collections(names, value):
    get_default_graph().add_to_collections(names, value)


def get_collection(key, scope=None):
    return get_default_graph().get_collection(key, scope)


def get_collection_ref(key):
    return get_default_graph().get_collection_ref(key)


def container(container_name):
    raise NotImplementedError("tf.container: give `container` to the variable or resource itself")


def set_random_seed(seed):
    """The default graph's seed: random operations without one of their own follow from it and their place in the graph."""
    get_default_graph().seed = seed


DEFAULT_GRAPH_SEED = 87654321


def get_seed(op_seed):
    """The pair of seeds for a random operation, from the graph's seed and its own, as in TensorFlow."""
    graph = get_default_graph()
    if graph.seed is not None:
        if op_seed is None:
            op_seed = graph._native.num_ids
        seeds = graph.seed & 0x7FFFFFFF, op_seed & 0x7FFFFFFF
    elif op_seed is not None:
        seeds = DEFAULT_GRAPH_SEED, op_seed & 0x7FFFFFFF
    else:
        seeds = 0, 0
    return (0, 2**31 - 1) if seeds == (0, 0) and (op_seed is not None or graph.seed is not None) else seeds
