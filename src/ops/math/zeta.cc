// Zeta: the Hurwitz zeta function; Polygamma: the derivatives of Digamma, by it. Computed as doubles, by the Euler-Maclaurin formula
// (Abramowitz and Stegun, 23.1.30) after some terms. Source: TensorFlow's ops of the same names.
#include <cmath>
#include <limits>

#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/binary.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"
#include "ops/math/special_functions.h"

namespace headrace {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kTerms = 10;  // after which the formula has the precision of a double

// B(2k) for k = 1, 2, ...
constexpr double kBernoulli[] = {1. / 6, -1. / 30, 1. / 42, -1. / 30, 5. / 66, -691. / 2730, 7. / 6, -3617. / 510};

bool IsWhole(double x) { return x == std::floor(x); }

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

struct ZetaFunctor {
  template <typename T> T operator()(T x, T q) const { return static_cast<T>(Zeta(x, q)); }
};
struct PolygammaFunctor {
  template <typename T> T operator()(T n, T x) const { return static_cast<T>(Polygamma(n, x)); }
};

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

std::vector<OpDefinition> ZetaOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Zeta(x: T, q: T) -> (z: T) | T: type in {f32,f64}")
                    .Shape(BroadcastBinaryShape)
                    .Gradient(ZetaGradient)
                    .Kernels(BinaryKernels<ZetaFunctor>(Types<float, double>(), 500)));
  ops.push_back(OpDefinition("Polygamma(a: T, x: T) -> (z: T) | T: type in {f32,f64}")
                    .Shape(BroadcastBinaryShape)
                    .Gradient(PolygammaGradient)
                    .Kernels(BinaryKernels<PolygammaFunctor>(Types<float, double>(), 500)));
  return ops;
}

}  // namespace headrace
