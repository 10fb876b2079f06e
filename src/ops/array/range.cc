// Range: start, start + delta, ... below limit (above it, when delta is negative). LinSpace: num values from start to stop.
// Source: TensorFlow's ops of the same names.
#include <cmath>
#include <optional>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/math/elementwise.h"

namespace headrace {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 62;

// How many values the range has.
template <typename T> Result<int64_t> RangeSize(T start, T limit, T delta) {
  const auto text = [](T value) { return static_cast<std::conditional_t<std::is_integral_v<T>, T, double>>(value); };
  if (delta == T(0)) return InvalidArgument("Requires delta != 0: ", text(delta));
  if (delta > T(0) && start > limit)
    return InvalidArgument("Requires start <= limit when delta > 0: ", text(start), "/", text(limit));
  if (delta < T(0) && start < limit)
    return InvalidArgument("Requires start >= limit when delta < 0: ", text(start), "/", text(limit));
  if constexpr (std::is_integral_v<T>) {
    // Unsigned arithmetic cannot overflow.
    const uint64_t distance = delta > 0 ? static_cast<uint64_t>(limit) - static_cast<uint64_t>(start)
                                        : static_cast<uint64_t>(start) - static_cast<uint64_t>(limit);
    const uint64_t step = delta > 0 ? static_cast<uint64_t>(delta) : uint64_t{0} - static_cast<uint64_t>(delta);
    const uint64_t size = distance / step + (distance % step != 0);
    if (size > static_cast<uint64_t>(kMaxSize))
      return InvalidArgument("Requires ((limit - start) / delta) <= ", kMaxSize, ", got ", size);
    return static_cast<int64_t>(size);
  } else {
    const double size =
        std::ceil(std::abs((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta)));
    if (!(size <= static_cast<double>(kMaxSize)))
      return InvalidArgument("Requires ((limit - start) / delta) <= ", kMaxSize, ", got ", size);
    return static_cast<int64_t>(size);
  }
}

template <typename T> Status RangeKernel(KernelContext& context) {
  using C = ComputeType<T>;
  for (int i = 0; i < 3; ++i) {
    if (context.input(i).num_elements() != 1)
      return InvalidArgument("Range: start, limit and delta must be scalars, input ", i, " is ", context.input(i));
  }
  const C start = static_cast<C>(context.input(0).scalar<T>()), delta = static_cast<C>(context.input(2).scalar<T>());
  HR_ASSIGN_OR_RETURN(const int64_t size, RangeSize<C>(start, static_cast<C>(context.input(1).scalar<T>()), delta));
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, Shape({size})));
  C value = start;
  for (T& element : output->mutable_data<T>()) {
    element = static_cast<T>(value);
    value = AddFunctor()(value, delta);
  }
  return OkStatus();
}

Status RangeShape(ShapeContext& c) {
  for (int i = 0; i < 3; ++i) HR_RETURN_IF_ERROR(c.RequireScalar(i));
  const Tensor *start = c.constant(0), *limit = c.constant(1), *delta = c.constant(2);
  int64_t size = PartialShape::kUnknownDim;
  if (start != nullptr && limit != nullptr && delta != nullptr) {
    HR_RETURN_IF_ERROR(
        (ForDType<float, double, int8_t, int16_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t, Half, BFloat16>(
            start->dtype(), "Range", [&]<typename T>() -> Status {
              using C = ComputeType<T>;
              HR_ASSIGN_OR_RETURN(size,
                                  RangeSize<C>(static_cast<C>(start->scalar<T>()), static_cast<C>(limit->scalar<T>()),
                                               static_cast<C>(delta->scalar<T>())));
              return OkStatus();
            })));
  }
  return c.SetOutput(0, PartialShape({size}));
}

Status LinSpaceShape(ShapeContext& c) {
  for (int i = 0; i < 3; ++i) HR_RETURN_IF_ERROR(c.RequireScalar(i));
  const auto num = ConstantIntegers(c, 2);
  if (num && (*num)[0] <= 0) return InvalidArgument("Requires num > 0: ", (*num)[0]);
  return c.SetOutput(0, PartialShape({num ? (*num)[0] : PartialShape::kUnknownDim}));
}

template <typename T> Status LinSpaceKernel(KernelContext& context) {
  using C = ComputeType<T>;
  for (int i = 0; i < 3; ++i) {
    if (context.input(i).num_elements() != 1)
      return InvalidArgument("LinSpace: start, stop and num must be scalars, input ", i, " is ", context.input(i));
  }
  const C start = static_cast<C>(context.input(0).scalar<T>()), stop = static_cast<C>(context.input(1).scalar<T>());
  const int64_t num = IntegerAt(context.input(2), 0);
  if (num <= 0) return InvalidArgument("Requires num > 0: ", num);
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, Shape({num})));
  const std::span<T> values = output->mutable_data<T>();
  const C step = num > 1 ? (stop - start) / static_cast<C>(num - 1) : C(0);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(start + step * static_cast<C>(i));
  if (num > 1) values.back() = static_cast<T>(stop);  // exactly
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> RangeOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "Range(start: Tidx, limit: Tidx, delta: Tidx) -> (output: Tidx) | Tidx: type = i32 in {bf16,f16,f32,f64,i8,"
          "i16,i32,i64,u16,u32,u64}")
          .Shape(RangeShape)
          .NoGradient("TensorFlow has none")
          .Kernels(KernelsFor<int32_t, int64_t, float, double, Half, BFloat16, int8_t, int16_t, uint16_t, uint32_t,
                              uint64_t>("Tidx", []<typename T>() { return FunctionKernel(RangeKernel<T>); })));
  ops.push_back(OpDefinition("LinSpace(start: T, stop: T, num: Tidx) -> (output: T) | T: type in {bf16,f16,f32,f64} | "
                             "Tidx: type = i32 in {i32,i64}")
                    .Shape(LinSpaceShape)
                    .NoGradient("TensorFlow has none")
                    .Kernels(KernelsFor<float, double, Half, BFloat16>(
                        "T", []<typename T>() { return FunctionKernel(LinSpaceKernel<T>); })));
  return ops;
}

}  // namespace headrace
