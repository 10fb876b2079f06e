"""The switches between TensorFlow 1's behavior and 2's: there is only the first here."""


def disable_v2_behavior():
    """There is no other behavior to disable."""


disable_eager_execution = disable_control_flow_v2 = disable_v2_tensorshape = disable_tensor_equality = disable_v2_behavior
enable_resource_variables = disable_resource_variables = disable_v2_behavior


def executing_eagerly():
    """False: operations are added to a graph."""
    return False


def resource_variables_enabled():
    """True, always: a variable is a resource unless it is made with `use_resource=False`."""
    return True


def enable_eager_execution(config=None, device_policy=None, execution_mode=None):
    """Raises NotImplementedError."""
    raise NotImplementedError("enable_eager_execution: operations are added to a graph, and a Session runs them")


def enable_v2_behavior():
    """Raises NotImplementedError."""
    raise NotImplementedError("enable_v2_behavior: only TensorFlow 1's behavior is there")
