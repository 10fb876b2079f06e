// The scalar steps of updates in place (a += b and its like), for every number type, and loops over them.
#pragma once

#include <algorithm>
#include <complex>
#include <concepts>
#include <cstdint>
#include <limits>

#include "tensor/dtype.h"

namespace headrace {

/// The type that arithmetic on T is done in: float for the 16-bit floats, unsigned for integers (which wrap), else T.
template <typename T>
using ArithmeticType = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float,
                                          std::conditional_t<std::integral<T>, uint64_t, T>>;

template <typename T> struct AssignUpdate {
  using Type = T;
  static T Apply(const T&, const T& b) { return b; }
};

template <typename T> struct AddUpdate {
  using Type = T;
  static T Apply(T a, T b) {
    return static_cast<T>(static_cast<ArithmeticType<T>>(a) + static_cast<ArithmeticType<T>>(b));
  }
};

template <typename T> struct SubUpdate {
  using Type = T;
  static T Apply(T a, T b) {
    return static_cast<T>(static_cast<ArithmeticType<T>>(a) - static_cast<ArithmeticType<T>>(b));
  }
};

template <typename T> struct MulUpdate {
  using Type = T;
  static T Apply(T a, T b) {
    return static_cast<T>(static_cast<ArithmeticType<T>>(a) * static_cast<ArithmeticType<T>>(b));
  }
};

/// REQUIRES: b != 0 for integers.
template <typename T> struct DivUpdate {
  using Type = T;
  static T Apply(T a, T b) {
    if constexpr (std::signed_integral<T>) {
      // The smallest integer divided by -1 does not fit, and would trap.
      return b == T{-1} ? SubUpdate<T>::Apply(T{0}, a) : static_cast<T>(a / b);
    } else if constexpr (std::integral<T>) {
      return static_cast<T>(a / b);
    } else {
      return static_cast<T>(static_cast<ArithmeticType<T>>(a) / static_cast<ArithmeticType<T>>(b));
    }
  }
};

template <typename T> struct MinUpdate {
  using Type = T;
  static T Apply(T a, T b) { return b < a ? b : a; }
};

template <typename T> struct MaxUpdate {
  using Type = T;
  static T Apply(T a, T b) { return a < b ? b : a; }
};

/// to[i] = to[i] op from[i]. The two do not overlap.
template <typename Update, typename T = typename Update::Type>
void UpdateElements(T* __restrict to, const T* __restrict from, int64_t count) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {  // a fixed count, so that the compiler makes vectors of it
    for (int64_t k = 0; k < 16; ++k) to[i + k] = Update::Apply(to[i + k], from[i + k]);
  }
  for (; i < count; ++i) to[i] = Update::Apply(to[i], from[i]);
}

/// to[i] = to[i] op from.
template <typename Update, typename T = typename Update::Type>
void UpdateElementsBy(T* to, const T& from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = Update::Apply(to[i], from);
}

}  // namespace headrace
