"""tf.layers: functions that make a layer's variables and apply it, and the layers as classes."""

from .base import InputSpec, Layer  # noqa: F401
from .convolution import (Conv1D, Conv2D, Conv2DTranspose, SeparableConv2D, conv1d, conv2d, conv2d_transpose,  # noqa: F401
                          separable_conv2d)
from .core import Dense, Dropout, Flatten, dense, dropout, flatten  # noqa: F401
from .normalization import BatchNormalization, batch_normalization  # noqa: F401
from .pooling import (AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D, average_pooling1d,  # noqa: F401
                      average_pooling2d, max_pooling1d, max_pooling2d)

