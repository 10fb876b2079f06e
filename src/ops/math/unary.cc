// y[i] = f(x[i]): a row for each op with its signature, kernels and derivative (from x, y, dy).
// Integers wrap on overflow. Source: TensorFlow's ops of the same names.
#include <cmath>

#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

// A scalar formula for floating and complex types, by the overload of a standard function.
#define HR_UNARY_FUNCTOR(Name, expression)                                  \
  struct Name##Functor {                                                    \
    template <typename T> auto operator()(T x) const { return expression; } \
  }

HR_UNARY_FUNCTOR(Exp, std::exp(x));
HR_UNARY_FUNCTOR(Log, std::log(x));
HR_UNARY_FUNCTOR(Sqrt, std::sqrt(x));
HR_UNARY_FUNCTOR(Rsqrt, T(1) / std::sqrt(x));
HR_UNARY_FUNCTOR(Reciprocal, T(1) / x);
HR_UNARY_FUNCTOR(Sigmoid, T(1) / (T(1) + std::exp(-x)));
HR_UNARY_FUNCTOR(Tanh, std::tanh(x));
HR_UNARY_FUNCTOR(Floor, std::floor(x));
HR_UNARY_FUNCTOR(Ceil, std::ceil(x));
HR_UNARY_FUNCTOR(Sin, std::sin(x));
HR_UNARY_FUNCTOR(Cos, std::cos(x));
HR_UNARY_FUNCTOR(Tan, std::tan(x));
HR_UNARY_FUNCTOR(Asin, std::asin(x));
HR_UNARY_FUNCTOR(Acos, std::acos(x));
HR_UNARY_FUNCTOR(Atan, std::atan(x));
HR_UNARY_FUNCTOR(Sinh, std::sinh(x));
HR_UNARY_FUNCTOR(Cosh, std::cosh(x));
HR_UNARY_FUNCTOR(Asinh, std::asinh(x));
HR_UNARY_FUNCTOR(Acosh, std::acosh(x));
HR_UNARY_FUNCTOR(Atanh, std::atanh(x));
HR_UNARY_FUNCTOR(Erf, std::erf(x));
HR_UNARY_FUNCTOR(Erfc, std::erfc(x));
HR_UNARY_FUNCTOR(IsFinite, static_cast<bool>(std::isfinite(x)));
HR_UNARY_FUNCTOR(IsNan, static_cast<bool>(std::isnan(x)));
HR_UNARY_FUNCTOR(IsInf, static_cast<bool>(std::isinf(x)));
HR_UNARY_FUNCTOR(LogicalNot, !x);
#undef HR_UNARY_FUNCTOR

struct NegFunctor {
  template <typename T> T operator()(T x) const {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(x));
    else
      return -x;
  }
};
struct AbsFunctor {
  template <typename T> T operator()(T x) const {
    if constexpr (std::is_integral_v<T>)
      return x < 0 ? NegFunctor()(x) : x;
    else
      return std::abs(x);
  }
};
struct SquareFunctor {
  template <typename T> T operator()(T x) const {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<Wrapping<T>>(x) * static_cast<Wrapping<T>>(x));
    else
      return x * x;
  }
};
struct Expm1Functor {
  template <typename T> T operator()(T x) const {
    if constexpr (kIsComplex<T>)
      return std::exp(x) - T(1);
    else
      return std::expm1(x);
  }
};
struct Log1pFunctor {
  template <typename T> T operator()(T x) const {
    if constexpr (kIsComplex<T>)
      return std::log(T(1) + x);
    else
      return std::log1p(x);
  }
};
struct SignFunctor {
  template <typename T> T operator()(T x) const {
    if constexpr (kIsComplex<T>)
      return x == T(0) ? T(0) : x / std::abs(x);
    else if constexpr (std::is_integral_v<T>)
      return static_cast<T>((x > 0) - (x < 0));
    else
      return x > T(0) ? T(1) : x < T(0) ? T(-1) : x;  // NaN stays
  }
};
struct RoundFunctor {  // half to even
  template <typename T> T operator()(T x) const {
    if constexpr (std::is_integral_v<T>)
      return x;
    else
      return std::nearbyint(x);
  }
};

using Derivative = Formula (*)(const Formula& x, const Formula& y, const Formula& dy);

// The definition from a row; without a derivative, `no_gradient` says why.
OpDefinition Unary(std::string_view signature, std::vector<KernelDefinition> kernels, Derivative derivative,
                   std::string_view no_gradient = "") {
  OpDefinition definition(signature);
  if (derivative == nullptr) {
    return std::move(definition).Shape(UnchangedShape).NoGradient(no_gradient).Kernels(std::move(kernels));
  }
  GradientFunction gradient = [derivative](GradientContext& c) {
    return c.SetInputGradient(0, derivative(InputFormula(c, 0), OutputFormula(c), OutputGradientFormula(c)));
  };
  return std::move(definition).Shape(UnchangedShape).Gradient(std::move(gradient)).Kernels(std::move(kernels));
}

template <typename F> std::vector<KernelDefinition> Inexact(double cost_ns, UnaryLoop float_loop = nullptr) {
  return Join(UnaryKernels<F>(FloatTypes(), cost_ns, float_loop), UnaryKernels<F>(ComplexTypes(), 4 * cost_ns));
}
template <typename F> std::vector<KernelDefinition> Real(double cost_ns) {
  return UnaryKernels<F>(FloatTypes(), cost_ns);
}

#define HR_INEXACT "(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64,c64,c128}"
#define HR_FLOATS "(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64}"
#define HR_TESTS "(x: T) -> (y: bool) | T: type in {bf16,f16,f32,f64}"
#define HR_DERIVATIVE(formula)                                           \
  [](const Formula& x, const Formula& y, const Formula& dy) -> Formula { \
    (void)x, (void)y, (void)dy;                                          \
    return formula;                                                      \
  }
constexpr std::string_view kSteps = "piecewise constant";
constexpr std::string_view kPredicate = "not differentiable: a predicate";

std::vector<OpDefinition> SignedOps() {
  const FloatLoops& loops = GetFloatLoops();
  std::vector<OpDefinition> ops;
  ops.push_back(Unary("Neg(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64,i8,i16,i32,i64,c64,c128}",
                      Join(Inexact<NegFunctor>(0.3, loops.neg), UnaryKernels<NegFunctor>(SignedTypes())),
                      HR_DERIVATIVE(-dy)));
  ops.push_back(
      Unary("Abs(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64,i8,i16,i32,i64}",
            Join(UnaryKernels<AbsFunctor>(FloatTypes(), 0.3, loops.abs), UnaryKernels<AbsFunctor>(SignedTypes())),
            HR_DERIVATIVE(dy * x.Apply("Sign"))));
  ops.push_back(Unary("Sign(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64,i8,i16,i32,i64,c64,c128}",
                      Join(Inexact<SignFunctor>(1), UnaryKernels<SignFunctor>(SignedTypes())),
                      HR_DERIVATIVE(ZerosLike(x))));
  ops.push_back(Unary("Square(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64,i8,i16,i32,i64,u8,u16,u32,u64,c64,c128}",
                      Join(Join(Inexact<SquareFunctor>(0.3, loops.square), UnaryKernels<SquareFunctor>(SignedTypes())),
                           UnaryKernels<SquareFunctor>(UnsignedTypes())),
                      HR_DERIVATIVE(dy * (2.0 * Conj(x)))));
  ops.push_back(Unary("Round(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64,i8,i16,i32,i64,c64,c128}",
                      Join(Real<RoundFunctor>(1), UnaryKernels<RoundFunctor>(SignedTypes())), nullptr, kSteps));
  ops.push_back(Unary("Reciprocal(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64,i8,i16,i32,i64,c64,c128}",
                      Inexact<ReciprocalFunctor>(0.5, loops.reciprocal),
                      HR_DERIVATIVE(y.Apply("ReciprocalGrad", {dy}))));
  ops.push_back(Unary("Inv(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64,i8,i16,i32,i64,c64,c128}",
                      Inexact<ReciprocalFunctor>(0.5, loops.reciprocal), HR_DERIVATIVE(y.Apply("InvGrad", {dy}))));
  return ops;
}

std::vector<OpDefinition> ExponentialOps() {
  const FloatLoops& loops = GetFloatLoops();
  std::vector<OpDefinition> ops;
  ops.push_back(Unary("Exp" HR_INEXACT, Inexact<ExpFunctor>(2, loops.exp), HR_DERIVATIVE(dy * Conj(y))));
  ops.push_back(Unary("Expm1" HR_INEXACT, Inexact<Expm1Functor>(8), HR_DERIVATIVE(dy * Exp(Conj(x)))));
  ops.push_back(Unary("Log" HR_INEXACT, Inexact<LogFunctor>(2, loops.log), HR_DERIVATIVE(dy / Conj(x))));
  ops.push_back(Unary("Log1p" HR_INEXACT, Inexact<Log1pFunctor>(8), HR_DERIVATIVE(dy / (1.0 + Conj(x)))));
  ops.push_back(
      Unary("Sqrt" HR_INEXACT, Inexact<SqrtFunctor>(1, loops.sqrt), HR_DERIVATIVE(y.Apply("SqrtGrad", {dy}))));
  ops.push_back(
      Unary("Rsqrt" HR_INEXACT, Inexact<RsqrtFunctor>(1, loops.rsqrt), HR_DERIVATIVE(y.Apply("RsqrtGrad", {dy}))));
  ops.push_back(Unary("Sigmoid" HR_INEXACT, Inexact<SigmoidFunctor>(2, loops.sigmoid),
                      HR_DERIVATIVE(Conj(y).Apply("SigmoidGrad", {dy}))));
  ops.push_back(
      Unary("Tanh" HR_INEXACT, Inexact<TanhFunctor>(3, loops.tanh), HR_DERIVATIVE(Conj(y).Apply("TanhGrad", {dy}))));
  ops.push_back(
      Unary("Erf" HR_FLOATS, Real<ErfFunctor>(10), HR_DERIVATIVE(dy * (1.1283791670955126 * Exp(-Square(x))))));
  ops.push_back(
      Unary("Erfc" HR_FLOATS, Real<ErfcFunctor>(10), HR_DERIVATIVE(dy * (-1.1283791670955126 * Exp(-Square(x))))));
  return ops;
}

std::vector<OpDefinition> TrigonometricOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(Unary("Sin" HR_INEXACT, Inexact<SinFunctor>(8), HR_DERIVATIVE(dy * Conj(x).Apply("Cos"))));
  ops.push_back(Unary("Cos" HR_INEXACT, Inexact<CosFunctor>(8), HR_DERIVATIVE(-dy * Conj(x).Apply("Sin"))));
  ops.push_back(Unary("Tan" HR_INEXACT, Inexact<TanFunctor>(10), HR_DERIVATIVE(dy * (1.0 + Square(Conj(y))))));
  ops.push_back(
      Unary("Asin" HR_INEXACT, Inexact<AsinFunctor>(10), HR_DERIVATIVE(dy / (1.0 - Square(Conj(x))).Apply("Sqrt"))));
  ops.push_back(
      Unary("Acos" HR_INEXACT, Inexact<AcosFunctor>(10), HR_DERIVATIVE(-(dy / (1.0 - Square(Conj(x))).Apply("Sqrt")))));
  ops.push_back(Unary("Atan" HR_INEXACT, Inexact<AtanFunctor>(10), HR_DERIVATIVE(dy / (1.0 + Square(Conj(x))))));
  ops.push_back(Unary("Sinh" HR_INEXACT, Inexact<SinhFunctor>(10), HR_DERIVATIVE(dy * Conj(x).Apply("Cosh"))));
  ops.push_back(Unary("Cosh" HR_INEXACT, Inexact<CoshFunctor>(10), HR_DERIVATIVE(dy * Conj(x).Apply("Sinh"))));
  ops.push_back(Unary("Asinh" HR_INEXACT, Inexact<AsinhFunctor>(20), HR_DERIVATIVE(dy / Conj(y).Apply("Cosh"))));
  ops.push_back(Unary("Acosh" HR_INEXACT, Inexact<AcoshFunctor>(20), HR_DERIVATIVE(dy / Conj(y).Apply("Sinh"))));
  ops.push_back(Unary("Atanh" HR_INEXACT, Inexact<AtanhFunctor>(20), HR_DERIVATIVE(dy / (1.0 - Square(Conj(x))))));
  return ops;
}

std::vector<OpDefinition> StepOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(Unary("Floor" HR_FLOATS, Real<FloorFunctor>(1), nullptr, kSteps));
  ops.push_back(Unary("Ceil" HR_FLOATS, Real<CeilFunctor>(1), nullptr, kSteps));
  ops.push_back(Unary("Rint" HR_FLOATS, Real<RoundFunctor>(1), nullptr, kSteps));
  ops.push_back(Unary("IsFinite" HR_TESTS, Real<IsFiniteFunctor>(1), nullptr, kPredicate));
  ops.push_back(Unary("IsNan" HR_TESTS, Real<IsNanFunctor>(1), nullptr, kPredicate));
  ops.push_back(Unary("IsInf" HR_TESTS, Real<IsInfFunctor>(1), nullptr, kPredicate));
  KernelDefinition logical_not = UnaryKernel(DType::kBool, UnaryRun<LogicalNotFunctor, bool>, 0.3);
  logical_not.types.clear();  // the op has no attribute T
  ops.push_back(Unary("LogicalNot(x: bool) -> (y: bool)", {std::move(logical_not)}, nullptr, kPredicate));
  return ops;
}

}  // namespace

std::vector<OpDefinition> UnaryOps() {
  std::vector<OpDefinition> ops;
  for (std::vector<OpDefinition> (*list)() : {SignedOps, ExponentialOps, TrigonometricOps, StepOps}) {
    for (OpDefinition& op : list()) ops.push_back(std::move(op));
  }
  return ops;
}

}  // namespace headrace
