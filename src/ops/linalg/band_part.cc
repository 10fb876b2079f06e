// MatrixBandPart: the matrices with zeros below num_lower subdiagonals and above num_upper superdiagonals; a negative number keeps all.
// Errors: kInvalidArgument for a rank below 2, and more diagonals than there are. Source: TensorFlow's op of the same name.
#include "kernel/elements.h"
#include "ops/integers.h"
#include "ops/linalg/linalg_ops.h"
#include "ops/linalg/matrix_stack.h"

namespace headrace {
namespace {

Status BandPartShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 2));
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  HR_RETURN_IF_ERROR(c.RequireScalar(2));
  return c.SetOutput(0, c.input(0));
}

// The number in input i; that of all diagonals where it is negative.
Result<int64_t> ReadWidth(const KernelContext& c, int i, int64_t limit) {
  const bool lower = i == 1;
  const std::string_view name = lower ? "num_lower" : "num_upper", what = lower ? "rows" : "columns";
  if (!c.input(i).shape().IsScalar()) return InvalidArgument(name, " must be scalar, got shape ", c.input(i).shape());
  const int64_t width = IntegerAt(c.input(i), 0);
  if (width <= limit) return width < 0 ? limit : width;
  return InvalidArgument(name, " must be negative or less or equal to number of ", what, " (", limit, ") got: ", width);
}

Status BandPartKernel(KernelContext& c) {
  const Tensor& input = c.input(0);
  const int rank = input.rank();
  if (rank < 2) return InvalidArgument("input must be at least 2-dim, received shape: ", input.shape());
  const int64_t rows = input.dim(rank - 2), columns = input.dim(rank - 1);
  HR_ASSIGN_OR_RETURN(const int64_t lower, ReadWidth(c, 1, rows));
  HR_ASSIGN_OR_RETURN(const int64_t upper, ReadWidth(c, 2, columns));
  HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, input.shape()));
  if (input.num_elements() == 0) return OkStatus();
  const Elements elements(input.dtype());
  const double cost_ns = 5 + 0.1 * static_cast<double>(columns * elements.size());
  c.ParallelFor(input.num_elements() / columns, cost_ns, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t i = row % rows;
      const int64_t first = std::clamp<int64_t>(i - lower, 0, columns);
      const int64_t last = std::clamp<int64_t>(i + upper + 1, first, columns);
      char* to = elements.At(output->mutable_raw(), row * columns);
      elements.FillZero(to, first);
      elements.Copy(elements.At(input.raw(), row * columns + first), elements.At(to, first), last - first);
      elements.FillZero(elements.At(to, last), columns - last);
    }
  });
  return OkStatus();
}

Status BandPartGradient(GradientContext& c) {
  return c.SetInputGradient(0, OutputGradientFormula(c).Apply("MatrixBandPart", {c.input(1), c.input(2)}));
}

}  // namespace

std::vector<OpDefinition> BandPartOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("MatrixBandPart(input: T, num_lower: Tindex, num_upper: Tindex) -> (band: T) | T: type | "
                             "Tindex: type = i64 in {i32,i64}")
                    .Shape(BandPartShape)
                    .Gradient(BandPartGradient)
                    .Kernels(AnyType(FunctionKernel(BandPartKernel))));
  return ops;
}

}  // namespace headrace
