"""Session: runs what a graph computes, in this process or on a cluster."""

import collections
import collections.abc
import contextlib
import threading
import time

import numpy as np

from .._native import native
from . import dtypes, errors
from .convert import native_value, to_numpy
from .graph import get_default_graph, IndexedSlices, Operation, Tensor
from .shape import TensorShape
from .variables import Variable

SparseTensorValue = collections.namedtuple("SparseTensorValue", ["indices", "values", "dense_shape"])
IndexedSlicesValue = collections.namedtuple("IndexedSlicesValue", ["values", "indices", "dense_shape"])

_local = threading.local()
_TARGET_PATIENCE_S = 30.0


def _sessions():
    stack = getattr(_local, "sessions", None)
    if stack is None:
        stack = _local.sessions = []
    return stack


def get_default_session():
    """The innermost session of `with session:`, or None."""
    stack = _sessions()
    return stack[-1] if stack else None


@contextlib.contextmanager
def cancelled_by(cancellation):
    """Steps that this thread runs inside end when the native Cancellation is told to."""
    before = getattr(_local, "cancellation", None)
    _local.cancellation = cancellation
    try:
        yield
    finally:
        _local.cancellation = before


def _session_for(graph, session, what):
    session = session or get_default_session()
    if session is None:
        raise ValueError(f"Cannot {what}: No default session is registered. Use `with sess.as_default()` or pass an explicit "
                         f"session to `{what}(session=sess)`")
    if session.graph is not graph:
        raise ValueError("Cannot use the given session: the tensor's graph is different from the session's graph.")
    return session


class _Plan:
    """How nested fetches come from a flat list, and back: leaves in order, and a function that rebuilds."""

    def __init__(self, graph):
        self.graph = graph
        self.fetches = []  # tensors, each once
        self.targets = []
        self._index = {}

    def add(self, fetch):
        """Returns a function from the flat values to this fetch's value."""
        if fetch is None:
            raise TypeError("Argument `fetch` = None has invalid type NoneType. Cannot be None")
        if isinstance(fetch, (list, tuple)):
            parts = [self.add(item) for item in fetch]
            if hasattr(fetch, "_fields"):
                return lambda values, make=type(fetch): make(*[p(values) for p in parts])
            return (lambda values: [p(values) for p in parts]) if isinstance(fetch, list) else (
                lambda values: tuple(p(values) for p in parts))
        if isinstance(fetch, dict):
            parts = [(key, self.add(item)) for key, item in fetch.items()]
            if type(fetch) is dict:
                return lambda values: {key: p(values) for key, p in parts}
            return lambda values, make=type(fetch): make((key, p(values)) for key, p in parts)
        if isinstance(fetch, IndexedSlices):
            parts = [self.add(fetch.values), self.add(fetch.indices)]
            shape = None if fetch.dense_shape is None else self.add(fetch.dense_shape)
            return lambda values: IndexedSlicesValue(*[p(values) for p in parts], shape(values) if shape else None)
        components = getattr(fetch, "_fetch_components", None)
        if components is not None:
            tensors, rebuild = components()
            parts = [self.add(t) for t in tensors]
            return lambda values: rebuild(*[p(values) for p in parts])
        return self._add_leaf(fetch)

    def _add_leaf(self, fetch):
        try:
            element = self.graph.as_graph_element(fetch)
        except TypeError as error:
            raise TypeError(f"Argument `fetch` = {fetch} has invalid type \"{type(fetch).__name__}\" must be a string or "
                            f"Tensor. ({error})") from None
        except ValueError as error:
            raise ValueError(f"Argument `fetch` = {fetch} cannot be interpreted as a Tensor. ({error})") from None
        except KeyError as error:
            raise ValueError(f"Argument `fetch` = {fetch} cannot be interpreted as a Tensor. ({error})") from None
        if isinstance(element, Operation):
            self.targets.append(element)
            return lambda values: None
        index = self._index.get(id(element))
        if index is None:
            index = self._index[id(element)] = len(self.fetches)
            self.fetches.append(element)
        return lambda values: values[index]


class _Prepared:
    """Fetches and feeds that were run before: a native callable, and how to unpack what it returns."""

    __slots__ = ("callable", "copied", "names", "dtypes", "unpack", "held")

    def __init__(self, prepared, names, feed_dtypes, unpack, held):
        self.callable, self.copied = prepared
        self.names = names  # of feeds, fetches and targets
        self.dtypes, self.unpack = feed_dtypes, unpack
        self.held = held  # what the cache's key was made of: kept, so that its ids stay its own


def _key_of(fetches):
    """A hashable stand-in for nested fetches, by identity of the leaves."""
    if isinstance(fetches, (Tensor, Operation)):
        return id(fetches)
    if isinstance(fetches, (list, tuple)):
        return (type(fetches),) + tuple([_key_of(item) for item in fetches])
    if isinstance(fetches, dict):
        return (type(fetches),) + tuple([(key, _key_of(item)) for key, item in fetches.items()])
    if isinstance(fetches, (str, bytes)):
        return fetches
    return id(fetches)


class BaseSession:
    """The parts that Session and InteractiveSession share."""

    def __init__(self, target="", graph=None, config=None):
        self._graph = graph if graph is not None else get_default_graph()
        if isinstance(target, bytes):
            target = target.decode()
        if target is not None and not isinstance(target, str):
            raise TypeError(f"Argument `target` must be a string, got {target!r}")
        self._target = target or ""
        self._config = config
        self._closed = False
        self._prepared = {}
        self._lock = threading.RLock()
        options = {}
        self._timeout_ms = 0
        if config is not None:
            options = dict(log_device_placement=config.log_device_placement,
                           allow_soft_placement=config.allow_soft_placement,
                           device_filters=list(config.device_filters))
            self._timeout_ms = config.operation_timeout_in_ms
        self._graph._sync()
        self._session = self._open(options)

    def _open(self, options):
        """The native session. Waits for the cluster's tasks as long as it takes, for the target itself 30 s."""
        started, patience = time.monotonic(), 2.0  # short at first, so that Ctrl-C is noticed between the attempts
        while True:
            try:
                return native.Session(self._target, self._graph._native, open_timeout_seconds=patience, **options)
            except errors.DeadlineExceededError as error:
                waited = time.monotonic() - started
                lacks_task = "creating the session: waited" in error.message
                if 0 < self._timeout_ms <= waited * 1000 or (not lacks_task and waited >= _TARGET_PATIENCE_S):
                    raise
                patience = min(patience * 2, _TARGET_PATIENCE_S)

    @property
    def graph(self):
        return self._graph

    @property
    def graph_def(self):
        return self._graph.as_graph_def()

    @property
    def sess_str(self):
        return self._target

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """Runs one step and returns the values of `fetches`, in its structure; operations give None.

        `feed_dict` maps tensors (or names) to values that replace them in this step. `options.timeout_in_ms` limits it. With
        `options.trace_level=RunOptions.FULL_TRACE` the message `run_metadata` gets step_stats: when each operation ran, on every
        device; with `options.output_partition_graphs` the graphs that the devices ran.
        Raises a tf.errors.OpError of the failure's kind; TypeError or ValueError for what is no fetch or feed; RuntimeError
        when the session is closed.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        feeds, values = self._feeds(feed_dict) if feed_dict else ((), [])
        key = (_key_of(fetches), tuple([id(t) for t in feeds]))
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = self._prepare(key, fetches, feeds)
        timeout_ms = options.timeout_in_ms if options is not None and options.timeout_in_ms else self._timeout_ms
        if run_metadata is not None:
            run_metadata.Clear()
        if prepared.callable is None:  # nothing to run
            return prepared.unpack([], values)
        try:
            if options is not None and (options.trace_level or options.output_partition_graphs):
                results, metadata = self._session.run_traced(
                    *prepared.names, values, prepared.dtypes, prepared.copied, timeout_ms, bool(options.trace_level),
                    options.output_partition_graphs, getattr(_local, "cancellation", None))
                if run_metadata is not None:
                    run_metadata.ParseFromString(metadata)
            else:
                results = self._session.run(prepared.callable, values, prepared.dtypes, prepared.copied, timeout_ms,
                                            getattr(_local, "cancellation", None))
        except errors.OpError as error:
            raise errors.with_operation(error, self._graph) from None
        return prepared.unpack(results, values)

    def _prepare(self, key, fetches, feeds):
        with self._lock:
            plan = _Plan(self._graph)
            rebuild = plan.add(fetches)
            fed = {id(t): i for i, t in enumerate(feeds)}
            wanted = [t for t in plan.fetches if id(t) not in fed]
            targets = [op.name for op in plan.targets]
            types = [t.dtype.base_dtype for t in wanted]
            echoed = [fed.get(id(t)) for t in plan.fetches]  # what is fed and fetched comes back as it is

            def unpack(values, fed_values):
                values = [_fetched(v, t) for v, t in zip(values, types)]
                if len(values) == len(echoed):
                    return rebuild(values)
                run = iter(values)
                return rebuild([next(run) if i is None else _echo(fed_values[i], feeds[i].dtype.base_dtype) for i in echoed])

            names = [t.name for t in feeds], [t.name for t in wanted], targets
            try:
                made = self._session.prepare(*names) if wanted or targets else (None, [])
            except errors.OpError as error:
                raise errors.with_operation(error, self._graph) from None
            prepared = _Prepared(made, names, [t.dtype.base_dtype.as_datatype_enum for t in feeds], unpack, (fetches, feeds))
            self._prepared[key] = prepared
            return prepared

    def _feeds(self, feed_dict):
        if not isinstance(feed_dict, collections.abc.Mapping):
            raise TypeError(f"feed_dict must be a dictionary, not {type(feed_dict).__name__}")
        tensors, values = [], []
        for key, value in feed_dict.items():
            for tensor, item in self._expand_feed(key, value):
                tensors.append(tensor)
                values.append(_feed_value(tensor, item))
        return tensors, values

    def _expand_feed(self, key, value):
        if isinstance(key, (list, tuple)):
            return [pair for k, v in zip(key, value) for pair in self._expand_feed(k, v)]
        if isinstance(key, Variable) and not key._nodes.is_ref:
            return [(read, value) for read in key._reads()]
        components = getattr(key, "_fetch_components", None)
        if components is not None:
            parts = getattr(value, "_feed_components", lambda: tuple(value))()
            return list(zip(components()[0], parts))
        if isinstance(key, Tensor) and key.op.graph is self._graph:
            tensor = key
        else:
            try:
                tensor = self._graph.as_graph_element(key, allow_operation=False)
            except (KeyError, ValueError, TypeError) as error:
                raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error.args[0]}") from None
        if not self._graph.is_feedable(tensor):
            raise ValueError(f"Tensor {tensor.name} may not be fed.")
        return [(tensor, value)]

    def partial_run_setup(self, fetches, feeds=None):
        raise NotImplementedError("Session.partial_run_setup is not there; run the parts as steps of their own")

    def make_callable(self, fetches, feed_list=None, accept_options=False):
        """A function of the fed values that runs `fetches`."""
        feed_list = feed_list or []

        def run(*values, options=None, run_metadata=None):
            return self.run(fetches, dict(zip(feed_list, values)), options, run_metadata)

        return run

    def list_devices(self):
        return [DeviceInfo(*device) for device in self._session.list_devices()]

    def as_default(self):
        """A context in which this is the default session (it is not closed at the end)."""
        return _DefaultSession(self)

    def close(self):
        """Ends the session: steps that run are cancelled. State in a cluster's tasks stays."""
        if not self._closed:
            self._closed = True
            self._prepared.clear()
            self._session.close()

    def __del__(self):
        try:
            self.close()
        except Exception:  # the interpreter may be ending
            pass


DeviceInfo = collections.namedtuple("DeviceInfo", ["name", "device_type", "memory_limit_bytes", "incarnation"])


def _fetched(value, dtype):
    if not dtype.is_numpy_compatible:
        return value
    array = to_numpy(value, dtype)
    return array if array.ndim else array[()]


def _echo(value, dtype):
    """A fed value as a fetch of it returns it."""
    if isinstance(value, native.Tensor):
        return _fetched(value.value(), dtype)
    return to_numpy(value, dtype)


def _feed_value(tensor, value):
    dtype = tensor.dtype.base_dtype
    if isinstance(value, native.Tensor):
        return value
    if isinstance(value, Tensor):
        raise TypeError("The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, "
                        f"strings, lists, numpy ndarrays, or TensorHandles. For reference, the tensor object was {value!r} "
                        f"which was passed to the feed with key {tensor!r}.")
    if dtype is dtypes.string:
        array = np.asarray(value, dtype=object)
    else:
        wanted = np.uint16 if dtype is dtypes.bfloat16 else dtype.as_numpy_dtype
        if dtype is dtypes.bfloat16:
            array = np.asarray(value).astype(dtype.as_numpy_dtype).view(wanted)
        elif isinstance(value, np.ndarray) and value.dtype == wanted:
            array = value
        else:
            try:
                array = np.asarray(value).astype(wanted)
                if isinstance(value, int) and array.item() != value:
                    raise TypeError(f"Type of feed value {value!r} with type {type(value)} is not compatible with Tensor type "
                                    f"{dtype.name}. Try explicitly setting the type of the feed tensor to a larger type.")
            except ValueError as error:
                raise ValueError(f"setting an array element for feed {tensor.name}: {error}") from None
        if not array.flags.c_contiguous:
            array = np.ascontiguousarray(array)
    known = tensor.op._node.output_shape(tensor.value_index)
    if known is not None and (len(known) != array.ndim or any(
            d is not None and d != e for d, e in zip(known, array.shape))):
        raise ValueError(f"Cannot feed value of shape {array.shape} for Tensor {tensor.name}, which has shape "
                         f"{TensorShape(known)}")
    return native_value(array, dtype)


class _DefaultSession:

    def __init__(self, session):
        self._session = session

    def __enter__(self):
        _sessions().append(self._session)
        return self._session

    def __exit__(self, *raised):
        _sessions().remove(self._session)


class Session(BaseSession):
    """Runs a graph. `target`: "" for this process, "grpc://host:port" for the cluster that the server there belongs to."""

    def __enter__(self):
        self._graph_scope = self._graph.as_default()
        self._graph_scope.__enter__()
        _sessions().append(self)
        return self

    def __exit__(self, *raised):
        _sessions().remove(self)
        self._graph_scope.__exit__(*raised)
        self.close()

    @staticmethod
    def reset(target, containers=None, config=None):
        """Drops the state of all tasks behind `target` in the named containers, and ends their sessions."""
        native.reset(target, list(containers or []))


class InteractiveSession(BaseSession):
    """A session that is the default one from its making until close()."""

    def __init__(self, target="", graph=None, config=None):
        super().__init__(target, graph, config)
        self._graph_scope = self._graph.as_default()
        self._graph_scope.__enter__()
        _sessions().append(self)

    def close(self):
        if not self._closed:
            if self in _sessions():
                _sessions().remove(self)
                self._graph_scope.__exit__(None, None, None)
        super().close()
