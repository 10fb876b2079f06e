"""Reading SavedModels."""

import os

from ..train.saver import import_meta_graph
from . import assets, constants


def contains_saved_model(export_dir):
    """Whether the directory has a model."""
    return any(os.path.exists(os.path.join(export_dir, name)) for name in (
        constants.SAVED_MODEL_FILENAME_PB, constants.SAVED_MODEL_FILENAME_PBTXT))


_OWN_URL = "type.googleapis.com/headrace.proto.AssetFileDef"

maybe_saved_model_directory = contains_saved_model


def _read(export_dir):
    from ..protos import SavedModel
    path = os.path.join(export_dir, constants.SAVED_MODEL_FILENAME_PB)
    text_path = os.path.join(export_dir, constants.SAVED_MODEL_FILENAME_PBTXT)
    if not os.path.exists(path) and not os.path.exists(text_path):
        raise OSError(f"SavedModel file does not exist at: {export_dir}/{{{constants.SAVED_MODEL_FILENAME_PBTXT}|"
                      f"{constants.SAVED_MODEL_FILENAME_PB}}}")
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError
    try:
        if os.path.exists(path):
            with open(path, "rb") as file:
                return SavedModel.FromString(file.read())
        path = text_path
        with open(path, encoding="utf-8") as file:
            # The messages inside of others are named in full there, by TensorFlow's package.
            text = file.read().replace(f"[{assets.TYPE_URL}]", f"[{_OWN_URL}]")
        return text_format.Parse(text, SavedModel(), descriptor_pool=SavedModel.DESCRIPTOR.file.pool)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise OSError(f"Cannot parse file {path}: {error}") from None


def load(sess, tags, export_dir, import_scope=None, **saver_options):
    """Adds the graph with these tags to the session's, sets its variables, runs its main operation; returns the MetaGraphDef.

    Raises OSError where there is no model, RuntimeError when none of its graphs has the tags, ValueError when the variables are
    missing.
    """
    export_dir = os.fspath(export_dir)
    model = _read(export_dir)
    wanted = set(tags)
    meta = next((m for m in model.meta_graphs if set(m.meta_info_def.tags) == wanted), None)
    if meta is None:
        known = [sorted(m.meta_info_def.tags) for m in model.meta_graphs]
        raise RuntimeError(f"MetaGraphDef associated with tags {str(sorted(wanted)).strip('[]')} could not be found in SavedModel, "
                           f"with available tags '{known}'")
    with sess.graph.as_default():
        saver = import_meta_graph(meta, import_scope=import_scope, **saver_options)
    if saver is not None:
        saver.restore(sess, os.path.join(export_dir, constants.VARIABLES_DIRECTORY, constants.VARIABLES_FILENAME))
    scope = f"{import_scope}/" if import_scope else ""
    for key in (constants.MAIN_OP_KEY, constants.LEGACY_INIT_OP_KEY):
        if key in meta.collection_def:
            sess.run([scope + name for name in meta.collection_def[key].node_list.value],
                     assets.feeds(meta, export_dir, import_scope))
            break
    return meta
