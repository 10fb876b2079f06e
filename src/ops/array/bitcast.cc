// Bitcast: the same bytes under another type. A smaller type adds a last dimension, a larger one takes it away.
// Source: TensorFlow's op `Bitcast`.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"

namespace headrace {
namespace {

// The output's extents for any input shape; -1 stays unknown.
Result<std::vector<int64_t>> CastDims(std::span<const int64_t> input, DType from, DType to) {
  std::vector<int64_t> dims(input.begin(), input.end());
  const int64_t from_size = DTypeSize(from), to_size = DTypeSize(to);
  if (from_size > to_size) dims.push_back(from_size / to_size);
  if (from_size < to_size) {
    const int64_t ratio = to_size / from_size;
    if (dims.empty() || (dims.back() != ratio && dims.back() >= 0)) {
      return InvalidArgument("Cannot bitcast from ", from_size, "-byte ", from, " to ", to_size, "-byte ", to,
                             ": the last dimension must be ", ratio, ", the shape is ", PartialShape(dims));
    }
    dims.pop_back();
  }
  return dims;
}

Status BitcastShape(ShapeContext& c) {
  if (!c.input(0).has_rank()) return c.SetOutput(0, PartialShape());
  HR_ASSIGN_OR_RETURN(std::vector<int64_t> dims, CastDims(c.input(0).dims(), c.input_type(0), c.attr<DType>("type")));
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

Status BitcastKernel(KernelContext& context) {
  Tensor input = context.TakeInput(0);
  const DType to = context.node().output_types()[0];
  HR_ASSIGN_OR_RETURN(const std::vector<int64_t> dims, CastDims(input.shape().dims(), input.dtype(), to));
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  if (DTypeSize(to) == DTypeSize(input.dtype())) return context.SetOutput(0, input.Reinterpreted(to));
  if (shape.num_elements() == 0) return context.AllocateOutput(0, shape).status();
  const int64_t offset = static_cast<const char*>(input.raw()) - static_cast<const char*>(input.buffer()->data());
  return context.SetOutput(0, Tensor(to, shape, input.buffer(), offset));
}

}  // namespace

std::vector<OpDefinition> BitcastOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "Bitcast(input: T) -> (output: type) | T: type in {bf16,f16,f32,f64,i64,i32,u8,u16,u32,u64,i8,i16,c64,c128,"
          "qi8,qu8,qi16,qu16,qi32} | type: type in {bf16,f16,f32,f64,i64,i32,u8,u16,u32,u64,i8,i16,c64,c128,qi8,qu8,"
          "qi16,qu16,qi32}")
          .Shape(BitcastShape)
          .NoGradient("not differentiable: bits")
          .Kernels(AnyType(FunctionKernel(BitcastKernel), true)));
  return ops;
}

}  // namespace headrace
