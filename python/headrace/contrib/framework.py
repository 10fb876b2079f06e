"""What programs take from tf.contrib.framework: the global step, and variables of collections and checkpoints."""

from ..framework.convert import is_tensor_like
from ..framework.graph import GraphKeys, Tensor, get_default_graph
from ..framework.variable_scope import get_variable
from ..sparse import SparseTensor
from ..train.global_step import assert_global_step, create_global_step, get_global_step, get_or_create_global_step  # noqa: F401
from ..train.saver import list_variables, load_checkpoint, load_variable  # noqa: F401 - part of this module's surface


def is_tensor(x):
    """Whether x is a tensor, a sparse tensor or a variable."""
    return isinstance(x, (Tensor, SparseTensor)) or is_tensor_like(x)


def get_variables(scope=None, suffix=None, collection=GraphKeys.GLOBAL_VARIABLES):
    """The variables of a collection below a scope, of those names that end in `suffix`."""
    scope = getattr(scope, "name", scope)
    found = get_default_graph().get_collection(collection, scope)
    return found if suffix is None else [v for v in found if v.op.name.rsplit("/", 1)[-1] == suffix]


def get_trainable_variables(scope=None, suffix=None):
    return get_variables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES)


def get_model_variables(scope=None, suffix=None):
    return get_variables(scope, suffix, GraphKeys.MODEL_VARIABLES)


def model_variable(name, shape=None, dtype=None, initializer=None, regularizer=None, trainable=True, collections=None,
                   **kwargs):
    """get_variable that also adds the variable to MODEL_VARIABLES."""
    collections = list(dict.fromkeys([*(collections or []), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]))
    return get_variable(name, shape, dtype, initializer, regularizer, trainable, collections, **kwargs)


def __getattr__(name):
    instead = {"arg_scope": "functools.partial", "add_arg_scope": "functools.partial",
               "assign_from_checkpoint": "tf.train.Saver(var_list).restore",
               "init_from_checkpoint": "tf.train.Saver(var_list).restore", "nest": "plain Python structures",
               "sort": "tf.nn.top_k", "argsort": "tf.nn.top_k"}.get(name)
    hint = f": use {instead}" if instead else ""
    raise AttributeError(f"module 'headrace.contrib.framework' has no attribute '{name}'{hint}")
