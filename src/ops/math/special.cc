// Lgamma, Digamma and its derivatives Polygamma, the Hurwitz zeta function Zeta, and Erfinv, all computed as doubles. Source:
// TensorFlow's ops of the same names; the series are the asymptotic ones (Abramowitz and Stegun 6.3.18, 23.2) after a recurrence that
// makes the argument large enough for them; S. Winitzki, "A handy approximation for the error function and its inverse" (2008).
#include <cmath>
#include <limits>

#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/binary.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kTerms = 10;  // from where on the series have the precision of a double

// B(2k) for k = 1, 2, ...
constexpr double kBernoulli[] = {1. / 6, -1. / 30, 1. / 42, -1. / 30, 5. / 66, -691. / 2730, 7. / 6, -3617. / 510};

bool IsWhole(double x) { return x == std::floor(x); }

// log |gamma(x)|, without the global variable that std::lgamma writes.
double LogGamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

double Digamma(double x) {
  if (x <= 0) {
    if (IsWhole(x)) return kNaN;
    const double from_whole = x - std::round(x);  // as exact as x
    return Digamma(1 - x) - M_PI / std::tan(M_PI * from_whole);
  }
  double shift = 0;
  for (; x < kTerms; x += 1) shift += 1 / x;
  const double square = x * x;
  double series = 0, power = square;
  for (size_t k = 0; k < std::size(kBernoulli); ++k, power *= square) {
    series += kBernoulli[k] / (2 * static_cast<double>(k + 1) * power);
  }
  return std::log(x) - 0.5 / x - series - shift;
}

// The sum of (q + k)^-x over k >= 0, for x > 1 and q > 0: some terms, then the Euler-Maclaurin formula for the rest.
double PositiveZeta(double x, double q) {
  double sum = 0;
  for (int k = 0; k < kTerms; ++k, q += 1) sum += std::pow(q, -x);
  const double power = std::pow(q, -x);
  if (power == 0) return sum;
  sum += power * (q / (x - 1) + 0.5);
  double factor = power * x / (2 * q);  // x (x + 1) ... (x + 2k - 2) / (2k)! / q^(x + 2k - 1), 2k = 2
  for (size_t k = 0; k < std::size(kBernoulli); ++k) {
    sum += kBernoulli[k] * factor;
    const double j = 2 * static_cast<double>(k) + 2;
    factor *= (x + j - 1) * (x + j) / ((j + 1) * (j + 2) * q * q);
  }
  return sum;
}

double Zeta(double x, double q) {
  if (x == 1) return kInfinity;
  if (!(x > 1) || std::isnan(q)) return kNaN;
  if (q > 0) return PositiveZeta(x, q);
  const double sign = std::fmod(x, 2) == 0 ? 1 : -1;
  if (IsWhole(q)) return IsWhole(x) && sign > 0 ? kInfinity : kNaN;
  if (!IsWhole(x)) return kNaN;  // powers of negative numbers
  const double part = q - std::floor(q);
  // The terms below 0 are those of two other sums, up to the sign.
  return PositiveZeta(x, part) + sign * (PositiveZeta(x, 1 - part) - PositiveZeta(x, 1 - q));
}

double Polygamma(double n, double x) {
  if (!IsWhole(n) || n < 0) return kNaN;
  if (n == 0) return Digamma(x);
  return (std::fmod(n, 2) == 0 ? -1 : 1) * std::tgamma(n + 1) * Zeta(n + 1, x);
}

// The x with erf(x) = y; infinite for 1 and -1, NaN beyond them.
double InverseErf(double y) {
  const double size = std::abs(y);
  if (!(size < 1)) return size == 1 ? std::copysign(kInfinity, y) : kNaN;
  if (y == 0) return y;
  constexpr double kA = 0.147;
  const double log = std::log1p(-size * size), half = 2 / (M_PI * kA) + log / 2;
  double x = std::sqrt(std::sqrt(half * half - log / kA) - half);
  for (int step = 0; step < 3; ++step) {  // Halley's: each triples the digits
    const double error = size < 0.5 ? std::erf(x) - size : (1 - size) - std::erfc(x);
    const double newton = error / (M_2_SQRTPI * std::exp(-x * x));
    x -= newton / (1 + x * newton);
  }
  return std::copysign(x, y);
}

struct ErfinvFunctor {
  template <typename T> T operator()(T y) const { return static_cast<T>(InverseErf(static_cast<double>(y))); }
};
struct LgammaFunctor {
  template <typename T> T operator()(T x) const { return static_cast<T>(LogGamma(x)); }
};
struct DigammaFunctor {
  template <typename T> T operator()(T x) const { return static_cast<T>(Digamma(x)); }
};
struct ZetaFunctor {
  template <typename T> T operator()(T x, T q) const { return static_cast<T>(Zeta(x, q)); }
};
struct PolygammaFunctor {
  template <typename T> T operator()(T n, T x) const { return static_cast<T>(Polygamma(n, x)); }
};

Status ErfinvGradient(GradientContext& c) {
  constexpr double kHalfRootOfPi = 0.886226925452758;
  return c.SetInputGradient(0, OutputGradientFormula(c) * (kHalfRootOfPi * Exp(Square(OutputFormula(c, 0)))));
}
Status LgammaGradient(GradientContext& c) {
  return c.SetInputGradient(0, OutputGradientFormula(c) * InputFormula(c, 0).Apply("Digamma"));
}
Status DigammaGradient(GradientContext& c) {
  const Formula x = InputFormula(c, 0);
  return c.SetInputGradient(0, OutputGradientFormula(c) * x.Number(1).Apply("Polygamma", {x}));
}
// Zeta and Polygamma have a derivative by their second operand alone.
Status ZetaGradient(GradientContext& c) {
  const Formula x = InputFormula(c, 0), q = InputFormula(c, 1);
  return c.SetInputGradient(1, SumToShapeOf(OutputGradientFormula(c) * (-x * (x + 1.0).Apply("Zeta", {q})), q));
}
Status PolygammaGradient(GradientContext& c) {
  const Formula n = InputFormula(c, 0), x = InputFormula(c, 1);
  return c.SetInputGradient(1, SumToShapeOf(OutputGradientFormula(c) * (n + 1.0).Apply("Polygamma", {x}), x));
}

}  // namespace

std::vector<OpDefinition> SpecialOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Lgamma(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64}")
                    .Shape(UnchangedShape)
                    .Gradient(LgammaGradient)
                    .Kernels(UnaryKernels<LgammaFunctor>(FloatTypes(), 30)));
  ops.push_back(OpDefinition("Digamma(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64}")
                    .Shape(UnchangedShape)
                    .Gradient(DigammaGradient)
                    .Kernels(UnaryKernels<DigammaFunctor>(FloatTypes(), 50)));
  ops.push_back(OpDefinition("Zeta(x: T, q: T) -> (z: T) | T: type in {f32,f64}")
                    .Shape(BroadcastBinaryShape)
                    .Gradient(ZetaGradient)
                    .Kernels(BinaryKernels<ZetaFunctor>(Types<float, double>(), 500)));
  ops.push_back(OpDefinition("Polygamma(a: T, x: T) -> (z: T) | T: type in {f32,f64}")
                    .Shape(BroadcastBinaryShape)
                    .Gradient(PolygammaGradient)
                    .Kernels(BinaryKernels<PolygammaFunctor>(Types<float, double>(), 500)));
  ops.push_back(OpDefinition("Erfinv(x: T) -> (y: T) | T: type in {bf16,f16,f32,f64}")
                    .Shape(UnchangedShape)
                    .Gradient(ErfinvGradient)
                    .Kernels(UnaryKernels<ErfinvFunctor>(FloatTypes(), 100)));
  return ops;
}

}  // namespace headrace
