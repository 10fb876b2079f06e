// Quotients and remainders of x and y with broadcasting. Integers: a zero divisor is an error; the quotient that does not fit
// (lowest / -1) wraps. Truncate* round towards zero as C++ does, Floor* down; the remainder of FloorMod has y's sign.
// Source: TensorFlow's ops of the same names.
#include <cmath>

#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/binary.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

template <typename T> Status CheckDivisor(const void* y_data, int64_t count) {
  const T* y = static_cast<const T*>(y_data);
  for (int64_t i = 0; i < count; ++i) {
    if (y[i] == 0) return InvalidArgument("Integer division by zero");
  }
  return OkStatus();
}

// Makes a functor for integers refuse zero divisors.
struct Checked {
  template <typename T>
  requires std::is_integral_v<T>
  static Status Check(const void* y, int64_t count) { return CheckDivisor<T>(y, count); }
};

template <typename T> T TruncatedQuotient(T x, T y) {
  if constexpr (std::is_signed_v<T>) {
    if (y == T(-1)) return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(x));
  }
  return static_cast<T>(x / y);
}
template <typename T> T TruncatedRemainder(T x, T y) {
  if constexpr (std::is_signed_v<T>) {
    if (y == T(-1)) return 0;
  }
  return static_cast<T>(x % y);
}

struct DivFunctor : Checked {
  template <typename T> T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>)
      return TruncatedQuotient(x, y);
    else
      return x / y;
  }
};
struct TruncateDivFunctor : Checked {
  template <typename T> T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>)
      return TruncatedQuotient(x, y);
    else
      return std::trunc(x / y);
  }
};
struct FloorDivFunctor : Checked {
  template <typename T> T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>) {
      const bool below = TruncatedRemainder(x, y) != 0 && (x < 0) != (y < 0);
      return static_cast<T>(TruncatedQuotient(x, y) - below);
    } else {
      return std::floor(x / y);
    }
  }
};
struct TruncateModFunctor : Checked {
  template <typename T> T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>)
      return TruncatedRemainder(x, y);
    else
      return std::fmod(x, y);
  }
};
struct FloorModFunctor : Checked {
  template <typename T> T operator()(T x, T y) const {
    const T remainder = TruncateModFunctor()(x, y);
    return remainder != T(0) && (remainder < T(0)) != (y < T(0)) ? static_cast<T>(remainder + y) : remainder;
  }
};
struct DivNoNanFunctor {
  template <typename T> T operator()(T x, T y) const { return y == T(0) ? T(0) : x / y; }
};

template <typename F> std::vector<KernelDefinition> Reals(BinaryLoop float_loop = nullptr, double cost_ns = 3) {
  return Join(Join(BinaryKernels<F>(FloatTypes(), cost_ns, float_loop), BinaryKernels<F>(SignedTypes(), 5)),
              BinaryKernels<F>(UnsignedTypes(), 5));
}

constexpr std::string_view kAllTypes =
    "(x: T, y: T) -> (z: T) | T: type in {bf16,f16,f32,f64,u8,i8,u16,i16,i32,u32,u64,i64,c64,c128}";
constexpr std::string_view kSteps = "piecewise constant";

Formula ByDivisor(const Formula& x, const Formula& y, const Formula& dz) { return dz * Conj((-x / y) / y); }

std::vector<OpDefinition> Quotients() {
  const FloatLoops& loops = GetFloatLoops();
  std::vector<OpDefinition> ops;
  for (const std::string_view name : {"RealDiv", "Div"}) {
    ops.push_back(BinaryOp(StrCat(name, kAllTypes),
                           Join(Reals<DivFunctor>(loops.div, 0.5), BinaryKernels<DivFunctor>(ComplexTypes(), 4)),
                           HR_PARTIAL(dz / Conj(y)), HR_PARTIAL(ByDivisor(x, y, dz))));
  }
  ops.push_back(
      BinaryOp("DivNoNan(x: T, y: T) -> (z: T) | T: type in {f16,f32,bf16,f64,c64,c128}",
               Join(BinaryKernels<DivNoNanFunctor>(FloatTypes()), BinaryKernels<DivNoNanFunctor>(ComplexTypes(), 4)),
               HR_PARTIAL(dz.Apply("DivNoNan", {Conj(y)})),
               HR_PARTIAL(dz * Conj((-x).Apply("DivNoNan", {y}).Apply("DivNoNan", {y})))));
  ops.push_back(BinaryOp(StrCat("TruncateDiv", kAllTypes), Reals<TruncateDivFunctor>(), kSteps));
  ops.push_back(BinaryOp(StrCat("FloorDiv", kAllTypes), Reals<FloorDivFunctor>(), kSteps));
  return ops;
}

std::vector<OpDefinition> Remainders() {
  std::vector<OpDefinition> ops;
  ops.push_back(BinaryOp("FloorMod(x: T, y: T) -> (z: T) | T: type in {i8,i16,i32,i64,u8,u16,u32,u64,bf16,f16,f32,f64}",
                         Reals<FloorModFunctor>(), HR_PARTIAL(dz), HR_PARTIAL(-(dz * x.Apply("FloorDiv", {y})))));
  const auto kernels = [] {
    return Join(BinaryKernels<TruncateModFunctor>(FloatTypes(), 10),
                BinaryKernels<TruncateModFunctor>(Types<int32_t, int64_t>(), 5));
  };
  ops.push_back(BinaryOp("TruncateMod(x: T, y: T) -> (z: T) | T: type in {i32,i64,bf16,f16,f32,f64}", kernels(),
                         "TensorFlow has none"));
  ops.push_back(BinaryOp("Mod(x: T, y: T) -> (z: T) | T: type in {i32,i64,f16,f16,bf16,f32,f64}", kernels(),
                         "TensorFlow has none"));
  return ops;
}

}  // namespace

std::vector<OpDefinition> DivisionOps() {
  std::vector<OpDefinition> ops = Quotients();
  for (OpDefinition& op : Remainders()) ops.push_back(std::move(op));
  return ops;
}

}  // namespace headrace
