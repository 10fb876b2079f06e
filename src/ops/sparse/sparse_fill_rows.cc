// SparseFillEmptyRows: the entries by row, with one entry [row, 0, ...] = default_value in each row that has none; says which
// rows those are and where each entry went. SparseFillEmptyRowsGrad: the gradients of the values, and of the default.
#include <algorithm>

#include "kernel/elements.h"
#include "ops/formula.h"
#include "ops/math/elementwise.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

Status FillShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape indices, c.InputOfRank(0, 2));
  HR_ASSIGN_OR_RETURN(const PartialShape values, c.InputOfRank(1, 1));
  HR_RETURN_IF_ERROR(c.RequireScalar(3));
  HR_ASSIGN_OR_RETURN(const int64_t rank, SparseRank(c, 0, 2));
  HR_RETURN_IF_ERROR(SetSparseShapes(c, 0, PartialShape::kUnknownDim, rank));
  HR_ASSIGN_OR_RETURN(const PartialShape dense, c.ShapeFromInput(2));
  HR_RETURN_IF_ERROR(c.SetOutput(2, PartialShape({dense.rank() > 0 ? dense.dim(0) : PartialShape::kUnknownDim})));
  return c.SetOutput(3, PartialShape({std::max(indices.dim(0), values.dim(0))}));
}

Status FillGradient(GradientContext& c) {
  const Endpoint map = c.output(3), dy = c.output_gradient(1);
  const Endpoint values = c.Op("SparseFillEmptyRowsGrad", {map, dy});
  HR_RETURN_IF_ERROR(c.SetInputGradient(1, values));
  if (!values) return c.builder().status();
  return c.SetInputGradient(3, Endpoint{values.node, 1});
}

/// Where the entries of each row begin in the output.
struct RowPlan {
  std::vector<int64_t> begins;  // of each row, and the end of the last
  std::vector<bool> empty;

  static Result<RowPlan> Make(const SparseView& sparse) {
    const int64_t rows = sparse.shape[0];
    RowPlan plan;
    plan.begins.assign(static_cast<size_t>(rows) + 1, 0);
    for (int64_t i = 0; i < sparse.size(); ++i) {
      const int64_t row = sparse.row(i)[0];
      if (row < 0 || row >= rows)
        return InvalidArgument("indices(", i, ", 0) is invalid: ", row, row < 0 ? " < 0" : StrCat(" >= ", rows));
      ++plan.begins[static_cast<size_t>(row) + 1];
    }
    for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
      plan.empty.push_back(plan.begins[row + 1] == 0);
      plan.begins[row + 1] = plan.begins[row] + std::max<int64_t>(plan.begins[row + 1], 1);
    }
    return plan;
  }
};

Status CheckFill(const KernelContext& c, const SparseView& sparse) {
  if (sparse.rank() < 1) return InvalidArgument("Dense shape cannot be empty.");
  if (c.input(3).rank() != 0) return InvalidArgument("default_value must be a scalar, saw: ", c.input(3).shape());
  if (sparse.shape[0] == 0 && sparse.size() > 0) {
    return InvalidArgument("Received SparseTensor with dense_shape[0] = 0 but indices.shape[0] = ", sparse.size());
  }
  // A row costs an entry, whatever the shape claims.
  constexpr int64_t kMaxRows = int64_t{1} << 40;
  if (sparse.shape[0] > kMaxRows)
    return InvalidArgument("SparseFillEmptyRows: dense_shape[0] = ", sparse.shape[0], " is too large");
  return OkStatus();
}

Status FillEmptyRows(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const SparseView sparse, ReadSparse(c, 0));
  HR_RETURN_IF_ERROR(CheckFill(c, sparse));
  const int64_t rows = sparse.shape[0], rank = sparse.rank();
  HR_ASSIGN_OR_RETURN(Tensor* const indicator, c.AllocateOutput(2, Shape({rows})));
  HR_ASSIGN_OR_RETURN(RowPlan plan, RowPlan::Make(sparse));
  const int64_t total = plan.begins.back();
  HR_ASSIGN_OR_RETURN(Tensor* const indices, c.AllocateOutput(0, Shape({total, rank})));
  HR_ASSIGN_OR_RETURN(Tensor* const values, c.AllocateOutput(1, Shape({total})));
  HR_ASSIGN_OR_RETURN(Tensor* const map, c.AllocateOutput(3, Shape({sparse.size()})));
  const Elements elements(sparse.values->dtype());
  const std::span<int64_t> out = indices->mutable_data<int64_t>();
  for (int64_t row = 0; row < rows; ++row) {
    const bool empty = plan.empty[static_cast<size_t>(row)];
    indicator->mutable_data<bool>()[static_cast<size_t>(row)] = empty;
    if (!empty) continue;
    const int64_t at = plan.begins[static_cast<size_t>(row)];
    std::ranges::fill(out.subspan(static_cast<size_t>(at * rank), static_cast<size_t>(rank)), 0);
    out[static_cast<size_t>(at * rank)] = row;
    elements.Copy(c.input(3).raw(), elements.At(values->mutable_raw(), at), 1);
  }
  for (int64_t i = 0; i < sparse.size(); ++i) {
    const int64_t at = plan.begins[static_cast<size_t>(sparse.row(i)[0])]++;
    std::ranges::copy(sparse.row(i), out.begin() + at * rank);
    elements.Copy(elements.At(sparse.values->raw(), i), elements.At(values->mutable_raw(), at), 1);
    map->mutable_data<int64_t>()[static_cast<size_t>(i)] = at;
  }
  return OkStatus();
}

Status FillGradShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape map, c.InputOfRank(0, 1));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  HR_RETURN_IF_ERROR(c.SetOutput(0, map));
  return c.SetOutput(1, PartialShape::Scalar());
}

template <typename T> Status FillEmptyRowsGrad(KernelContext& c) {
  using C = ComputeType<T>;
  const Tensor &map = c.input(0), &gradient = c.input(1);
  if (map.rank() != 1) return InvalidArgument("reverse_index_map must be a vector, saw: ", map.shape());
  if (gradient.rank() != 1) return InvalidArgument("grad_values must be a vector, saw: ", gradient.shape());
  const std::span<const T> from = gradient.data<T>();
  HR_ASSIGN_OR_RETURN(Tensor* const values, c.AllocateOutput(0, map.shape()));
  HR_ASSIGN_OR_RETURN(Tensor* const fallback, c.AllocateOutput(1, Shape()));
  std::vector<bool> visited(from.size());
  for (size_t i = 0; i < static_cast<size_t>(map.dim(0)); ++i) {
    const int64_t at = map.data<int64_t>()[i];
    if (at < 0 || at >= gradient.dim(0))
      return InvalidArgument("Elements in reverse index must be in [0, ", gradient.dim(0), ") but got ", at);
    values->mutable_data<T>()[i] = from[static_cast<size_t>(at)];
    visited[static_cast<size_t>(at)] = true;
  }
  C sum{};
  for (size_t i = 0; i < from.size(); ++i) {
    if (!visited[i]) sum = AddFunctor()(sum, static_cast<C>(from[i]));
  }
  fallback->mutable_data<T>()[0] = static_cast<T>(sum);
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> SparseFillRowsOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("SparseFillEmptyRows(indices: i64, values: T, dense_shape: i64, default_value: T) -> "
                             "(output_indices: i64, output_values: T, empty_row_indicator: bool, reverse_index_map: "
                             "i64) | T: type")
                    .Shape(FillShape)
                    .Gradient(FillGradient)
                    .Kernels(AnyType(FunctionKernel(FillEmptyRows))));
  ops.push_back(OpDefinition("SparseFillEmptyRowsGrad(reverse_index_map: i64, grad_values: T) -> (d_values: T, "
                             "d_default_value: T) | T: type")
                    .Shape(FillGradShape)
                    .NoGradient("TensorFlow has none")
                    .Kernels(KernelsFor<float, double, Half, BFloat16, int32_t, int64_t>(
                        "T", []<typename T>() { return FunctionKernel(FillEmptyRowsGrad<T>); })));
  return ops;
}

}  // namespace headrace
