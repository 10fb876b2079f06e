// Shape, ShapeN, Size, Rank: what a tensor's shape says, as tensors. Source: TensorFlow's ops of the same names.
#include <limits>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"

namespace headrace {
namespace {

Status ShapeShape(ShapeContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i) {
    HR_RETURN_IF_ERROR(
        c.SetOutput(i, PartialShape({c.input(i).has_rank() ? c.input(i).rank() : PartialShape::kUnknownDim})));
  }
  return OkStatus();
}

// Writes numbers as i32 or i64, whichever the output is.
Status WriteNumbers(KernelContext& context, int output, const Shape& shape, std::span<const int64_t> numbers) {
  HR_ASSIGN_OR_RETURN(Tensor * made, context.AllocateOutput(output, shape));
  if (made->dtype() == DType::kInt64) {
    std::copy(numbers.begin(), numbers.end(), made->mutable_data<int64_t>().begin());
    return OkStatus();
  }
  int32_t* to = made->mutable_data<int32_t>().data();
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] > std::numeric_limits<int32_t>::max()) {
      return InvalidArgument(context.node().op(), ": output type is 32-bit but element ", i, " is ", numbers[i]);
    }
    to[i] = static_cast<int32_t>(numbers[i]);
  }
  return OkStatus();
}

Status ShapeKernel(KernelContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    const Shape& shape = context.input(i).shape();
    HR_RETURN_IF_ERROR(WriteNumbers(context, i, Shape({shape.rank()}), shape.dims()));
  }
  return OkStatus();
}

Status SizeKernel(KernelContext& context) {
  const int64_t size = context.input(0).num_elements();
  return WriteNumbers(context, 0, Shape(), {&size, 1});
}

Status RankKernel(KernelContext& context) {
  const int64_t rank = context.input(0).rank();
  return WriteNumbers(context, 0, Shape(), {&rank, 1});
}

OpDefinition ShapeOp(std::string_view signature, ShapeFunction shape, KernelFunction kernel) {
  return OpDefinition(signature)
      .Shape(std::move(shape))
      .NoGradient("not differentiable: of the shape, not the values")
      .Kernels(AnyType(FunctionKernel(kernel), /*cheap=*/true));
}

}  // namespace

std::vector<OpDefinition> ShapeOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(ShapeOp("Shape(input: T) -> (output: out_type) | T: type | out_type: type = i32 in {i32,i64}",
                        ShapeShape, ShapeKernel));
  ops.push_back(ShapeOp(
      "ShapeN(input: N * T) -> (output: N * out_type) | N: int >= 1 | T: type | out_type: type = i32 in {i32,i64}",
      ShapeShape, ShapeKernel));
  ops.push_back(ShapeOp("Size(input: T) -> (output: out_type) | T: type | out_type: type = i32 in {i32,i64}",
                        ScalarShape, SizeKernel));
  ops.push_back(ShapeOp("Rank(input: T) -> (output: i32) | T: type", ScalarShape, RankKernel));
  return ops;
}

}  // namespace headrace
