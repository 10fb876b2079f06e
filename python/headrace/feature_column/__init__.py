"""tf.feature_column: from parsed features to a model's input, under TensorFlow 1's variable names."""

from .categorical import (bucketized_column, categorical_column_with_hash_bucket, categorical_column_with_identity,
                          categorical_column_with_vocabulary_file, categorical_column_with_vocabulary_list, crossed_column,
                          numeric_column, weighted_categorical_column)
from .columns import make_parse_example_spec
from .dense import embedding_column, indicator_column, shared_embedding_columns
from .layers import input_layer, linear_model

_ABSENT = ("sequence_categorical_column_with_hash_bucket", "sequence_categorical_column_with_identity",
           "sequence_categorical_column_with_vocabulary_file", "sequence_categorical_column_with_vocabulary_list",
           "sequence_numeric_column")


def __getattr__(name):
    if name in _ABSENT:
        raise AttributeError(f"headrace.feature_column.{name} is not there: parse the sequence with FixedLenSequenceFeature "
                             "and use tf.nn.embedding_lookup")
    raise AttributeError(f"module 'headrace.feature_column' has no attribute '{name}'")
