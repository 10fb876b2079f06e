"""tf.linalg: products, norms, diagonals, inverses, linear systems. Singular values, eigenvalues, qr, lu, lstsq are not there."""

from .nn import l2_normalize  # noqa: F401
from .ops.clip import global_norm  # noqa: F401
from .ops.decompositions import cholesky, cholesky_solve, logdet, slogdet  # noqa: F401
from .ops.decompositions import matrix_determinant as det  # noqa: F401
from .ops.decompositions import matrix_inverse as inv  # noqa: F401
from .ops.decompositions import matrix_solve as solve  # noqa: F401
from .ops.decompositions import matrix_triangular_solve as triangular_solve  # noqa: F401
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
    if name in ("svd", "qr", "eigh", "eigvalsh", "self_adjoint_eig", "self_adjoint_eigvals", "lstsq", "pinv", "expm", "logm",
                "sqrtm", "lu"):
        raise NotImplementedError(f"linalg.{name}: of the decompositions there are the Cholesky factor and the inverse")
    raise AttributeError(f"module 'headrace.linalg' has no attribute '{name}'")
