"""tf.random: random tensors under their newer home."""

from .framework.default_graph import get_seed, set_random_seed  # noqa: F401
from .ops.random import (categorical, multinomial, random_crop, random_normal as normal,  # noqa: F401
                         random_shuffle as shuffle, random_uniform as uniform, truncated_normal)
