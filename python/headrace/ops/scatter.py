"""Changes of single rows or elements of a variable: tf.scatter_add and its like."""

from ..framework.convert import convert_to_tensor
from ..framework.graph import IndexedSlices, Tensor
from ..framework.op_library import apply_op


def _scatter(op_type, what):
    def function(ref, indices, updates, use_locking=False, name=None):
        if isinstance(ref, Tensor):  # what an assignment of a ref variable returned
            return apply_op(op_type, ref, indices, updates, name=name)
        if hasattr(ref, "_variable_list"):
            raise ValueError(f"{ref.name} is partitioned: change the parts")
        return ref._scatter(op_type, IndexedSlices(updates, convert_to_tensor(indices)), name)

    function.__doc__ = f"The variable after its {what} at `indices` were changed with `updates`."
    return function


scatter_add = _scatter("ScatterAdd", "rows")
scatter_sub = _scatter("ScatterSub", "rows")
scatter_mul = _scatter("ScatterMul", "rows")
scatter_div = _scatter("ScatterDiv", "rows")
scatter_min = _scatter("ScatterMin", "rows")
scatter_max = _scatter("ScatterMax", "rows")
scatter_update = _scatter("ScatterUpdate", "rows")
scatter_nd_add = _scatter("ScatterNdAdd", "elements or slices")
scatter_nd_sub = _scatter("ScatterNdSub", "elements or slices")
scatter_nd_update = _scatter("ScatterNdUpdate", "elements or slices")
