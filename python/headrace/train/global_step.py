"""The global step: the one variable that counts a program's training steps."""

from ..framework import dtypes
from ..framework.graph import GraphKeys, Tensor, get_default_graph
from ..framework.variable_scope import get_variable
from ..framework.variables import Variable
from ..ops.initializers import zeros_initializer


def global_step(sess, global_step_tensor):
    """Its value in a session, as an int."""
    return int(sess.run(global_step_tensor))


def get_global_step(graph=None):
    """The graph's global step, or None. Raises TypeError where the collection holds something else."""
    graph = graph or get_default_graph()
    known = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(known) == 1:
        found = known[0]
    elif not known:
        found = next((v for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES) if v.name == "global_step:0"), None)
        if found is None:
            return None
    else:
        raise TypeError("Multiple items found in collection `GLOBAL_STEP`")
    assert_global_step(found)
    return found


def create_global_step(graph=None):
    """Makes the graph's global step. Raises ValueError when it has one."""
    graph = graph or get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.as_default(), graph.name_scope(None):
        return get_variable(GraphKeys.GLOBAL_STEP, shape=[], dtype=dtypes.int64, initializer=zeros_initializer(),
                            trainable=False, collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP])


def get_or_create_global_step(graph=None):
    """The graph's global step, made if it has none."""
    graph = graph or get_default_graph()
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


def assert_global_step(global_step_tensor):
    """Raises TypeError for what cannot count steps."""
    if not isinstance(global_step_tensor, (Variable, Tensor)):
        raise TypeError(f"Existing \"global_step\" must be a Variable or Tensor: {global_step_tensor}.")
    if not global_step_tensor.dtype.base_dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}')
    if global_step_tensor.shape.rank not in (0, None):
        raise TypeError(f'Existing "global_step" is not scalar: {global_step_tensor.shape}')
