// Loops over tensors that have a channel dimension, somewhere: sums for each channel and element by element.
#pragma once

#include <algorithm>
#include <vector>

#include "kernel/kernel.h"
#include "ops/nn/pool_loops.h"

namespace headrace {

/// A tensor seen as [outer, channels, inner]; inner is 1 where the channels are the last dimension.
struct ChannelLayout {
  int64_t outer = 1, channels = 1, inner = 1;

  ChannelLayout(const Shape& shape, bool channels_last) {
    const int dimension = channels_last ? shape.rank() - 1 : 1;
    for (int i = 0; i < shape.rank(); ++i) (i < dimension ? outer : i == dimension ? channels : inner) *= shape.dim(i);
  }
  int64_t per_channel() const { return outer * inner; }
  int64_t row() const { return inner == 1 ? channels : inner; }
  int64_t rows() const { return inner == 1 ? outer : outer * channels; }
};

/// Calls f(i, channel) for every element, on the compute pool; f touches but its own element.
template <typename F> void ForChannelElements(const KernelContext& c, const ChannelLayout& l, F f) {
  const int64_t size = l.row();
  c.ParallelFor(l.rows(), 0.6 * static_cast<double>(size), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      if (l.inner == 1) {
        ForDepth(size, [&](int64_t i) { f(row * size + i, i); });
      } else {
        ForDepth(size, [&, channel = row % l.channels](int64_t i) { f(row * size + i, channel); });
      }
    }
  });
}

/// The sum of f<k>(i, channel) over each channel's elements, for k in [0, N), at [k * channels + channel]. Summed in float over runs
/// of fixed length, these in double: the result does not depend on the threads.
template <size_t N, typename F> std::vector<double> ChannelSums(const KernelContext& c, const ChannelLayout& l, F f) {
  const size_t width = N * static_cast<size_t>(l.channels);
  const int64_t run = std::max<int64_t>(1, 16384 / std::max<int64_t>(l.row(), 1));
  const int64_t rows = l.rows(), size = l.row();
  // Channels first: a run is all channels of one image, so that it meets each channel.
  const int64_t run_rows = l.inner == 1 ? run : l.channels;
  const int64_t runs = (rows + run_rows - 1) / run_rows;
  std::vector<float> partial(static_cast<size_t>(runs) * width);
  c.ParallelFor(runs, 0.8 * static_cast<double>(run_rows * size), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      float* sums = partial.data() + static_cast<size_t>(r) * width;
      for (int64_t row = r * run_rows; row < std::min(rows, (r + 1) * run_rows); ++row) {
        if (l.inner == 1) {
          ForDepth(size, [&](int64_t i) { f(row * size + i, i, sums + i); });
        } else {
          for (int64_t i = 0; i < size; ++i) f(row * size + i, row % l.channels, sums + row % l.channels);
        }
      }
    }
  });
  std::vector<double> totals(width);
  for (size_t i = 0; i < partial.size(); ++i) totals[i % width] += static_cast<double>(partial[i]);
  return totals;
}

}  // namespace headrace
