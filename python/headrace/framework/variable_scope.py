"""Variable scopes: variables that are found again by their names."""

import contextlib
import enum
import functools

import numpy as np

from . import dtypes
from .convert import dtype_of, make_array
from .graph import GraphKeys, get_default_graph
from .shape import as_shape
from .variables import Variable


class _ReuseMode(enum.Enum):
    AUTO_REUSE = 1


AUTO_REUSE = _ReuseMode.AUTO_REUSE


class VariableScope:
    """The settings that get_variable uses, as they stand in one `with variable_scope`."""

    _FIELDS = ("initializer", "regularizer", "caching_device", "partitioner", "custom_getter", "dtype", "use_resource",
               "constraint")

    def __init__(self, reuse, name="", initializer=None, regularizer=None, caching_device=None, partitioner=None,
                 custom_getter=None, name_scope="", dtype=dtypes.float32, use_resource=None, constraint=None):
        self._reuse = reuse
        self._name = name
        self._name_scope = name_scope
        self.initializer, self.regularizer, self.caching_device = initializer, regularizer, caching_device
        self.partitioner, self.custom_getter, self.dtype = partitioner, custom_getter, dtype
        self.use_resource, self.constraint = use_resource, constraint

    @property
    def name(self):
        return self._name

    @property
    def original_name_scope(self):
        return self._name_scope

    @property
    def reuse(self):
        return self._reuse

    def reuse_variables(self):
        """From here on get_variable finds variables and makes none."""
        self._reuse = True

    def set_initializer(self, initializer):
        self.initializer = initializer

    def set_regularizer(self, regularizer):
        self.regularizer = regularizer

    def set_partitioner(self, partitioner):
        self.partitioner = partitioner

    def set_custom_getter(self, custom_getter):
        self.custom_getter = custom_getter

    def set_dtype(self, dtype):
        self.dtype = dtype

    def set_use_resource(self, use_resource):
        self.use_resource = use_resource

    def set_caching_device(self, caching_device):
        self.caching_device = caching_device

    def get_collection(self, name):
        return get_default_graph().get_collection(name, self._name + "/" if self._name else None)

    def trainable_variables(self):
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self):
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self):
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(self, name, **kwargs):
        """The variable of that name in this scope: see tf.get_variable."""
        return _get_in_scope(self, name, **kwargs)

    def _copy(self, **changes):
        fields = {key: getattr(self, key) for key in self._FIELDS}
        fields.update(reuse=self._reuse, name=self._name, name_scope=self._name_scope)
        fields.update(changes)
        return VariableScope(**fields)


class _Store:
    """The variables of a graph by name, and the scope that is open."""

    def __init__(self):
        self.variables = {}
        self.partitioned = {}
        self.scope = VariableScope(False)
        self.counts = {}


def _store():
    graph = get_default_graph()
    while hasattr(graph, "outer_graph"):
        graph = graph.outer_graph
    if graph._variable_store is None:
        graph._variable_store = _Store()
    return graph._variable_store


def get_variable_scope():
    """The variable scope that is open."""
    return _store().scope


def slot_scope():
    """In front of the names of optimizers' slots and of averages: like all variables they are named below the open scope."""
    scope = get_variable_scope().name
    return f"{scope}/" if scope else ""


def _default_initializer(name, shape, dtype):
    from ..ops.initializers import glorot_uniform_initializer, zeros_initializer
    if dtype.is_floating:
        return glorot_uniform_initializer()
    if dtype.is_integer or dtype.is_bool or dtype is dtypes.string:
        return zeros_initializer()
    raise ValueError(f"An initializer for variable {name} of {dtype} is required")


def get_variable(name, shape=None, dtype=None, initializer=None, regularizer=None, trainable=None, collections=None,
                 caching_device=None, partitioner=None, validate_shape=True, use_resource=None, custom_getter=None,
                 constraint=None, synchronization=None, aggregation=None):
    """The variable of that name in the open scope: made, or found again, as the scope's `reuse` says.

    Raises ValueError when it exists and is not to be reused, when it does not and is, or when shapes differ.
    """
    return _get_in_scope(get_variable_scope(), name, shape=shape, dtype=dtype, initializer=initializer,
                         regularizer=regularizer, trainable=trainable, collections=collections,
                         caching_device=caching_device, partitioner=partitioner, validate_shape=validate_shape,
                         use_resource=use_resource, custom_getter=custom_getter, constraint=constraint,
                         synchronization=synchronization, aggregation=aggregation)


def _get_in_scope(scope, name, **options):
    full_name = f"{scope.name}/{name}" if scope.name else name
    getter = options.pop("custom_getter", None) or scope.custom_getter
    for key in ("regularizer", "partitioner", "initializer", "use_resource", "constraint", "caching_device"):
        if options.get(key) is None:
            options[key] = getattr(scope, key)
    options["dtype"] = _dtype_of_new(options.get("dtype"), options.get("initializer")) or scope.dtype
    options["reuse"] = scope.reuse
    if getter is None:
        return _get_or_make(full_name, **options)
    with get_default_graph().name_scope(None):  # what a getter adds is not named below the scopes of the moment
        return getter(_get_or_make, full_name, **options)


def _dtype_of_new(dtype, initializer):
    """The dtype asked for, or that of a value to begin with; else None. Raises ValueError where they differ."""
    if initializer is None or callable(initializer):
        return dtype
    known = dtype_of(initializer) or make_array(initializer)[1]
    if dtype is not None and hasattr(initializer, "dtype") and dtypes.as_dtype(dtype).base_dtype is not known:
        raise ValueError(f"Initializer type '{known!r}' and explicit dtype '{dtypes.as_dtype(dtype)!r}' don't match.")
    return dtype or known


def _get_or_make(name, shape=None, dtype=dtypes.float32, initializer=None, regularizer=None, reuse=None, trainable=None,
                 collections=None, caching_device=None, partitioner=None, validate_shape=True, use_resource=None,
                 constraint=None, synchronization=None, aggregation=None, slice_info=None):
    store = _store()
    if partitioner is not None and not _is_scalar(shape, initializer):
        if not callable(partitioner):
            raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
        from .partitioned import get_partitioned
        return get_partitioned(_get_or_make, store, name, partitioner, shape=shape, dtype=dtype, initializer=initializer,
                               regularizer=regularizer, reuse=reuse, trainable=trainable, collections=collections,
                               validate_shape=validate_shape, use_resource=use_resource, constraint=constraint)
    if slice_info is None and name in store.partitioned:
        raise ValueError(f"A partitioner was not provided for the partitioned variable {name}: give its scope one.")
    dtype = dtypes.as_dtype(dtype).base_dtype
    known = store.variables.get(name)
    if known is not None:
        return _reused(name, known, reuse, shape, dtype)
    if reuse is True:
        raise ValueError(f"Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set "
                         "reuse=tf.AUTO_REUSE in VarScope?")
    variable = _make(name, shape, dtype, initializer, trainable, collections, validate_shape, use_resource, constraint,
                     slice_info)
    store.variables[name] = variable
    if regularizer is not None:
        _add_regularization(name, variable, regularizer)
    return variable


def _is_scalar(shape, initializer):
    if shape is None and initializer is not None and not callable(initializer):
        shape = initializer.shape if hasattr(initializer, "shape") else np.shape(initializer)
    return shape is not None and as_shape(shape).rank == 0


def _reused(name, variable, reuse, shape, dtype):
    if reuse is False or reuse is None:
        where = variable.op.traceback_line()
        raise ValueError(f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE "
                         "in VarScope?" + (f" Originally defined at: {where}" if where else ""))
    if shape is not None and not as_shape(shape).is_compatible_with(variable.shape):
        raise ValueError(f"Trying to share variable {name}, but specified shape {as_shape(shape)} and found shape "
                         f"{variable.shape}.")
    if not dtype.is_compatible_with(variable.dtype):
        raise ValueError(f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype "
                         f"{variable.dtype.name}.")
    return variable


def _make(name, shape, dtype, initializer, trainable, collections, validate_shape, use_resource, constraint, slice_info):
    if initializer is None:
        if shape is None:
            raise ValueError(f"Shape of a new variable ({name}) must be fully defined, but instead was <unknown>.")
        initializer = _default_initializer(name, shape, dtype)
    initial_value, variable_shape = initializer, None
    if callable(initializer):
        if isinstance(initializer, type):
            initializer = initializer()
        variable_shape = as_shape(shape)
        if not variable_shape.is_fully_defined():
            if shape is not None:
                raise ValueError(f"Shape of a new variable ({name}) must be fully defined, but instead was {variable_shape}.")
            initial_value, variable_shape = initializer, None
        else:
            initial_value = _initial_value(initializer, variable_shape.as_list(), dtype)
    elif shape is not None:
        raise ValueError("If initializer is a constant, do not specify shape.")
    graph = get_default_graph()
    while hasattr(graph, "outer_graph"):
        graph = graph.outer_graph
    with graph.as_default(), graph.name_scope(None):
        return Variable(initial_value, trainable=trainable, collections=collections, name=name, dtype=dtype,
                        validate_shape=validate_shape, use_resource=use_resource, constraint=constraint, shape=variable_shape,
                        _slice=slice_info)


def _initial_value(initializer, shape, dtype):
    def make():
        try:
            return initializer(shape, dtype=dtype)
        except TypeError as error:
            if "dtype" not in str(error):
                raise
            return initializer(shape)

    return make


def _add_regularization(name, variable, regularizer):
    graph = get_default_graph()
    with graph.colocate_with(variable.op), graph.name_scope(name + "/Regularizer/"):
        loss = regularizer(variable)
    if loss is not None:
        graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)


def get_local_variable(name, *args, **kwargs):
    """get_variable in the collection LOCAL_VARIABLES, not trainable."""
    kwargs["trainable"] = False
    kwargs["collections"] = list(kwargs.get("collections") or []) + [GraphKeys.LOCAL_VARIABLES]
    return get_variable(name, *args, **kwargs)


class variable_scope:
    """`with tf.variable_scope(name):` get_variable's names begin with the scope's, as do operations' names.

    `reuse`: True finds variables only, AUTO_REUSE finds or makes them, None inherits. `default_name` is made unique.
    """

    def __init__(self, name_or_scope, default_name=None, values=None, initializer=None, regularizer=None,
                 caching_device=None, partitioner=None, custom_getter=None, reuse=None, dtype=None, use_resource=None,
                 constraint=None, auxiliary_name_scope=True):
        if name_or_scope is None and default_name is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if name_or_scope is not None and not isinstance(name_or_scope, (str, VariableScope)):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        self._name_or_scope, self._default_name = name_or_scope, default_name
        self._reuse = reuse
        self._settings = dict(initializer=initializer, regularizer=regularizer, caching_device=caching_device,
                              partitioner=partitioner, custom_getter=custom_getter, dtype=dtype, use_resource=use_resource,
                              constraint=constraint)
        self._auxiliary_name_scope = auxiliary_name_scope

    def __enter__(self):
        store = _store()
        self._stack = contextlib.ExitStack()
        outer = store.scope
        try:
            scope = self._open(store, outer)
        except BaseException:
            self._stack.close()
            raise
        self._outer, store.scope = outer, scope
        self._stored = store
        return scope

    def _open(self, store, outer):
        given = self._name_or_scope
        if isinstance(given, VariableScope):
            name, base, op_name = given.name, given, given.name.rsplit("/", 1)[-1]
            reuse = given.reuse if self._reuse is None else self._reuse
            if outer.reuse and not given.reuse and self._reuse is None:
                reuse = outer.reuse if given.reuse is None else given.reuse
        else:
            if given is None:
                given = self._unique_default(store, outer)
            name = f"{outer.name}/{given}" if outer.name else given
            base, op_name = outer, given
            reuse = outer.reuse if not self._reuse else self._reuse
        scope_name = outer.original_name_scope
        if self._auxiliary_name_scope and op_name:
            scope_name = self._stack.enter_context(get_default_graph().name_scope(op_name))
        if isinstance(given, VariableScope):
            scope_name = given.original_name_scope
        counts = store.counts
        before = {key: count for key, count in counts.items() if key.startswith(name + "/")}

        def restore():
            for key in [k for k in counts if k.startswith(name + "/")]:
                del counts[key]
            counts.update(before)

        if isinstance(self._name_or_scope, VariableScope):
            self._stack.callback(restore)
        else:
            counts[name] = counts.get(name, 0) + 1
            for key in [k for k in counts if k.startswith(name + "/")]:
                del counts[key]
        changes = {key: value for key, value in self._settings.items() if value is not None}
        if "custom_getter" in changes and base.custom_getter is not None:
            changes["custom_getter"] = functools.partial(_nested_getter, changes["custom_getter"], base.custom_getter)
        return base._copy(reuse=reuse, name=name, name_scope=scope_name, **changes)

    def _unique_default(self, store, outer):
        def full(name):
            return f"{outer.name}/{name}" if outer.name else name

        name, count = self._default_name, 0
        while store.counts.get(full(name), 0):
            count += 1
            name = f"{self._default_name}_{count}"
        return name

    def __exit__(self, *raised):
        self._stored.scope = self._outer
        self._stack.__exit__(*raised)


def _nested_getter(inner, outer, getter, *args, **kwargs):
    return inner(functools.partial(outer, getter), *args, **kwargs)


@contextlib.contextmanager
def variable_op_scope(values, name_or_scope, default_name=None, **kwargs):
    with variable_scope(name_or_scope, default_name=default_name, **kwargs) as scope:
        yield scope


def no_regularizer(_):
    """For a scope in which nothing is regularized."""
    return None
