"""Writing SavedModels."""

import os

from ..framework.graph import GraphKeys, Operation, get_default_graph
from ..framework.variables import _all_saveable_objects
from ..train.saver import Saver
from . import assets, constants, main_op as main_op_module, signature_constants, signature_def_utils, tag_constants


class Builder:
    """Writes a model into a new directory. Raises AssertionError when it exists and is not empty."""

    def __init__(self, export_dir):
        self._export_dir = os.fspath(export_dir)
        if os.path.isdir(self._export_dir) and os.listdir(self._export_dir):
            raise AssertionError(f"Export directory {self._export_dir} already exists, and isn't empty. Please choose a "
                                 "different export directory, or delete all the contents of the specified directory.")
        from ..protos import SavedModel
        os.makedirs(self._export_dir, exist_ok=True)
        self._model = SavedModel(saved_model_schema_version=constants.SAVED_MODEL_SCHEMA_VERSION)
        self._has_variables = False
        self._files = assets.AssetFiles()

    def add_meta_graph_and_variables(self, sess, tags, signature_def_map=None, assets_collection=None, legacy_init_op=None,
                                     clear_devices=False, main_op=None, strip_default_attrs=False, saver=None):
        """Writes the variables' values in `sess`, and adds its graph. Only for the first graph."""
        if self._has_variables:
            raise AssertionError("Graph state including variables and assets has already been saved. Please invoke "
                                 "`add_meta_graph()` instead.")
        first_op = _checked_first_op(sess.graph, main_op, legacy_init_op)
        _check_signatures(signature_def_map)
        directory = os.path.join(self._export_dir, constants.VARIABLES_DIRECTORY)
        os.makedirs(directory, exist_ok=True)
        with sess.graph.as_default():
            saver = saver or _new_saver()
            saver.save(sess, os.path.join(directory, constants.VARIABLES_FILENAME), write_meta_graph=False, write_state=False)
        self._has_variables = True
        self._add(sess.graph, saver, tags, signature_def_map, assets_collection, first_op, clear_devices)

    def add_meta_graph(self, tags, signature_def_map=None, assets_collection=None, legacy_init_op=None, clear_devices=False,
                       main_op=None, strip_default_attrs=False, saver=None):
        """Adds the default graph, whose variables are those that were written before."""
        if not self._has_variables:
            raise AssertionError("Graph state including variables and assets has not been saved yet. Please invoke "
                                 "`add_meta_graph_and_variables()` first.")
        graph = get_default_graph()
        first_op = _checked_first_op(graph, main_op, legacy_init_op)
        _check_signatures(signature_def_map)
        self._add(graph, saver or _new_saver(), tags, signature_def_map, assets_collection, first_op, clear_devices)

    def _add(self, graph, saver, tags, signatures, asset_tensors, first_op, clear_devices):
        meta = saver.export_meta_graph(graph=graph, clear_devices=clear_devices)
        meta.meta_info_def.tags.extend(tags)
        for key, signature in (signatures or {}).items():
            meta.signature_def[key].CopyFrom(signature)
        if first_op is not None:
            meta.collection_def[constants.MAIN_OP_KEY].node_list.value.append(first_op.name)
        if asset_tensors:
            assets.note(meta, asset_tensors, self._files)
            self._files.copy_to(self._export_dir)
        self._model.meta_graphs.append(meta)

    def save(self, as_text=False):
        """Writes the graphs; returns the file's path."""
        path = os.path.join(self._export_dir, constants.SAVED_MODEL_FILENAME_PBTXT if as_text
                            else constants.SAVED_MODEL_FILENAME_PB)
        from ..train.meta_graph import write_message
        write_message(path, self._model, as_text)
        return path.encode()


SavedModelBuilder = Builder


def _new_saver():
    return Saver(_all_saveable_objects(), sharded=True, allow_empty=True)


def _checked_first_op(graph, main_op, legacy_init_op):
    """What a loaded model runs first, or None. Raises ValueError when the graph, itself loaded, has such an operation."""
    first_op = main_op if main_op is not None else legacy_init_op
    if first_op is None:
        return None
    if not isinstance(first_op, Operation):
        raise TypeError(f"Expected {first_op} to be an Operation but got type {type(first_op)} instead.")
    for key in (constants.MAIN_OP_KEY, constants.LEGACY_INIT_OP_KEY):
        if graph.get_collection(key):
            raise ValueError(f"Graph already contains one or more main ops under the collection {key}.")
    return first_op


def _check_signatures(signatures):
    for key, signature in (signatures or {}).items():
        for info in (*signature.inputs.values(), *signature.outputs.values()):
            if not info.dtype or not info.name and not info.HasField("coo_sparse"):
                raise AssertionError(f"All TensorInfo protos used in the SignatureDefs must have the name and dtype fields set: "
                                     f"signature {key!r}")


def simple_save(session, export_dir, inputs, outputs, legacy_init_op=None):
    """Writes a session's graph and variables, with one signature from `inputs` to `outputs` ({key: tensor})."""
    with session.graph.as_default():
        first_op = legacy_init_op
        if first_op is None and not session.graph.get_collection(constants.MAIN_OP_KEY):
            first_op = main_op_module.main_op()
    builder = Builder(export_dir)
    builder.add_meta_graph_and_variables(session, [tag_constants.SERVING], {
        signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature_def_utils.predict_signature_def(inputs, outputs)},
        session.graph.get_collection(GraphKeys.ASSET_FILEPATHS), main_op=first_op, clear_devices=True)
    builder.save()
