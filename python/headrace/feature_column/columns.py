"""What all feature columns share, and the features as they come, each transformed once."""

from ..framework import dtypes
from ..framework.convert import convert_to_tensor
from ..framework.graph import GraphKeys
from ..framework.session import SparseTensorValue
from ..ops import array, math
from ..sparse import SparseTensor, sparse_reshape


class Column:
    """Base of all columns: something that is computed from features, with a name."""

    @property
    def name(self):
        raise NotImplementedError

    @property
    def _var_scope_name(self):
        return self.name

    @property
    def parse_example_spec(self):
        """{feature: how to parse it}."""
        raise NotImplementedError

    def transform(self, inputs):
        """The column's tensor or sparse tensor before variables come in."""
        raise NotImplementedError


class DenseColumn(Column):
    """A column with numbers for each example."""

    @property
    def variable_shape(self):
        """The shape of one example's numbers."""
        raise NotImplementedError

    def dense(self, inputs, weight_collections, trainable):
        """[batch] + variable_shape."""
        raise NotImplementedError


class CategoricalColumn(Column):
    """A column with any number of ids for each example."""

    @property
    def num_buckets(self):
        """Ids are below this."""
        raise NotImplementedError

    def ids_and_weights(self, inputs):
        """(a SparseTensor of ids, one of their weights or None)."""
        return inputs.get(self), None


class Inputs:
    """The features of one call, and what columns made of them: each is transformed once."""

    def __init__(self, features):
        self._features = dict(features)
        self._made = {}

    def get(self, key):
        """A feature by its key (with at least two axes), or what a column makes of it."""
        if key not in self._made:
            self._made[key] = self._raw(key) if isinstance(key, str) else key.transform(self)
        return self._made[key]

    def _raw(self, key):
        if key not in self._features:
            raise ValueError(f"Feature {key} is not in features dictionary.")
        value = self._features[key]
        if isinstance(value, SparseTensorValue):
            value = SparseTensor.from_value(value)
        if isinstance(value, SparseTensor):
            rank = value.dense_shape.shape._dims[0]
            if rank == 1:
                return sparse_reshape(value, array.concat([value.dense_shape, [1]], 0))
            return value
        value = convert_to_tensor(value)
        rank = value.shape.rank
        if rank == 0:
            raise ValueError(f"Feature (key: {key}) cannot have rank 0. Given: {value}")
        if rank is None:
            raise ValueError(f"Feature (key: {key}) must have a known rank. Given: {value}")
        return array.expand_dims(value, -1) if rank == 1 else value


def to_sparse(value, ignored=None):
    """A dense tensor as a sparse one without the elements that are `ignored` ("" or -1 unless told)."""
    if isinstance(value, SparseTensor):
        return value
    if ignored is None:
        ignored = "" if value.dtype.base_dtype is dtypes.string else -1
    indices = array.where(math.not_equal(value, convert_to_tensor(ignored, value.dtype.base_dtype)))
    return SparseTensor(indices, array.gather_nd(value, indices), array.shape(value, out_type=dtypes.int64))


def checked(columns):
    """The columns as a list. Raises ValueError for something else, none, or two of one name."""
    if isinstance(columns, Column):
        columns = [columns]
    if isinstance(columns, dict):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    columns = list(columns)
    for column in columns:
        if not isinstance(column, Column):
            raise ValueError(f"Items of feature_columns must be a FeatureColumn. Given (type {type(column)}): {column}.")
    if not columns:
        raise ValueError("feature_columns must not be empty.")
    seen = {}
    for column in columns:
        if column.name in seen:
            raise ValueError(f"Duplicate feature column name found for columns: {column} and {seen[column.name]}. This "
                             "usually means that these columns refer to same base feature. Either one must be discarded or a "
                             "duplicated but renamed item must be inserted in features dict.")
        seen[column.name] = column
    return columns


def collections_for(weight_collections):
    """The collections of a column's variables."""
    return list(dict.fromkeys([*(weight_collections or []), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]))


def make_parse_example_spec(feature_columns):
    """The `features` of tf.parse_example that these columns need."""
    spec = {}
    for column in feature_columns:
        if not isinstance(column, Column):
            raise ValueError(f"All feature_columns must be FeatureColumn instances. Given: {column}")
        for key, feature in column.parse_example_spec.items():
            if spec.setdefault(key, feature) != feature:
                raise ValueError(f"feature_columns contain different parse_spec for key {key}. Given {feature} and {spec[key]}")
    return spec
