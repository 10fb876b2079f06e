"""MetaGraphDef: a graph with its collections and saver, written and read."""

import os

from .._native import native
from ..framework import errors
from ..framework.graph import Operation, Tensor, get_default_graph
from ..framework.variables import Variable


def _add_collection(meta, key, items):
    collection = meta.collection_def[key]
    if all(isinstance(item, Variable) for item in items):
        collection.bytes_list.value.extend(item._nodes.encode() for item in items)
    elif all(isinstance(item, (Tensor, Operation)) for item in items):
        collection.node_list.value.extend(item.name for item in items)
    elif all(hasattr(item, "to_proto") for item in items):
        collection.bytes_list.value.extend(item.to_proto().SerializeToString() for item in items)
    elif all(isinstance(item, bool) or isinstance(item, int) for item in items):
        collection.int64_list.value.extend(items)
    elif all(isinstance(item, float) for item in items):
        collection.float_list.value.extend(items)
    elif all(isinstance(item, str) for item in items):
        collection.bytes_list.value.extend(item.encode() for item in items)
    else:
        del meta.collection_def[key]


def export_meta_graph(filename=None, meta_info_def=None, graph_def=None, saver_def=None, collection_list=None, as_text=False,
                      graph=None, clear_devices=False, **ignored):
    """The graph as a MetaGraphDef message; written to `filename` (in text form if `as_text`) where one is given.

    Collections hold what can be written: variables, tensors, operations, numbers, texts; others are left out.
    """
    from ..protos import MetaGraphDef
    graph = graph or get_default_graph()
    meta = MetaGraphDef()
    meta.meta_info_def.tensorflow_version = "1.15.0"
    meta.graph_def.ParseFromString(graph._native.serialize())
    if clear_devices:
        for node in meta.graph_def.node:
            node.device = ""
    if saver_def is not None:
        meta.saver_def.CopyFrom(saver_def)
    for key in (collection_list if collection_list is not None else graph.get_all_collection_keys()):
        items = graph.get_collection(key)
        if items:
            _add_collection(meta, key, items)
    if filename:
        write_message(filename, meta, as_text)
    return meta


def write_message(filename, message, as_text):
    if as_text:
        from google.protobuf import text_format
        data = text_format.MessageToString(message).encode()
    else:
        data = message.SerializeToString()
    temporary = f"{filename}.tmp{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, filename)


def write_graph(graph_or_graph_def, logdir, name, as_text=True):
    """Writes a graph, or a GraphDef message, into a file of the directory; returns the path."""
    graph_def = graph_or_graph_def.as_graph_def() if hasattr(graph_or_graph_def, "as_graph_def") else graph_or_graph_def
    os.makedirs(logdir, exist_ok=True)
    path = os.path.join(logdir, name)
    write_message(path, graph_def, as_text)
    return path


def read_meta_graph(meta_graph_or_file):
    """The message, from itself or from a file in wire or text form. Raises OSError or ValueError."""
    from ..protos import MetaGraphDef
    if not isinstance(meta_graph_or_file, (str, bytes, os.PathLike)):
        meta = MetaGraphDef()
        meta.ParseFromString(meta_graph_or_file.SerializeToString())
        return meta
    with open(meta_graph_or_file, "rb") as file:
        data = file.read()
    try:
        return MetaGraphDef.FromString(data)
    except Exception:  # protobuf's own class
        from google.protobuf import text_format
        try:
            return text_format.Parse(data.decode(), MetaGraphDef())
        except Exception as error:
            raise ValueError(f"Cannot parse file {meta_graph_or_file}: {error}") from None


def import_scoped(meta_graph_or_file, clear_devices=False, import_scope=None):
    """Adds nodes and collections to the default graph; returns the message."""
    meta = read_meta_graph(meta_graph_or_file)
    if clear_devices:
        for node in meta.graph_def.node:
            node.device = ""
    graph = get_default_graph()
    import_graph_def(meta.graph_def, name=import_scope or "")
    scope = f"{import_scope}/" if import_scope else ""
    known = {}
    for key, collection in meta.collection_def.items():
        kind = collection.WhichOneof("kind")
        values = getattr(collection, kind).value if kind else []
        for value in values:
            item = _imported(graph, key, kind, value, scope, known)
            if item is not None:
                graph.add_to_collection(key, item)
    return meta


# Collections of messages that say what the client does, beside the graph: programs make these anew.
_NOT_READ = ("cond_context", "while_context", "queue_runners", "savers", "saved_model_assets")


def _imported(graph, key, kind, value, scope, known):
    if kind == "node_list":
        name = scope + value
        return graph.as_graph_element(name)
    if kind == "bytes_list":
        if key in ("variables", "trainable_variables", "local_variables", "model_variables", "moving_average_variables",
                   "metric_variables", "global_step"):
            if value not in known:
                known[value] = Variable._wrap(graph, native.decode_variable(value, graph._native, scope.rstrip("/")))
            return known[value]
        return None if key in _NOT_READ else value
    return value


def import_graph_def(graph_def, input_map=None, return_elements=None, name=None, op_dict=None, producer_op_list=None):
    """Adds the nodes of a GraphDef below the scope `name` ("import"); `input_map` replaces some of its inputs.

    Returns the named elements where `return_elements` asks for them. Raises ValueError for what does not fit.
    """
    graph = get_default_graph()
    graph._check_open()
    if not isinstance(graph_def, bytes):
        if not hasattr(graph_def, "SerializeToString"):
            raise TypeError(f"Argument `graph_def` must be a GraphDef proto, got {type(graph_def).__name__}.")
        if input_map is not None and not hasattr(input_map, "keys"):
            raise TypeError(f"Argument `input_map` must be a dictionary, got {type(input_map).__name__}.")
        _check_names(graph_def, input_map or {}, return_elements or [])
    graph._sync()
    prefix = "import" if name is None else name
    if prefix:
        with graph.name_scope(prefix) as scope:
            prefix = scope
    elif graph.get_name_scope():
        prefix = graph.get_name_scope() + "/"
    renamed = {}
    data = graph_def if isinstance(graph_def, bytes) else _without_collisions(graph, graph_def, prefix, renamed)
    mapped = {}
    for key, value in (input_map or {}).items():
        key = key if isinstance(key, str) else key.name
        from ..framework.convert import convert_to_tensor
        key = _renamed(key, renamed)
        mapped[key] = value.name if hasattr(value, "name") else convert_to_tensor(value).name
    try:
        graph._native.import_graph_def(data, prefix, mapped)
    except errors.InvalidArgumentError as error:
        raise ValueError(str(error)) from None
    graph._sync()
    for key in mapped:
        operation = None if key.startswith("^") else graph._find_operation(prefix + key.partition(":")[0])
        if operation is not None and int(key.partition(":")[2] or 0) >= len(operation.outputs):
            raise ValueError(f"{_UNMAPPED} [{key}]")
    if return_elements is None:
        return None
    replaced = {_output(key): name for key, name in mapped.items()}
    names = [_renamed(element, renamed) for element in return_elements]
    try:
        return [graph.as_graph_element(replaced.get(name, prefix + name)) for name in names]
    except KeyError as error:
        raise ValueError(f"Requested return_elements {list(return_elements)} not found in graph_def: {error.args[0]}") from None


_UNMAPPED = "Attempted to map inputs that were not found in graph_def:"


def _check_names(graph_def, input_map, return_elements):
    """Raises ValueError for inputs that no node has, TypeError or ValueError for elements that are none."""
    nodes = {node.name for node in graph_def.node}
    keys = [key if isinstance(key, str) else key.name for key in input_map]
    unknown = sorted(key for key in keys if key.lstrip("^").partition(":")[0] not in nodes)
    if unknown:
        raise ValueError(f"{_UNMAPPED} [{', '.join(unknown)}]")
    for element in return_elements:
        if not isinstance(element, str):
            raise TypeError(f"Argument `return_elements` must be a list of strings, got {element!r}")
        if element.partition(":")[0] not in nodes:
            raise ValueError(f"Requested return_element {element!r} not found in graph_def.")


def _output(text):
    """The input "x" as "x:0"."""
    return text if text.startswith("^") or ":" in text else text + ":0"


def _renamed(text, renamed):
    """An element's name, or an input, after the nodes were renamed."""
    control = "^" if text.startswith("^") else ""
    name, colon, index = text[len(control):].partition(":")
    return control + renamed.get(name, name) + colon + index


def _without_collisions(graph, graph_def, prefix, renamed):
    """The GraphDef's bytes, with other names (which `renamed` gets to know) for nodes whose names the graph has already."""
    own = {node.name for node in graph_def.node}
    for name in own:
        if graph._find_operation(prefix + name) is None:
            continue
        count = 1
        while f"{name}_{count}" in own or graph._find_operation(f"{prefix}{name}_{count}") is not None:
            count += 1
        renamed[name] = f"{name}_{count}"
    if not renamed:
        return graph_def.SerializeToString()
    changed = type(graph_def).FromString(graph_def.SerializeToString())
    for node in changed.node:
        node.name = renamed.get(node.name, node.name)
        node.input[:] = [_renamed(text, renamed) for text in node.input]
        classes = node.attr["_class"].list.s if "_class" in node.attr else []
        for i, text in enumerate(classes):
            if text.startswith(b"loc:@"):
                classes[i] = b"loc:@" + renamed.get(text[5:].decode(), text[5:].decode()).encode()
    return changed.SerializeToString()
