"""tf.contrib.staging."""

from ..ops.staging import StagingArea  # noqa: F401
