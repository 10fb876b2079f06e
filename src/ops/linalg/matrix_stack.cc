#include "ops/linalg/matrix_stack.h"

#include <atomic>

namespace headrace {

namespace {

// The stack's own dimensions of input 0, and the extent of its matrices; no rank: nothing is known.
Result<PartialShape> SquareInput(ShapeContext& c, int64_t* n) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 2));
  const PartialShape& shape = c.input(0);
  if (!shape.has_rank()) return PartialShape();
  HR_ASSIGN_OR_RETURN(*n, MergeDims(shape.dim(shape.rank() - 2), shape.dim(shape.rank() - 1)));
  return StackOf(shape);
}

}  // namespace

PartialShape StackOf(const PartialShape& shape) {
  return PartialShape(std::vector<int64_t>(shape.dims().begin(), shape.dims().end() - 2));
}

Result<int64_t> MergeDims(int64_t a, int64_t b) {
  if (a >= 0 && b >= 0 && a != b) return InvalidArgument("Dimensions must be equal, but are ", a, " and ", b);
  return std::max(a, b);
}

Status SquareShape(ShapeContext& c) {
  int64_t n = PartialShape::kUnknownDim;
  HR_ASSIGN_OR_RETURN(PartialShape shape, SquareInput(c, &n));
  if (shape.has_rank()) {
    shape.AppendDim(n);
    shape.AppendDim(n);
  }
  return c.SetOutput(0, std::move(shape));
}

Status OfEachMatrixShape(ShapeContext& c) {
  int64_t n = PartialShape::kUnknownDim;
  HR_ASSIGN_OR_RETURN(const PartialShape shape, SquareInput(c, &n));
  for (int i = 0; i < c.node().num_outputs(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, shape));
  return OkStatus();
}

Result<SquareStack> SquareStack::Of(const Shape& shape) {
  const int rank = shape.rank();
  if (rank < 2) return InvalidArgument("Input tensor 0 must have rank >= 2, got ", rank);
  if (shape.dim(rank - 1) != shape.dim(rank - 2)) return InvalidArgument("Input matrix must be square.");
  SquareStack made;
  made.n = shape.dim(rank - 1);
  HR_ASSIGN_OR_RETURN(made.stack, StackOf(shape).ToShape());
  made.count = made.stack.num_elements();
  return made;
}

bool ForMatrices(const KernelContext& c, int64_t count, double cost_ns, const std::function<bool(int64_t)>& body) {
  std::atomic<bool> all = true;
  c.ParallelFor(count, cost_ns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end && all.load(std::memory_order_relaxed); ++i) {
      if (!body(i)) all.store(false, std::memory_order_relaxed);
    }
  });
  return all;
}

Formula Product(const Formula& a, bool adjoint_a, const Formula& b, bool adjoint_b) {
  return a.Apply("BatchMatMulV2", {b}, {{"adj_x", adjoint_a}, {"adj_y", adjoint_b}});
}

Formula Band(const Formula& a, int64_t lower, int64_t upper) {
  const GraphBuilder& builder = a.builder();
  return a.Apply("MatrixBandPart",
                 {builder.Const(Tensor::Scalar<int64_t>(lower)), builder.Const(Tensor::Scalar<int64_t>(upper))});
}

}  // namespace headrace
