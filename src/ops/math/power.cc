// Pow: z = x^y with broadcasting; integers wrap, and refuse negative exponents. Xlogy, Xlog1py, Xdivy: x * log(y), x * log(1 + y),
// x / y, and 0 where x is 0, whatever y is. Atan2: the angle of the point (x, y). Source: TensorFlow's ops of the same names.
#include <cmath>

#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/binary.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

struct PowFunctor {
  template <typename T>
  requires std::is_integral_v<T>
  static Status Check(const void* y_data, int64_t count) {
    const T* y = static_cast<const T*>(y_data);
    for (int64_t i = 0; i < count; ++i) {
      if (y[i] < 0) return InvalidArgument("Integers to negative integer powers are not allowed");
    }
    return OkStatus();
  }
  template <typename T> T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>) {
      Wrapping<T> base = static_cast<Wrapping<T>>(x), power = 1;
      for (; y > 0; y = static_cast<T>(y >> 1)) {  // by squaring
        if (y & 1) power *= base;
        base *= base;
      }
      return static_cast<T>(power);
    } else {
      return std::pow(x, y);
    }
  }
};
struct XlogyFunctor {
  template <typename T> T operator()(T x, T y) const { return x == T(0) ? T(0) : x * std::log(y); }
};
struct Xlog1pyFunctor {
  template <typename T> T operator()(T x, T y) const {
    if constexpr (kIsComplex<T>)
      return x == T(0) ? T(0) : x * std::log(T(1) + y);
    else
      return x == T(0) ? T(0) : x * std::log1p(y);
  }
};
struct XdivyFunctor {
  template <typename T> T operator()(T x, T y) const { return x == T(0) ? T(0) : x / y; }
};
struct Atan2Functor {
  template <typename T> T operator()(T y, T x) const { return std::atan2(y, x); }
};

// log(x) where the real x is positive, else 0: there x^y has no derivative by y.
Formula SafeLog(const Formula& x) {
  const bool complex = x.endpoint() && IsComplex(x.endpoint().dtype());
  const Formula defined = complex ? x.Apply("NotEqual", {x.Number(0)}) : x.Apply("Greater", {x.Number(0)});
  const Formula safe = defined.Apply("SelectV2", {x, x.Number(1)});
  return defined.Apply("SelectV2", {Log(safe), x.Number(0)});
}

// 1 where x is not 0.
Formula NotZero(const Formula& x) {
  return x.Apply("NotEqual", {x.Number(0)}).Apply("SelectV2", {x.Number(1), x.Number(0)});
}

template <typename F> std::vector<KernelDefinition> Inexact(double cost_ns) {
  return Join(BinaryKernels<F>(FloatTypes(), cost_ns), BinaryKernels<F>(ComplexTypes(), 4 * cost_ns));
}

constexpr std::string_view kInexact = "(x: T, y: T) -> (z: T) | T: type in {f16,bf16,f32,f64,c64,c128}";

}  // namespace

std::vector<OpDefinition> PowerOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(BinaryOp("Pow(x: T, y: T) -> (z: T) | T: type in {bf16,f32,f16,f64,i8,i16,i32,i64,c64,c128}",
                         Join(Inexact<PowFunctor>(20), BinaryKernels<PowFunctor>(SignedTypes(), 10)),
                         HR_PARTIAL(dz * (Conj(y) * Conj(x).Apply("Pow", {Conj(y) - 1.0}))),
                         HR_PARTIAL(dz * (Conj(z) * SafeLog(Conj(x))))));
  ops.push_back(BinaryOp(StrCat("Xlogy", kInexact), Inexact<XlogyFunctor>(8),
                         HR_PARTIAL(dz * NotZero(x).Apply("Xlogy", {y})), HR_PARTIAL(dz * x.Apply("Xdivy", {y}))));
  ops.push_back(BinaryOp(StrCat("Xlog1py", kInexact), Inexact<Xlog1pyFunctor>(8),
                         HR_PARTIAL(dz * NotZero(x).Apply("Xlog1py", {y})),
                         HR_PARTIAL(dz * x.Apply("Xdivy", {y + 1.0}))));
  ops.push_back(BinaryOp(StrCat("Xdivy", kInexact), Inexact<XdivyFunctor>(1),
                         HR_PARTIAL(dz * NotZero(x).Apply("Xdivy", {y})),
                         HR_PARTIAL(dz * (-x).Apply("Xdivy", {Square(y)}))));
  // Its first operand, here x, is the ordinate.
  ops.push_back(BinaryOp("Atan2(y: T, x: T) -> (z: T) | T: type in {bf16,f16,f32,f64}",
                         BinaryKernels<Atan2Functor>(FloatTypes(), 20), HR_PARTIAL(y * (dz / (Square(x) + Square(y)))),
                         HR_PARTIAL(-x * (dz / (Square(x) + Square(y))))));
  return ops;
}

}  // namespace headrace
