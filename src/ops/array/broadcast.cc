// BroadcastTo: the input repeated to a shape, as in numpy. BroadcastGradientArgs: of two shapes that were broadcast together, the
// dimensions over which each operand's gradient is to be summed. Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "kernel/strided_copy.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

Status BroadcastToShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.ShapeFromInput(1));
  if (shape.has_rank() && c.input(0).has_rank() && c.input(0).rank() > shape.rank()) {
    return InvalidArgument("Rank of input (", c.input(0).rank(), ") must be no greater than rank of output shape (",
                           shape.rank(), ").");
  }
  return c.SetOutput(0, std::move(shape));
}

Status BroadcastToGradient(GradientContext& c) {
  return c.SetInputGradient(0, SumToShapeOf(OutputGradientFormula(c), c.input(0)));
}

Status BroadcastToKernel(KernelContext& context) {
  const Tensor& input = context.input(0);
  HR_ASSIGN_OR_RETURN(const Shape shape, ShapeFromTensor("BroadcastTo", context.input(1)));
  if (shape == input.shape()) return context.SetOutput(0, context.TakeInput(0));
  const std::optional<std::vector<CopyDim>> dims = BroadcastDims(input.shape(), shape);
  if (!dims) return InvalidArgument("Incompatible shapes: ", input.shape(), " vs. ", shape);
  if (shape.num_elements() == input.num_elements()) return context.SetOutput(0, context.TakeInput(0).Reshaped(shape));
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
  StridedCopy(context, input.dtype(), *dims, input.raw(), output->mutable_raw());
  return OkStatus();
}

Status TwoVectors(ShapeContext& c) {
  for (int i = 0; i < 2; ++i) {
    HR_RETURN_IF_ERROR(c.RequireRank(i, 1));
    HR_RETURN_IF_ERROR(c.SetOutput(i, PartialShape({PartialShape::kUnknownDim})));
  }
  return OkStatus();
}

Status BroadcastGradientArgsKernel(KernelContext& context) {
  for (int i = 0; i < 2; ++i) {
    if (context.input(i).rank() != 1) return InvalidArgument("In[", i, "] must be a vector.", context.input(i).shape());
  }
  const std::vector<int64_t> shapes[2] = {IntegersOf(context.input(0)), IntegersOf(context.input(1))};
  const int64_t rank = static_cast<int64_t>(std::max(shapes[0].size(), shapes[1].size()));
  const auto extent = [&](int i, int64_t d) {
    const int64_t own = d - (rank - static_cast<int64_t>(shapes[i].size()));
    return own < 0 ? 1 : shapes[i][static_cast<size_t>(own)];
  };
  std::vector<int64_t> axes[2];
  for (int64_t d = 0; d < rank; ++d) {
    const int64_t a = extent(0, d), b = extent(1, d);
    if (a != b && a != 1 && b != 1) {
      return InvalidArgument("Incompatible shapes: [", StrJoin(shapes[0], ","), "] vs. [", StrJoin(shapes[1], ","),
                             "]");
    }
    // Where both are 1, summing changes nothing, and the reshape that follows needs it for dimensions that an operand lacks.
    if (a == 1) axes[0].push_back(d);
    if (b == 1) axes[1].push_back(d);
  }
  for (int i = 0; i < 2; ++i) {
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(i, Shape({static_cast<int64_t>(axes[i].size())})));
    HR_RETURN_IF_ERROR((ForDType<int32_t, int64_t>(output->dtype(), "BroadcastGradientArgs", [&]<typename T>() {
      for (size_t k = 0; k < axes[i].size(); ++k) output->mutable_data<T>()[k] = static_cast<T>(axes[i][k]);
      return OkStatus();
    })));
  }
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> BroadcastOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("BroadcastTo(input: T, shape: Tidx) -> (output: T) | T: type | Tidx: type = i32 in {i32,i64}")
          .Shape(BroadcastToShape)
          .Gradient(BroadcastToGradient)
          .Kernels(AnyType(FunctionKernel(BroadcastToKernel))));
  ops.push_back(OpDefinition("BroadcastGradientArgs(s0: T, s1: T) -> (r0: T, r1: T) | T: type = i32 in {i32,i64}")
                    .Shape(TwoVectors)
                    .NoGradient("not differentiable: dimensions")
                    .Kernels(AnyType(FunctionKernel(BroadcastGradientArgsKernel), /*cheap=*/true)));
  return ops;
}

}  // namespace headrace
