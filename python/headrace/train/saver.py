"""Saver: variables to checkpoints and back, and the files that say which there are."""

import os
import time

import numpy as np

from .._native import native
from ..framework import dtypes
from ..framework.convert import to_numpy
from ..framework.graph import get_default_graph
from ..framework.variables import Variable, _all_saveable_objects


def _flatten(var_list):
    """[(key in checkpoints, variable)] of a list, or of a dict by keys; partitioned variables become their parts."""
    if isinstance(var_list, dict):
        items = list(var_list.items())
    else:
        items = [(None, variable) for variable in var_list]
    pairs = []
    for key, item in items:
        parts = item if isinstance(item, (list, tuple)) else getattr(item, "_variable_list", None) or [item]
        for variable in parts:
            if not isinstance(variable, Variable):
                raise TypeError(f"Variable to save is not a Variable: {variable}")
            pairs.append((key or "", variable))
    return pairs


class Saver:
    """Adds the operations that save and restore variables.

    `var_list`: a list, or {key in checkpoints: variable}; all saveable ones if None. The newest `max_to_keep` checkpoints stay
    (0 or None: all), and one for every `keep_checkpoint_every_n_hours`. `sharded`: each device writes its own file.
    Raises ValueError when there are no variables.
    """

    def __init__(self, var_list=None, reshape=False, sharded=False, max_to_keep=5, keep_checkpoint_every_n_hours=10000.0,
                 name=None, restore_sequentially=False, saver_def=None, builder=None, defer_build=False, allow_empty=False,
                 write_version=2, pad_step_number=False, save_relative_paths=False, filename=None):
        self._var_list, self._reshape, self._sharded = var_list, reshape, sharded
        self._max_to_keep = max_to_keep or 0
        self._keep_hours = keep_checkpoint_every_n_hours
        self._name = name or "save"
        self._allow_empty = allow_empty
        self._pad_step_number = pad_step_number
        self._last_checkpoints = []  # (prefix, time)
        self._next_kept = time.time() + self._keep_hours * 3600
        self._filename = self._save = self._restore = None
        self._is_empty = False
        if saver_def is not None:
            self._filename, self._save = saver_def.filename_tensor_name, saver_def.save_tensor_name
            self._restore = saver_def.restore_op_name
            self._max_to_keep = saver_def.max_to_keep
        elif not defer_build:
            self.build()

    def build(self):
        """Adds the operations; called by the constructor unless `defer_build`."""
        if self._filename is not None or self._is_empty:
            return
        graph = get_default_graph()
        graph._check_open()
        pairs = _flatten(_all_saveable_objects() if self._var_list is None else self._var_list)
        if not pairs:
            if not self._allow_empty:
                raise ValueError("No variables to save")
            self._is_empty = True
            return
        self._built_for = pairs
        graph._sync()
        name = graph.unique_name(self._name, mark_as_used=False).rsplit("/", 1)[-1]
        filename, save, restore = native.make_saver(
            graph._native, graph._context(), [k for k, _ in pairs], [v._nodes for _, v in pairs], name, self._sharded,
            self._reshape)
        graph._sync()
        self._filename, self._save = graph._tensor(filename).name, graph._tensor(save).name
        self._restore = graph._operation(restore).name

    def as_saver_def(self):
        """This saver as a SaverDef message."""
        from ..protos import SaverDef
        return SaverDef(filename_tensor_name=self._filename, save_tensor_name=self._save, restore_op_name=self._restore,
                        max_to_keep=self._max_to_keep, sharded=self._sharded,
                        keep_checkpoint_every_n_hours=self._keep_hours, version=2)

    to_proto = as_saver_def

    @property
    def saver_def(self):
        """This saver as a SaverDef message; None before build()."""
        return None if self._filename is None else self.as_saver_def()

    @classmethod
    def from_proto(cls, saver_def, import_scope=None):
        return cls(saver_def=saver_def)

    @property
    def last_checkpoints(self):
        """The prefixes that this saver keeps, oldest first."""
        return [prefix for prefix, _ in self._last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time):
        self._last_checkpoints = list(last_checkpoints_with_time)

    set_last_checkpoints = lambda self, prefixes: self.set_last_checkpoints_with_time([(p, np.inf) for p in prefixes])

    def recover_last_checkpoints(self, checkpoint_paths):
        """Takes over checkpoints that are there, as if this saver had written them."""
        times = get_checkpoint_mtimes([p for p in checkpoint_paths if checkpoint_exists(p)])
        self._last_checkpoints = list(zip([p for p in checkpoint_paths if checkpoint_exists(p)], times))

    def save(self, sess, save_path, global_step=None, latest_filename=None, meta_graph_suffix="meta", write_meta_graph=True,
             write_state=True, strip_default_attrs=False, save_debug_info=False):
        """Writes the variables under `save_path` (with "-<global step>" where one is given); returns the full prefix.

        Raises ValueError for a path whose directory does not exist, or a session of another kind.
        """
        if not hasattr(sess, "run"):
            raise TypeError(f"'sess' must be a Session; {sess!r}")
        if latest_filename in (None, ""):
            latest_filename = "checkpoint"
        elif os.path.split(latest_filename)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        if self._is_empty:
            return None
        self._require_built("save")
        prefix = os.fspath(save_path)
        if global_step is not None:
            if not isinstance(global_step, (int, np.integer)):
                global_step = sess.run(global_step)
            prefix = f"{prefix}-{int(global_step):08d}" if self._pad_step_number else f"{prefix}-{int(global_step)}"
            if os.path.basename(save_path) == latest_filename and not self._sharded:
                raise ValueError(f"'latest_filename' collides with 'save_path': {latest_filename} and {save_path}")
        directory = os.path.dirname(prefix)
        if directory and not os.path.isdir(directory):
            raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.")
        written = sess.run(self._save, {self._filename: prefix})
        written = written.decode() if isinstance(written, bytes) else prefix
        if write_meta_graph:
            self.export_meta_graph(f"{written}.{meta_graph_suffix}", graph=sess.graph)
        if write_state:
            self._keep(written, directory, latest_filename)
        return written

    def _require_built(self, what):
        if self._filename is None:
            raise RuntimeError(f"`build()` should be called before {what} if defer_build==True")

    def _keep(self, prefix, directory, latest_filename):
        """Notes a new checkpoint and deletes those that are too many. Without a limit there is nothing to note."""
        if not self._max_to_keep:
            update_checkpoint_state(directory, prefix, latest_filename=latest_filename)
            return
        now = time.time()
        self._last_checkpoints = [(p, t) for p, t in self._last_checkpoints if p != prefix] + [(prefix, now)]
        dropped = []
        while len(self._last_checkpoints) > self._max_to_keep:
            oldest, written = self._last_checkpoints.pop(0)
            if written > self._next_kept:
                self._next_kept += self._keep_hours * 3600
                continue
            dropped.append(oldest)
        update_checkpoint_state(directory, prefix, self.last_checkpoints, [t for _, t in self._last_checkpoints],
                                latest_filename=latest_filename)
        for oldest in dropped:
            remove_checkpoint(oldest)

    def restore(self, sess, save_path):
        """Sets the variables from a checkpoint. Raises ValueError when there is none.

        tf.errors.NotFoundError for a variable that the checkpoint lacks, InvalidArgumentError for one of another shape or type.
        """
        if self._is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        save_path = os.fspath(save_path)
        if not checkpoint_exists(save_path):
            raise ValueError(f"The passed save_path is not a valid checkpoint: {save_path}")
        self._require_built("restore")
        sess.run(self._restore, {self._filename: save_path})

    def export_meta_graph(self, filename=None, collection_list=None, as_text=False, export_scope=None, clear_devices=False,
                          graph=None, **ignored):
        """The graph, its collections and this saver as a MetaGraphDef; written to `filename` where one is given."""
        from .meta_graph import export_meta_graph
        return export_meta_graph(filename, collection_list=collection_list, as_text=as_text, saver_def=self.saver_def,
                                 graph=graph, clear_devices=clear_devices)


def checkpoint_exists(checkpoint_prefix):
    """Whether there is a checkpoint of that prefix."""
    return os.path.exists(os.fspath(checkpoint_prefix) + ".index")


def get_checkpoint_mtimes(checkpoint_prefixes):
    """When the checkpoints were written, in seconds since 1970."""
    return [os.path.getmtime(p + ".index") for p in checkpoint_prefixes]


def remove_checkpoint(checkpoint_prefix, checkpoint_format_version=2, meta_graph_suffix="meta"):
    """Deletes a checkpoint's files."""
    native.delete_checkpoint(os.fspath(checkpoint_prefix))
    meta = f"{checkpoint_prefix}.{meta_graph_suffix}"
    if os.path.exists(meta):
        os.remove(meta)


def update_checkpoint_state(save_dir, model_checkpoint_path, all_model_checkpoint_paths=None,
                            all_model_checkpoint_timestamps=None, last_preserved_timestamp=None, latest_filename=None):
    """Replaces the file `checkpoint` of a directory (or the one called `latest_filename`) at once."""
    paths = list(all_model_checkpoint_paths or [])
    if model_checkpoint_path not in paths:
        paths.append(model_checkpoint_path)
    native.write_checkpoint_state(os.fspath(save_dir) or ".", model_checkpoint_path, paths,
                                  list(all_model_checkpoint_timestamps or []), last_preserved_timestamp or 0.0,
                                  latest_filename or "checkpoint")


class CheckpointState:
    """What the file `checkpoint` says."""

    def __init__(self, newest, paths, timestamps, last_preserved_timestamp):
        self.model_checkpoint_path = newest
        self.all_model_checkpoint_paths = paths
        self.all_model_checkpoint_timestamps = timestamps
        self.last_preserved_timestamp = last_preserved_timestamp


def get_checkpoint_state(checkpoint_dir, latest_filename=None):
    """The CheckpointState of a directory, or None where there is none."""
    state = native.read_checkpoint_state(os.fspath(checkpoint_dir), latest_filename or "checkpoint")
    return None if state is None else CheckpointState(*state)


def latest_checkpoint(checkpoint_dir, latest_filename=None):
    """The prefix of the newest checkpoint, or None."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not state.model_checkpoint_path or not checkpoint_exists(state.model_checkpoint_path):
        return None
    return state.model_checkpoint_path


class CheckpointReader:
    """Reads a checkpoint's tensors by name."""

    def __init__(self, prefix):
        self._reader = native.open_checkpoint(os.fspath(prefix))
        self._entries = {name: (dtypes.as_dtype(number), shape) for name, number, shape in self._reader.list()}

    def has_tensor(self, name):
        return name in self._entries

    def get_variable_to_shape_map(self):
        return {name: list(shape) for name, (_, shape) in self._entries.items()}

    def get_variable_to_dtype_map(self):
        return {name: dtype for name, (dtype, _) in self._entries.items()}

    def get_tensor(self, name):
        """The tensor as a numpy array. Raises tf.errors.NotFoundError."""
        name = name[:-2] if name.endswith(":0") else name
        dtype = self._entries[name][0] if name in self._entries else dtypes.float32
        return to_numpy(self._reader.get_tensor(name), dtype)


NewCheckpointReader = CheckpointReader


def _resolve(path):
    if os.path.isdir(path):
        found = latest_checkpoint(path)
        if found is None:
            raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {path}")
        return found
    return path


def load_checkpoint(ckpt_dir_or_file):
    """A reader of a checkpoint, or of a directory's newest."""
    return CheckpointReader(_resolve(os.fspath(ckpt_dir_or_file)))


def load_variable(ckpt_dir_or_file, name):
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name)


def list_variables(ckpt_dir_or_file):
    """[(name, shape)], sorted by name."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def checkpoints_iterator(checkpoint_dir, min_interval_secs=0, timeout=None, timeout_fn=None):
    """Gives each new checkpoint of a directory as it appears; ends after `timeout` seconds without one."""
    seen = None
    while True:
        started = time.time()
        deadline = None if timeout is None else started + timeout
        newest = latest_checkpoint(checkpoint_dir)
        while newest is None or newest == seen:
            if deadline is not None and time.time() + 1 > deadline:
                if timeout_fn is None or timeout_fn():
                    return
                deadline = time.time() + timeout
            time.sleep(0.2)
            newest = latest_checkpoint(checkpoint_dir)
        seen = newest
        yield newest
        time.sleep(max(0.0, started + min_interval_secs - time.time()))


def import_meta_graph(meta_graph_or_file, clear_devices=False, import_scope=None, **kwargs):
    """Adds the graph of a MetaGraphDef (or its file) to the default graph; returns its Saver, or None if it has none."""
    from .meta_graph import import_scoped
    meta = import_scoped(meta_graph_or_file, clear_devices=clear_devices, import_scope=import_scope)
    if meta.HasField("saver_def"):
        scope = f"{import_scope}/" if import_scope else ""
        definition = meta.saver_def
        definition.filename_tensor_name = scope + definition.filename_tensor_name
        definition.save_tensor_name = scope + definition.save_tensor_name
        definition.restore_op_name = scope + definition.restore_op_name
        return Saver(saver_def=definition)
    return Saver() if _all_saveable_objects(import_scope) else None


def export_meta_graph(filename=None, **options):
    """The default graph as a MetaGraphDef."""
    from .meta_graph import export_meta_graph as export
    return export(filename, **options)
