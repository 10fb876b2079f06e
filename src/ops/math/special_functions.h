// Special functions of a real number that the standard library does not have, or not for several threads at once. All are computed
// in double, whatever type the caller's numbers have. Sources: the functions' recurrences, reflections and asymptotic series
// (Abramowitz and Stegun, 6.3); S. Winitzki, "A handy approximation for the error function and its inverse" (2008).
#pragma once

#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

namespace headrace {

/// log |gamma(x)|.
inline double LogGamma(double x) {
  int sign;  // std::lgamma would write it to a global
  return lgamma_r(x, &sign);
}

/// The derivative of LogGamma; NaN where it has a pole.
inline double Digamma(double x) {
  if (x <= 0) {  // by reflection
    if (x == std::floor(x)) return std::numeric_limits<double>::quiet_NaN();
    const double rest = x - std::round(x);  // tan has period pi
    return Digamma(1 - x) - std::numbers::pi / std::tan(std::numbers::pi * rest);
  }
  double below = 0;
  for (; x < 10; x += 1) below += 1 / x;  // until the series converges
  const double square = 1 / (x * x);
  constexpr double kSeries[] = {1.0 / 12,  -1.0 / 120,      1.0 / 252, -1.0 / 240,
                                1.0 / 132, -691.0 / 32'760, 1.0 / 12};  // B(2n) / 2n
  double sum = 0;
  for (int n = std::size(kSeries) - 1; n >= 0; --n) sum = (sum + kSeries[n]) * square;
  return std::log(x) - 0.5 / x - sum - below;
}

/// The x with erf(x) = y; infinite for 1 and -1, NaN beyond them.
inline double InverseErf(double y) {
  const double size = std::abs(y);
  if (!(size < 1)) return size == 1 ? std::copysign(std::numeric_limits<double>::infinity(), y) : NAN;
  if (y == 0) return y;
  constexpr double kA = 0.147;
  const double log = std::log1p(-size * size);
  const double half = 2 / (std::numbers::pi * kA) + log / 2;
  double x = std::sqrt(std::sqrt(half * half - log / kA) - half);
  for (int step = 0; step < 3; ++step) {  // Halley's: each triples the digits
    const double error = size < 0.5 ? std::erf(x) - size : (1 - size) - std::erfc(x);
    const double newton = error / (2 * std::numbers::inv_sqrtpi * std::exp(-x * x));
    x -= newton / (1 + x * newton);
  }
  return std::copysign(x, y);
}

}  // namespace headrace
