// Kernels of the ops that compute each element from one or two others. An op is a scalar formula (a functor); the loops made
// of it differ by type only, everything around them is written once (elementwise.cc).
#pragma once

#include <complex>
#include <type_traits>
#include <vector>

#include "kernel/float_loops.h"
#include "kernel/kernel.h"

namespace headrace {

template <typename... Ts> struct Types {};
using HalfTypes = Types<Half, BFloat16>;
using FloatTypes = Types<float, double, Half, BFloat16>;
using ComplexTypes = Types<std::complex<float>, std::complex<double>>;
using SignedTypes = Types<int32_t, int64_t, int8_t, int16_t>;
using UnsignedTypes = Types<uint8_t, uint16_t, uint32_t, uint64_t>;

/// The type that arithmetic is done in: float for the half types, T for others.
template <typename T>
using ComputeType = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;

template <typename T> inline constexpr bool kIsComplex = false;
template <typename T> inline constexpr bool kIsComplex<std::complex<T>> = true;

/// Integer arithmetic that wraps: an unsigned type in which +, - and * of T cannot overflow.
template <typename T> using Wrapping = std::conditional_t<(sizeof(T) < 4), uint32_t, std::make_unsigned_t<T>>;

/// Sum and product of two elements, wrapping for integers.
struct AddFunctor {
  template <typename T> T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<Wrapping<T>>(x) + static_cast<Wrapping<T>>(y));
    else
      return x + y;
  }
};
struct MulFunctor {
  template <typename T> T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<Wrapping<T>>(x) * static_cast<Wrapping<T>>(y));
    else
      return x * y;
  }
};

template <typename F, typename T> void UnaryRun(const void* x_data, void* y_data, int64_t count) {
  using In = ComputeType<T>;
  using Out = std::invoke_result_t<F, In>;
  using Stored =
      std::conditional_t<std::is_same_v<Out, bool>, bool, std::conditional_t<std::is_same_v<Out, In>, T, Out>>;
  const T* x = static_cast<const T*>(x_data);
  Stored* y = static_cast<Stored*>(y_data);
  for (int64_t i = 0; i < count; ++i) y[i] = static_cast<Stored>(F()(static_cast<In>(x[i])));
}

template <typename F, typename T>
void BinaryRun(const void* x_data, const void* y_data, void* z_data, int64_t count, int64_t x_step, int64_t y_step) {
  using In = ComputeType<T>;
  using Stored = std::conditional_t<std::is_same_v<std::invoke_result_t<F, In, In>, bool>, bool, T>;
  const T* x = static_cast<const T*>(x_data);
  const T* y = static_cast<const T*>(y_data);
  Stored* z = static_cast<Stored*>(z_data);
  for (int64_t i = 0; i < count; ++i) {
    z[i] = static_cast<Stored>(F()(static_cast<In>(x[i * x_step]), static_cast<In>(y[i * y_step])));
  }
}

/// Looks for operands that the op has no value for (a zero divisor). Errors: kInvalidArgument.
using OperandCheck = Status (*)(const void* y, int64_t count);

template <typename F, typename T> constexpr OperandCheck CheckOf() {
  if constexpr (requires { F::template Check<T>(nullptr, 0); }) {
    return F::template Check<T>;
  } else {
    return nullptr;
  }
}

KernelDefinition UnaryKernel(DType type, UnaryLoop loop, double cost_ns);
KernelDefinition BinaryKernel(DType type, BinaryLoop loop, OperandCheck check, double cost_ns);

/// One kernel of functor F for each type; `float_loop` takes the place of float's where given.
template <typename F, typename... Ts>
std::vector<KernelDefinition> UnaryKernels(Types<Ts...>, double cost_ns = 1, UnaryLoop float_loop = nullptr) {
  return {
      UnaryKernel(kDTypeOf<Ts>, std::is_same_v<Ts, float> && float_loop ? float_loop : UnaryRun<F, Ts>, cost_ns)...};
}
template <typename F, typename... Ts>
std::vector<KernelDefinition> BinaryKernels(Types<Ts...>, double cost_ns = 1, BinaryLoop float_loop = nullptr) {
  return {BinaryKernel(kDTypeOf<Ts>, std::is_same_v<Ts, float> && float_loop ? float_loop : BinaryRun<F, Ts>,
                       CheckOf<F, Ts>(), cost_ns)...};
}

/// Computes z of x and y with broadcasting; the heart of the binary kernels, for kernels with attributes of their own.
Status ComputeBinary(KernelContext& context, BinaryLoop loop, double cost_ns);

/// KernelContext::ParallelFor for loops that are often short: those cost no more than the loop.
template <typename Body> void ForRange(const KernelContext& context, int64_t total, double cost_ns, const Body& body) {
  if (static_cast<double>(total) * cost_ns < 100'000) return body(int64_t{0}, total);
  context.ParallelFor(total, cost_ns, body);
}

}  // namespace headrace
