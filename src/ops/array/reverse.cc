// ReverseV2: the elements in reverse order along each of the given axes. Source: TensorFlow's op `ReverseV2`.
#include "graph/shape_context.h"
#include "kernel/strided_copy.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

Status ReverseGradient(GradientContext& c) {
  return c.SetInputGradient(0, OutputGradientFormula(c).Apply("ReverseV2", {c.input(1)}));
}

Status ReverseKernel(KernelContext& context) {
  const Tensor& input = context.input(0);
  std::vector<bool> reversed(static_cast<size_t>(input.rank()), false);
  const std::vector<int64_t> axes = IntegersOf(context.input(1));
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + input.rank() : axes[i];
    if (axis < 0 || axis >= input.rank())
      return InvalidArgument("'axis'[", i, "] = ", axes[i], " is out of valid range [0, ", input.rank() - 1);
    if (reversed[static_cast<size_t>(axis)]) return InvalidArgument("axis ", axis, " specified more than once.");
    reversed[static_cast<size_t>(axis)] = true;
  }
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, input.shape()));
  if (input.num_elements() == 0) return OkStatus();
  const std::vector<int64_t> strides = DenseStrides(input.shape().dims());
  std::vector<CopyDim> dims;
  int64_t offset = 0;
  for (size_t d = 0; d < strides.size(); ++d) {
    const int64_t extent = input.dim(static_cast<int>(d));
    dims.push_back({extent, reversed[d] ? -strides[d] : strides[d], strides[d]});
    if (reversed[d]) offset += (extent - 1) * strides[d];
  }
  StridedCopy(context, input.dtype(), dims, Elements(input.dtype()).At(input.raw(), offset), output->mutable_raw());
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> ReverseOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "ReverseV2(tensor: T, axis: Tidx) -> (output: T) | Tidx: type = i32 in {i32,i64} | T: type in {u8,i8,u16,i16,"
          "i32,u32,i64,u64,bool,bf16,f16,f32,f64,c64,c128,str}")
          .Shape(UnchangedShape)
          .Gradient(ReverseGradient)
          .Kernels(AnyType(FunctionKernel(ReverseKernel))));
  return ops;
}

}  // namespace headrace
