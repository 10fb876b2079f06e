"""Initial values out of a checkpoint: tf.train.init_from_checkpoint."""

from ..framework.graph import get_default_graph
from ..framework.op_library import apply_op
from ..framework.variable_scope import _store
from ..framework.variables import Variable
from .saver import CheckpointReader, _resolve


def init_from_checkpoint(ckpt_dir_or_file, assignment_map):
    """From here on the initializers of variables take their values from a checkpoint.

    `assignment_map`: {name in the checkpoint: variable, or its name, or a list of its parts}, or {scope in the checkpoint with
    a "/" at its end: scope of variables that get_variable made}. Raises ValueError for what the checkpoint lacks, or has in
    another shape.
    """
    path = _resolve(ckpt_dir_or_file)
    shapes = CheckpointReader(path).get_variable_to_shape_map()
    for key, target in sorted(dict(assignment_map).items()):
        for name, variable in _pairs(key, target, shapes, ckpt_dir_or_file):
            _set_initializer(path, shapes, name, variable)


def _made(name):
    store = _store()
    found = store.variables.get(name) or store.partitioned.get(name)
    return found


def _pairs(key, target, shapes, source):
    """[(name in the checkpoint, variable)] of one entry."""
    if isinstance(target, Variable) or hasattr(target, "_variable_list") or isinstance(target, (list, tuple)):
        parts = target if isinstance(target, (list, tuple)) else getattr(target, "_variable_list", [target])
        return [(key, part) for part in parts]
    found = _made(target)
    if found is not None and not target.endswith("/"):
        return _pairs(key, found, shapes, source)
    if not key.endswith("/") or target and not target.endswith("/"):
        raise ValueError(f"Assignment map with scope only name {target} should map to scope only {key}. Should be 'scope/': "
                         "'other_scope/'.")
    scope, own = key.lstrip("/"), "" if target == "/" else target
    store, pairs = _store(), []
    for name, variable in [*store.variables.items(), *store.partitioned.items()]:
        if not name.startswith(own) or getattr(variable, "_nodes", None) is not None and variable._nodes.slice is not None:
            continue
        saved = scope + name[len(own):]
        if saved not in shapes:
            raise ValueError(f"Tensor {saved} ({name} in {target}) is not found in {source} checkpoint {shapes}")
        pairs += _pairs(saved, variable, shapes, source)
    return pairs


def _set_initializer(path, shapes, name, variable):
    if name not in shapes:
        raise ValueError(f"Tensor {name} is not found in {path} checkpoint {shapes}")
    part = variable._nodes.slice
    whole = variable.shape.as_list() if part is None else list(part[1])
    if whole != list(shapes[name]):
        raise ValueError(f"Shape of variable {variable.name} ({whole}) doesn't match with shape of tensor {name} "
                         f"({list(shapes[name])}) from checkpoint reader.")
    wanted = "" if part is None else " ".join(map(str, whole)) + " " + ":".join(
        f"{offset},{extent}" for offset, extent in zip(part[2], variable.shape.as_list()))
    graph = variable.graph
    with graph.as_default(), graph.control_dependencies(None), get_default_graph().colocate_with(variable.op), \
            graph.name_scope("checkpoint_initializer"):
        value = apply_op("RestoreV2", path, [name], [wanted], dtypes=[variable.dtype])[0]
        value.set_shape(variable.shape)
        variable.initializer = variable.assign(value).op
