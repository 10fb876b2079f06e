// The loops of pooling: over images of which a window's place holds `depth` channels side by side (NHWC), or one (NCHW, whose
// channels count as images).
#pragma once

#include <limits>
#include <vector>

#include "ops/nn/window.h"
#include "ops/state/update.h"

namespace headrace {

struct PoolShape {
  int64_t images = 0, depth = 1;
  WindowDim rows, columns;

  int64_t image_in() const { return rows.in * columns.in * depth; }
  int64_t image_out() const { return rows.out * columns.out * depth; }
  /// True when every input is in exactly one window.
  bool IsPartition() const {
    const auto tiles = [](const WindowDim& d) {
      return d.stride == d.filter && d.out * d.stride - d.pad_before >= d.in && d.pad_before < d.stride;
    };
    return tiles(rows) && tiles(columns);
  }
  /// visit(at) for the inputs of the window of output (row, column), in their order; `at` counts from the image's start.
  template <typename Visit> void ForWindow(int64_t row, int64_t column, Visit visit) const {
    for (int64_t r = rows.Begin(row); r < rows.End(row); ++r) {
      for (int64_t c = columns.Begin(column); c < columns.End(column); ++c) visit((r * columns.in + c) * depth);
    }
  }
  int64_t WindowSize(int64_t row, int64_t column) const {
    return std::max<int64_t>(rows.End(row) - rows.Begin(row), 0) *
           std::max<int64_t>(columns.End(column) - columns.Begin(column), 0);
  }
};

/// f(i) for i in [0, count), in groups of a fixed size first, which the compiler makes vectors of: f(i) touches but its own element.
template <typename Function> void ForDepth(int64_t count, Function f) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
#pragma GCC ivdep
    for (int64_t k = 0; k < 16; ++k) f(i + k);
  }
  for (; i < count; ++i) f(i);
}

/// The smallest finite value.
template <typename T> T Lowest() {
  if constexpr (std::is_same_v<T, Half>) return Half::FromBits(0xfbff);
  if constexpr (std::is_same_v<T, BFloat16>) return BFloat16::FromBits(0xff7f);
  return std::numeric_limits<T>::lowest();
}

/// One row of one image's outputs; y is that row, x the image.
template <typename T> void MaxPoolRow(const PoolShape& s, const T* x, T* y, int64_t row) {
  for (int64_t column = 0; column < s.columns.out; ++column, y += s.depth) {
    bool first = true;
    s.ForWindow(row, column, [&](int64_t at) {
      if (first) {
        std::copy_n(x + at, s.depth, y);
      } else {
        ForDepth(s.depth, [y, from = x + at](int64_t i) { y[i] = y[i] < from[i] ? from[i] : y[i]; });
      }
      first = false;
    });
    if (first) std::fill_n(y, s.depth, Lowest<T>());  // a window of nothing but padding
  }
}

/// One image's gradient: dy goes to the first input of its window that equals y. `left` is scratch for `depth` elements.
/// kPartition: s.IsPartition(), which spares filling and adding.
template <typename T, bool kPartition>
void MaxPoolGradImage(const PoolShape& s, const T* x, const T* y, const T* dy, T* dx, T* left) {
  if (!kPartition) std::fill_n(dx, s.image_in(), T{});
  for (int64_t row = 0; row < s.rows.out; ++row) {
    for (int64_t column = 0; column < s.columns.out; ++column, y += s.depth, dy += s.depth) {
      std::copy_n(dy, s.depth, left);
      s.ForWindow(row, column, [&](int64_t at) {
        ForDepth(s.depth, [from = x + at, to = dx + at, y, left](int64_t i) {
          const T all = left[i];
          const T part = from[i] == y[i] ? all : T{};
          const T rest = from[i] == y[i] ? T{} : all;
          to[i] = kPartition ? part : AddUpdate<T>::Apply(to[i], part);
          left[i] = rest;
        });
      });
    }
  }
}

/// One row of one image's outputs: the mean of those inputs that are no padding. `sums` is scratch for `depth` elements.
template <typename T> void AvgPoolRow(const PoolShape& s, const T* x, T* y, int64_t row, ArithmeticType<T>* sums) {
  using A = ArithmeticType<T>;
  for (int64_t column = 0; column < s.columns.out; ++column, y += s.depth) {
    std::fill_n(sums, s.depth, A{0});
    s.ForWindow(row, column, [&](int64_t at) {
      ForDepth(s.depth, [sums, from = x + at](int64_t i) { sums[i] += static_cast<A>(from[i]); });
    });
    const A count = static_cast<A>(s.WindowSize(row, column));
    ForDepth(s.depth, [=](int64_t i) { y[i] = static_cast<T>(sums[i] / count); });
  }
}

/// One image's gradient: each output's dy, in equal shares to the inputs that it is the mean of.
template <typename T, bool kPartition> void AvgPoolGradImage(const PoolShape& s, const T* dy, T* dx) {
  using A = ArithmeticType<T>;
  if (!kPartition) std::fill_n(dx, s.image_in(), T{});
  for (int64_t row = 0; row < s.rows.out; ++row) {
    for (int64_t column = 0; column < s.columns.out; ++column, dy += s.depth) {
      const A share = A{1} / static_cast<A>(s.WindowSize(row, column));
      s.ForWindow(row, column, [&](int64_t at) {
        ForDepth(s.depth, [dy, share, to = dx + at](int64_t i) {
          const A part = static_cast<A>(dy[i]) * share;
          to[i] = static_cast<T>(kPartition ? part : static_cast<A>(to[i]) + part);
        });
      });
    }
  }
}

}  // namespace headrace
