// Broadcast: how operands of different shapes are read together, as numpy broadcasts. Dimensions that behave alike are
// folded into one, so that what is left are long runs in which every operand either advances by one or stands still.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

#include "tensor/shape.h"

namespace headrace {

/// Made for one call; allocates nothing beyond the output's shape.
class Broadcast {
 public:
  static constexpr int kMaxOperands = 3;
  static constexpr int kMaxFolded = 16;
  using Offsets = std::array<int64_t, kMaxOperands>;

  /// Errors: kInvalidArgument "Incompatible shapes: [2,3] vs. [3,2]"; kUnimplemented for more than kMaxFolded alternations.
  static Result<Broadcast> Make(std::initializer_list<const Shape*> operands);

  const Shape& output() const { return output_; }
  /// How far operand i moves for each element of a run: 0 or 1.
  int64_t step(int i) const { return strides_[0][static_cast<size_t>(i)]; }

  /// Calls body(offsets, out, count) for the runs that cover the output's elements [begin, end): element `out + k` reads
  /// operand i at `offsets[i] + k * step(i)`.
  template <typename Body> void ForRuns(int64_t begin, int64_t end, Body&& body) const;

 private:
  Status Extend(const Shape& operand);
  void Fold(std::initializer_list<const Shape*> operands);

  Shape output_;
  int rank_ = 1;  // folded; dimension 0 is the innermost
  std::array<int64_t, kMaxFolded> extents_{1};
  std::array<Offsets, kMaxFolded> strides_{};
  bool too_many_ = false;
};

template <typename Body> void Broadcast::ForRuns(int64_t begin, int64_t end, Body&& body) const {
  if (begin >= end) return;
  std::array<int64_t, kMaxFolded> index{};
  Offsets base{};
  int64_t rest = begin / extents_[0];
  for (int d = 1; d < rank_; ++d) {
    const size_t dim = static_cast<size_t>(d);
    index[dim] = rest % extents_[dim];
    rest /= extents_[dim];
    for (size_t i = 0; i < kMaxOperands; ++i) base[i] += index[dim] * strides_[dim][i];
  }
  int64_t within = begin % extents_[0];
  while (true) {
    const int64_t count = std::min(extents_[0] - within, end - begin);
    Offsets offsets = base;
    for (size_t i = 0; i < kMaxOperands; ++i) offsets[i] += within * strides_[0][i];
    body(offsets, begin, count);
    begin += count;
    if (begin >= end) return;
    within = 0;
    for (size_t dim = 1;; ++dim) {
      for (size_t i = 0; i < kMaxOperands; ++i) base[i] += strides_[dim][i];
      if (++index[dim] < extents_[dim]) break;
      for (size_t i = 0; i < kMaxOperands; ++i) base[i] -= extents_[dim] * strides_[dim][i];
      index[dim] = 0;
    }
  }
}

}  // namespace headrace
