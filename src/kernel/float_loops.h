// FloatLoops: the float loops that training spends its time in, vectorised for the CPU at hand (Highway, chosen at run time).
// Results for one element do not depend on where it stands in a run.
#pragma once

#include <cstdint>

namespace headrace {

/// y[i] = f(x[i]); y may be x.
using UnaryLoop = void (*)(const void* x, void* y, int64_t count);
/// z[i] = f(x[i * x_step], y[i * y_step]) with steps of 0 or 1; z may be an operand whose step is 1.
using BinaryLoop = void (*)(const void* x, const void* y, void* z, int64_t count, int64_t x_step, int64_t y_step);
/// *accumulator = f(*accumulator, x[0], x[1], ...).
using RunLoop = void (*)(const void* x, int64_t count, void* accumulator);

/// All pointers are to float loops.
struct FloatLoops {
  UnaryLoop neg, abs, square, sqrt, rsqrt, reciprocal, exp, log, tanh, sigmoid, relu;
  BinaryLoop add, sub, mul, div, maximum, minimum, squared_difference;
  BinaryLoop sigmoid_grad, tanh_grad;                                     // x is the op's output, y the gradient
  BinaryLoop less, less_equal, greater, greater_equal, equal, not_equal;  // z is of bools
  RunLoop sum, max, min;
  /// y[i] += scale * x[i].
  void (*add_scaled)(float scale, const float* x, float* y, int64_t count);
};

const FloatLoops& GetFloatLoops();

}  // namespace headrace
