"""tf.summary: values of a run for TensorBoard."""


import numpy as np

from ._native import native
from .framework import dtypes
from .framework.convert import convert_to_tensor
from .framework.graph import Graph, GraphKeys, get_default_graph
from .framework.op_library import apply_op


def _collect(value, collections):
    get_default_graph().add_to_collections([GraphKeys.SUMMARIES] if collections is None else collections, value)
    return value


class _scope:
    """The name scope of a summary; its name is the tag."""

    def __init__(self, name, family):
        self._name = f"{family}/{name}" if family else name
        self._family = family

    def __enter__(self):
        import re
        clean = re.sub(r"[^A-Za-z0-9_.\\/-]", "_", self._name).lstrip("/")
        self._context = get_default_graph().name_scope(clean)
        scope = self._context.__enter__()
        tag = scope.rstrip("/")
        return (f"{self._family}/{tag}" if self._family else tag), scope

    def __exit__(self, *raised):
        return self._context.__exit__(*raised)


def scalar(name, tensor, collections=None, family=None):
    """A string scalar tensor: the summary of one number."""
    with _scope(name, family) as (tag, scope):
        return _collect(apply_op("ScalarSummary", tag, tensor, name=scope), collections)


def histogram(name, values, collections=None, family=None):
    """How the elements of a tensor are spread."""
    with _scope(name, family) as (tag, scope):
        return _collect(apply_op("HistogramSummary", tag, values, name=scope), collections)


def image(name, tensor, max_outputs=3, collections=None, family=None):
    """The first images of a batch [n, height, width, 1, 3 or 4]."""
    with _scope(name, family) as (tag, scope):
        return _collect(apply_op("ImageSummary", tag, tensor, max_images=max_outputs, name=scope), collections)


def audio(name, tensor, sample_rate, max_outputs=3, collections=None, family=None):
    """The first clips of a batch [n, frames, channels] or [n, frames]."""
    with _scope(name, family) as (tag, scope):
        rate = convert_to_tensor(sample_rate, dtypes.float32)
        return _collect(apply_op("AudioSummaryV2", tag, tensor, rate, max_outputs=max_outputs, name=scope), collections)


def text(name, tensor, collections=None):
    """A string tensor, shown as text."""
    from .protos import SummaryMetadata
    metadata = SummaryMetadata()
    metadata.plugin_data.plugin_name = "text"
    return tensor_summary(name, tensor, summary_metadata=metadata, collections=collections)


def tensor_summary(name, tensor, summary_description=None, collections=None, summary_metadata=None, family=None,
                   display_name=None):
    """Any tensor, with what a plugin wants to know about it."""
    with _scope(name, family) as (tag, scope):
        metadata = b"" if summary_metadata is None else summary_metadata.SerializeToString()
        return _collect(apply_op("TensorSummaryV2", tag, tensor, metadata, name=scope), collections)


def merge(inputs, collections=None, name=None):
    """One summary of several."""
    with get_default_graph().name_scope(name or "Merge"):
        merged = apply_op("MergeSummary", list(inputs), name=name)
    get_default_graph().add_to_collections(collections or [], merged)
    return merged


def merge_all(key=GraphKeys.SUMMARIES, scope=None, name=None):
    """One summary of all that were collected, or None where there are none."""
    collected = get_default_graph().get_collection(key, scope)
    return merge(collected, name=name) if collected else None


def _meta_graph_of(graph, graph_def=None):
    """A MetaGraphDef of nothing but a graph."""
    from .protos import MetaGraphDef
    meta = MetaGraphDef()
    if isinstance(graph, Graph):
        meta.graph_def.ParseFromString(graph._native.serialize())
    else:
        meta.graph_def.CopyFrom(graph_def if graph is None else graph)
    return meta


class FileWriter:
    """Writes an event file into a directory, for TensorBoard. Closed at the end of a `with`."""

    def __init__(self, logdir, graph=None, max_queue=10, flush_secs=120, graph_def=None, filename_suffix=None, session=None):
        self._logdir = str(logdir)
        self._arguments = (self._logdir, filename_suffix or "", float(flush_secs))
        self._writer = native.open_summary_writer(*self._arguments)
        self._tags = set()
        if graph is None and session is not None:
            graph = session.graph
        if graph is not None or graph_def is not None:
            self.add_graph(graph, graph_def=graph_def)
            self.add_meta_graph(_meta_graph_of(graph, graph_def))

    def get_logdir(self):
        return self._logdir

    def _open(self):
        if self._writer is None:
            self.reopen()
        return self._writer

    def add_summary(self, summary, global_step=None):
        """Adds what a summary operation returned, or a Summary message."""
        data = bytes(summary) if isinstance(summary, (bytes, np.bytes_)) else summary.SerializeToString()
        self._open().add_summary(data, 0 if global_step is None else int(global_step))

    def add_graph(self, graph=None, global_step=None, graph_def=None):
        """Adds a graph (or GraphDef message), for TensorBoard's graph page."""
        if graph is None and graph_def is not None:
            graph = graph_def
        if hasattr(graph, "SerializeToString"):
            data = graph.SerializeToString()
        elif isinstance(graph, Graph):
            data = graph._native.serialize()
        else:
            raise TypeError(f"The passed graph must be an instance of `Graph` or the deprecated `GraphDef`, got {type(graph)}")
        self._open().add_graph(data, int(global_step or 0))

    def add_meta_graph(self, meta_graph_def, global_step=None):
        """Adds a MetaGraphDef message."""
        if not hasattr(meta_graph_def, "SerializeToString") or not hasattr(meta_graph_def, "collection_def"):
            raise TypeError(f"meta_graph_def must be type MetaGraphDef, saw type: {type(meta_graph_def)}")
        self._open().add_meta_graph(meta_graph_def.SerializeToString(), int(global_step or 0))

    def add_session_log(self, session_log, global_step=None):
        self._open().add_session_log(session_log.status, int(global_step or 0), session_log.checkpoint_path)

    def add_run_metadata(self, run_metadata, tag, global_step=None):
        """Adds the trace of a step. Raises ValueError for a tag that was used before."""
        if tag in self._tags:
            raise ValueError(f"The provided tag was already used for this event type: {tag}")
        self._tags.add(tag)
        self._open().add_run_metadata(run_metadata.SerializeToString(), tag, int(global_step or 0))

    def add_event(self, event):
        """Adds the summary, graph or session log of an Event message."""
        kind = event.WhichOneof("what")
        if kind == "summary":
            self.add_summary(event.summary, event.step)
        elif kind == "graph_def":
            self._open().add_graph(event.graph_def, event.step)
        elif kind == "meta_graph_def":
            self._open().add_meta_graph(event.meta_graph_def, event.step)
        elif kind == "session_log":
            self.add_session_log(event.session_log, event.step)

    def flush(self):
        if self._writer is not None:
            self._writer.flush()

    def close(self):
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def reopen(self):
        """Goes on in a new file after close()."""
        if self._writer is None:
            self._writer = native.open_summary_writer(*self._arguments)

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.close()


class FileWriterCache:
    """One writer for each directory of the process."""

    _writers = {}

    @classmethod
    def get(cls, logdir):
        if logdir not in cls._writers:
            cls._writers[logdir] = FileWriter(logdir, graph=get_default_graph())
        return cls._writers[logdir]

    @classmethod
    def clear(cls):
        for writer in cls._writers.values():
            writer.close()
        cls._writers.clear()


def summary_iterator(path):
    """The Event messages of an event file."""
    from .protos import Event
    for record in native.open_records(str(path), ""):
        yield Event.FromString(record)


def __getattr__(name):
    if name in ("Summary", "Event", "SummaryDescription", "SessionLog", "TaggedRunMetadata", "SummaryMetadata"):
        from . import protos
        return getattr(protos, name)
    raise AttributeError(f"module 'headrace.summary' has no attribute '{name}'")
