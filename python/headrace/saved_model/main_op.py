"""What a loaded model runs before its first use."""


def main_op():
    """An operation that initializes local variables and tables."""
    from ..framework.graph import GraphKeys, get_default_graph
    from ..framework.variables import group, local_variables_initializer
    return group(local_variables_initializer(), *get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS))
