"""What feature columns are for: the input of a network, and a linear model."""

from ..framework.graph import GraphKeys
from ..framework.variable_scope import get_variable, variable_scope
from ..nn import bias_add
from ..ops import array, initializers, math
from ..ops.safe_embedding import safe_embedding_lookup_sparse
from ..sparse import sparse_reshape
from .columns import CategoricalColumn, DenseColumn, Inputs, checked, collections_for


def _flat(tensor, column):
    size = 1
    for extent in column.variable_shape:
        size *= extent
    return array.reshape(tensor, array.stack([array.shape(tensor)[0], size])), size


def _check_batch_sizes(tensors, columns):
    known = [(t.shape._dims[0], c) for t, c in zip(tensors, columns) if t.shape.rank and t.shape._dims[0] is not None]
    for size, column in known[1:]:
        if size != known[0][0]:
            raise ValueError(f"Batch size (first dimension) of each feature must be same. Batch size of columns "
                             f"({known[0][1].name}, {column.name}): ({known[0][0]}, {size})")


def input_layer(features, feature_columns, weight_collections=None, trainable=True, cols_to_vars=None,
                cols_to_output_tensors=None):
    """The dense columns' numbers side by side, in the order of their names: [batch, all widths].

    `cols_to_vars`, a dict, gets each column's variables; `cols_to_output_tensors` its part of the result.
    """
    columns = checked(feature_columns)
    for column in columns:
        if not isinstance(column, DenseColumn):
            raise ValueError("Items of feature_columns must be a _DenseColumn. You can wrap a categorical column with an "
                             f"embedding_column or indicator_column. Given: {column}")
    collections = collections_for(weight_collections)
    outputs, columns = [], sorted(columns, key=lambda column: column.name)
    with variable_scope(None, default_name="input_layer"):
        inputs = Inputs(features)
        for column in columns:
            with variable_scope(None, default_name=column._var_scope_name) as scope:
                output, _ = _flat(column.dense(inputs, collections, trainable), column)
                outputs.append(output)
                if cols_to_vars is not None:
                    cols_to_vars[column] = scope.get_collection(GraphKeys.GLOBAL_VARIABLES)
                if cols_to_output_tensors is not None:
                    cols_to_output_tensors[column] = output
        _check_batch_sizes(outputs, columns)
        return array.concat(outputs, 1)


def _weights(rows, units, collections, trainable, name="weights"):
    return get_variable(name, [rows, units] if name == "weights" else [units], initializer=initializers.zeros_initializer(),
                        trainable=trainable, collections=collections)


def _row_matrix(sparse):
    """The sparse tensor with its axes behind the first made one."""
    if sparse.dense_shape.shape._dims[0] == 2:
        return sparse
    return sparse_reshape(sparse, array.stack([sparse.dense_shape[0], -1]))


def _weighted_sum(column, inputs, units, combiner, collections, trainable):
    if isinstance(column, CategoricalColumn):
        ids, weights = column.ids_and_weights(inputs)
        ids, weights = _row_matrix(ids), None if weights is None else _row_matrix(weights)
        table = _weights(column.num_buckets, units, collections, trainable)
        return safe_embedding_lookup_sparse(table, ids, weights, combiner, name="weighted_sum"), table
    tensor, size = _flat(column.dense(inputs, collections, trainable), column)
    table = _weights(size, units, collections, trainable)
    return math.matmul(tensor, table, name="weighted_sum"), table


def linear_model(features, feature_columns, units=1, sparse_combiner="sum", weight_collections=None, trainable=True,
                 cols_to_vars=None):
    """The weighted sum of all columns and a bias: [batch, units]. The weights are zero at first.

    `cols_to_vars`, a dict, gets each column's variables, and the bias under "bias".
    """
    columns = checked(feature_columns)
    for column in columns:
        if not isinstance(column, (DenseColumn, CategoricalColumn)):
            raise ValueError(f"Items of feature_columns must be either a _DenseColumn or _CategoricalColumn. Given: {column}")
    collections = collections_for(weight_collections)
    sums, columns = [], sorted(columns, key=lambda column: column.name)
    found = {}
    with variable_scope(None, default_name="linear_model"):
        inputs = Inputs(features)
        for column in columns:
            with variable_scope(None, default_name=column._var_scope_name):
                total, table = _weighted_sum(column, inputs, units, sparse_combiner, collections, trainable)
                sums.append(total)
                found[column] = list(getattr(table, "_variable_list", [table]))
        _check_batch_sizes(sums, columns)
        bias = _weights(None, units, collections, trainable, "bias_weights")
        found["bias"] = list(getattr(bias, "_variable_list", [bias]))
        if cols_to_vars is not None:
            cols_to_vars.update(found)
        return bias_add(math.add_n(sums, name="weighted_sum_no_bias"), bias, name="weighted_sum")
