// The scalar formulas of the activations and of their gradients. `Backward` reads the incoming gradient and, as `z`, the
// activation's input or output: which of the two is said in activation.cc.
#pragma once

#include <cmath>
#include <limits>

#include "ops/state/update.h"

namespace headrace {

/// y = max(x, 0); NaN stays. Backward from x or y: their signs are the same.
struct ReluFormula {
  template <typename T> static T Forward(T x, float) { return x < T{0} ? T{0} : x; }
  // A choice, not a product: of that the compiler makes no vectors.
  template <typename T> static T Backward(T dy, T z, float) { return z > T{0} ? dy : T{0}; }
};

/// y = min(max(x, 0), 6). Backward from x or y.
struct Relu6Formula {
  template <typename T> static T Forward(T x, float) { return x < T{0} ? T{0} : x > T{6} ? T{6} : x; }
  template <typename T> static T Backward(T dy, T z, float) { return (z > T{0}) & (z < T{6}) ? dy : T{0}; }
};

/// y = x > 0 ? x : alpha * x. Backward from x.
struct LeakyReluFormula {
  template <typename T> static T Forward(T x, float alpha) { return x > T{0} ? x : x * static_cast<T>(alpha); }
  template <typename T> static T Backward(T dy, T x, float alpha) { return x > T{0} ? dy : dy * static_cast<T>(alpha); }
};

/// y = x < 0 ? exp(x) - 1 : x. Backward from y.
struct EluFormula {
  template <typename T> static T Forward(T x, float) { return x < T{0} ? std::expm1(x) : x; }
  template <typename T> static T Backward(T dy, T y, float) { return y < T{0} ? (y + T{1}) * dy : dy; }
};

/// y = x < 0 ? scale * alpha * (exp(x) - 1) : scale * x. Backward from y.
struct SeluFormula {
  static constexpr double kScale = 1.0507009873554804934193349852946;
  static constexpr double kScaleAlpha = 1.7580993408473768599402175208123;
  template <typename T> static T Forward(T x, float) {
    return x < T{0} ? static_cast<T>(kScaleAlpha) * std::expm1(x) : static_cast<T>(kScale) * x;
  }
  template <typename T> static T Backward(T dy, T y, float) {
    return y < T{0} ? dy * (y + static_cast<T>(kScaleAlpha)) : dy * static_cast<T>(kScale);
  }
};

/// y = log(exp(x) + 1), without overflow or loss for large |x|. Backward from x.
struct SoftplusFormula {
  template <typename T> static T Forward(T x, float) {
    const T threshold = std::log(std::numeric_limits<T>::epsilon()) + T{2};
    return x > -threshold ? x : x < threshold ? std::exp(x) : std::log1p(std::exp(x));
  }
  template <typename T> static T Backward(T dy, T x, float) { return dy / (std::exp(-x) + T{1}); }
};

/// y = x / (|x| + 1). Backward from x.
struct SoftsignFormula {
  template <typename T> static T Forward(T x, float) { return x / (std::abs(x) + T{1}); }
  template <typename T> static T Backward(T dy, T x, float) {
    return dy / ((std::abs(x) + T{1}) * (std::abs(x) + T{1}));
  }
};

/// The type that an activation of T computes in: float for 16-bit floats, else T.
template <typename T>
using ActivationType = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;

}  // namespace headrace
