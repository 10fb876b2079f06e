// Where: the indices of the elements that are not zero (not false), one row for each, in row-major order.
// Source: TensorFlow's op `Where`.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"

namespace headrace {
namespace {

Status WhereShape(ShapeContext& c) {
  return c.SetOutput(0, PartialShape({PartialShape::kUnknownDim,
                                      c.input(0).has_rank() ? c.input(0).rank() : PartialShape::kUnknownDim}));
}

template <typename T> Status WhereKernel(KernelContext& context) {
  const Tensor& input = context.input(0);
  const std::span<const T> x = input.data<T>();
  int64_t count = 0;
  for (const T& value : x) count += value != T();
  const int rank = input.rank();
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, Shape({count, rank})));
  int64_t* row = output->mutable_data<int64_t>().data();
  for (size_t i = 0; i < x.size(); ++i) {
    if (!(x[i] != T())) continue;
    int64_t rest = static_cast<int64_t>(i);
    for (int d = rank; d-- > 0;) {
      row[d] = rest % input.dim(d);
      rest /= input.dim(d);
    }
    row += rank;
  }
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> WhereOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "Where(input: T) -> (index: i64) | T: type = bool in {f32,f64,i32,u8,i16,i8,c64,i64,qi8,qu8,qi32,bf16,qi16,"
          "qu16,u16,c128,f16,u32,u64,bool}")
          .Shape(WhereShape)
          .NoGradient("not differentiable: gives positions")
          .Kernels(KernelsFor<bool, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                              uint32_t, uint64_t, std::complex<float>, std::complex<double>>(
              "T", []<typename T>() { return FunctionKernel(WhereKernel<T>); })));
  return ops;
}

}  // namespace headrace
