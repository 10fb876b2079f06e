"""tf.linalg: products, norms, diagonals. Decompositions (cholesky, svd, inv, ...) are not there."""

from .nn import l2_normalize  # noqa: F401
from .ops.clip import global_norm  # noqa: F401
from .ops.einsum import einsum  # noqa: F401
from .ops.math import matmul, tensordot  # noqa: F401
from .ops.matrix import cross, eye, matvec, norm, trace  # noqa: F401
from .ops.matrix import diag as tensor_diag  # noqa: F401
from .ops.matrix import diag_part as tensor_diag_part  # noqa: F401
from .ops.matrix import matrix_band_part as band_part  # noqa: F401
from .ops.matrix import matrix_diag as diag  # noqa: F401
from .ops.matrix import matrix_diag_part as diag_part  # noqa: F401
from .ops.matrix import matrix_set_diag as set_diag  # noqa: F401
from .ops.matrix import matrix_transpose, matrix_transpose as transpose  # noqa: F401


def __getattr__(name):
    if name in ("cholesky", "inv", "det", "svd", "qr", "solve", "eigh", "self_adjoint_eig", "lstsq", "logdet", "slogdet",
                "triangular_solve", "cholesky_solve", "expm", "logm", "lu"):
        raise NotImplementedError(f"linalg.{name}: there are no matrix decompositions")
    raise AttributeError(f"module 'headrace.linalg' has no attribute '{name}'")
