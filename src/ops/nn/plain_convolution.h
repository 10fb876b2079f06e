// PlainConvolution: the passes of a convolution as loops, for the types and shapes that oneDNN does not take. Sums are kept in
// float for 16-bit floats; integers wrap.
#pragma once

#include <vector>

#include "ops/nn/float_convolution.h"
#include "ops/state/update.h"

namespace headrace {

/// Each pass comes in items that may run at once: rows of the images it writes, or places in the filter.
template <typename T> class PlainConvolution {
 public:
  /// REQUIRES: no extent of `shape` is 0.
  explicit PlainConvolution(const ConvolutionShape& shape)
      : s_(shape),
        in_(shape.layout, shape.rows.in, shape.columns.in, shape.in_channels),
        out_(shape.layout, shape.rows.out, shape.columns.out, shape.out_channels) {}

  int64_t items(ConvolutionPass pass) const {
    if (pass == ConvolutionPass::kBackwardFilter) return s_.rows.filter * s_.columns.filter;
    return s_.batch * (pass == ConvolutionPass::kForward ? s_.rows.out : s_.rows.in);
  }

  void Forward(const T* x, const T* w, T* y, int64_t item) const {
    const int64_t image = item / s_.rows.out, row = item % s_.rows.out;
    std::vector<A> sums(static_cast<size_t>(s_.out_channels));
    for (int64_t column = 0; column < s_.columns.out; ++column) {
      std::fill(sums.begin(), sums.end(), A{0});
      ForFilter([&](int64_t fr, int64_t fc, int64_t filter) {
        const int64_t r = s_.rows.InputAt(row, fr), c = s_.columns.InputAt(column, fc);
        if (r < 0 || r >= s_.rows.in || c < 0 || c >= s_.columns.in) return;
        const T* from = x + in_.At(image, r, c);
        ForChannels([&](int64_t i, int64_t o, int64_t f) {
          sums[static_cast<size_t>(o)] += static_cast<A>(from[i * in_.channel]) * static_cast<A>(w[filter + f]);
        });
      });
      Store(sums, y + out_.At(image, row, column), out_.channel);
    }
  }

  void BackwardInput(const T* dy, const T* w, T* dx, int64_t item) const {
    const int64_t image = item / s_.rows.in, row = item % s_.rows.in;
    std::vector<A> sums(static_cast<size_t>(s_.in_channels));
    for (int64_t column = 0; column < s_.columns.in; ++column) {
      std::fill(sums.begin(), sums.end(), A{0});
      ForFilter([&](int64_t fr, int64_t fc, int64_t filter) {
        const int64_t r = ReaderOf(s_.rows, row, fr), c = ReaderOf(s_.columns, column, fc);
        if (r < 0 || c < 0) return;
        const T* from = dy + out_.At(image, r, c);
        ForChannels([&](int64_t i, int64_t o, int64_t f) {
          sums[static_cast<size_t>(i)] += static_cast<A>(from[o * out_.channel]) * static_cast<A>(w[filter + f]);
        });
      });
      Store(sums, dx + in_.At(image, row, column), in_.channel);
    }
  }

  void BackwardFilter(const T* x, const T* dy, T* dw, int64_t item) const {
    const int64_t fr = item / s_.columns.filter, fc = item % s_.columns.filter;
    const int64_t size = s_.group_in() * s_.out_channels;
    std::vector<A> sums(static_cast<size_t>(size), A{0});
    for (int64_t row = 0; row < s_.batch * s_.rows.out; ++row) {
      const int64_t image = row / s_.rows.out, r = s_.rows.InputAt(row % s_.rows.out, fr);
      if (r < 0 || r >= s_.rows.in) continue;
      for (int64_t column = 0; column < s_.columns.out; ++column) {
        const int64_t c = s_.columns.InputAt(column, fc);
        if (c < 0 || c >= s_.columns.in) continue;
        const T* from = x + in_.At(image, r, c);
        const T* gradient = dy + out_.At(image, row % s_.rows.out, column);
        ForChannels([&](int64_t i, int64_t o, int64_t f) {
          sums[static_cast<size_t>(f)] +=
              static_cast<A>(from[i * in_.channel]) * static_cast<A>(gradient[o * out_.channel]);
        });
      }
    }
    Store(sums, dw + item * size, 1);
  }

 private:
  using A = ArithmeticType<T>;

  // Where an image tensor's elements are.
  struct Strides {
    int64_t image, row, column, channel;
    Strides(const ImageLayout& layout, int64_t rows, int64_t columns, int64_t channels)
        : image(rows * columns * channels),
          row(layout.nchw ? columns : columns * channels),
          column(layout.nchw ? 1 : channels),
          channel(layout.nchw ? rows * columns : 1) {}
    int64_t At(int64_t i, int64_t r, int64_t c) const { return i * image + r * row + c * column; }
  };

  // The output that reads input `at` at filter place f, or -1.
  static int64_t ReaderOf(const WindowDim& dim, int64_t at, int64_t f) {
    const int64_t start = at + dim.pad_before - f * dim.dilation;
    return start < 0 || start % dim.stride != 0 || start / dim.stride >= dim.out ? -1 : start / dim.stride;
  }

  // visit(row, column, where the filter's values for that place begin).
  template <typename Visit> void ForFilter(Visit visit) const {
    int64_t at = 0;
    for (int64_t row = 0; row < s_.rows.filter; ++row) {
      for (int64_t column = 0; column < s_.columns.filter; ++column, at += s_.group_in() * s_.out_channels) {
        visit(row, column, at);
      }
    }
  }
  // visit(in channel, out channel, place among the filter's values) for the pairs of one group.
  template <typename Visit> void ForChannels(Visit visit) const {
    for (int64_t group = 0; group < s_.groups; ++group) {
      for (int64_t i = 0; i < s_.group_in(); ++i) {
        for (int64_t o = group * s_.group_out(); o < (group + 1) * s_.group_out(); ++o) {
          visit(group * s_.group_in() + i, o, i * s_.out_channels + o);
        }
      }
    }
  }

  static void Store(const std::vector<A>& sums, T* to, int64_t step) {
    for (const A& sum : sums) {
      *to = static_cast<T>(sum);
      to += step;
    }
  }

  const ConvolutionShape s_;
  const Strides in_, out_;
};

}  // namespace headrace
