"""Files that a model reads (vocabularies and the like): copied beside the graph, found there when it is loaded."""

import os
import shutil

from ..framework.convert import constant_value
from ..framework.dtypes import string
from ..framework.graph import Tensor
from . import constants

TYPE_URL = "type.googleapis.com/tensorflow.AssetFileDef"


def path_of(tensor):
    """The path that an asset's tensor holds. Raises TypeError for what is no constant text, ValueError for an empty one."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"Asset path tensor {tensor} must be a Tensor.")
    if tensor.op.type != "Const" or tensor.dtype.base_dtype is not string:
        raise TypeError(f"Asset path tensor {tensor} must be a string constant, and not of {tensor.op.type}.")
    value = constant_value(tensor)
    if value.size != 1:
        raise TypeError(f"Asset path tensor {tensor} must be a scalar.")
    path = os.fsdecode(value.item())
    if not path:
        raise ValueError(f"Asset path tensor {tensor} is empty.")
    return path


class AssetFiles:
    """The files of a model that is being written: each goes below its last name, those that share it get numbers."""

    def __init__(self):
        self._paths = {}

    def add(self, path):
        """The name under which the file lies in the model's directory."""
        last = name = os.path.basename(path)
        count = 0
        while self._paths.setdefault(name, path) != path:
            count += 1
            name = f"{last}_{count}"
        return name

    def copy_to(self, export_dir):
        """Copies the files. Raises OSError for one that cannot be read."""
        directory = os.path.join(export_dir, constants.ASSETS_DIRECTORY)
        if self._paths:
            os.makedirs(directory, exist_ok=True)
        for name, path in self._paths.items():
            shutil.copyfile(path, os.path.join(directory, name))


def note(meta, tensors, files):
    """Writes down in a MetaGraphDef which tensors name which files."""
    from ..protos import AssetFileDef
    noted = meta.collection_def[constants.ASSETS_KEY].any_list
    for tensor in tensors:
        asset = AssetFileDef(filename=files.add(path_of(tensor)))
        asset.tensor_info.name = tensor.name
        noted.value.add(type_url=TYPE_URL, value=asset.SerializeToString())


def feeds(meta, export_dir, import_scope):
    """{tensor's name: path of its file in the model's directory}, to run the main operation with."""
    from ..protos import AssetFileDef
    scope = f"{import_scope}/" if import_scope else ""
    assets = list(meta.asset_file_def)
    if constants.ASSETS_KEY in meta.collection_def:
        assets += [AssetFileDef.FromString(item.value) for item in meta.collection_def[constants.ASSETS_KEY].any_list.value]
    return {scope + asset.tensor_info.name: os.path.join(export_dir, constants.ASSETS_DIRECTORY, asset.filename)
            for asset in assets}
