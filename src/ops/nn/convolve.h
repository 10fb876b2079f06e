// Convolver: runs one pass of a convolution over a batch, images split over the compute pool.
#pragma once

#include <mutex>
#include <vector>

#include "kernel/kernel.h"
#include "ops/nn/float_convolution.h"
#include "ops/nn/plain_convolution.h"

namespace headrace {

/// Thread-safe. Keeps what oneDNN prepared for the shapes that it met last.
class Convolver {
 public:
  explicit Convolver(ConvolutionPass pass) : pass_(pass) {}

  /// `in`, `filter` and `out` are whole; the pass writes one of the three. REQUIRES: no extent of `shape` is 0.
  Status RunFloat(KernelContext& c, const ConvolutionShape& shape, float* in, float* filter, float* out);

 private:
  using Prepared = std::shared_ptr<const FloatConvolution>;
  // The batch in parts of `images`; the last has fewer where they do not fit, for which `rest` is prepared.
  struct Plan {
    int64_t images = 0, parts = 0;
    Prepared whole, rest;
    const FloatConvolution& of(int64_t part) const { return rest && part == parts - 1 ? *rest : *whole; }
  };

  Result<Plan> MakePlan(const KernelContext& c, const ConvolutionShape& shape);
  Result<Prepared> Prepare(const ConvolutionShape& shape);
  Status ByImages(KernelContext& c, const ConvolutionShape& shape, const Plan& plan, float* in, const float* filter,
                  float* out) const;
  Status FilterGradient(KernelContext& c, const ConvolutionShape& shape, const Plan& plan, float* in, float* filter,
                        float* out) const;

  const ConvolutionPass pass_;
  std::mutex mutex_;
  std::vector<std::pair<ConvolutionShape, Prepared>> prepared_;  // the latest last; guarded by mutex_
};

/// The same as loops, for any type.
template <typename T>
void ConvolvePlainly(const KernelContext& c, ConvolutionPass pass, const ConvolutionShape& shape, T* in, T* filter,
                     T* out) {
  const PlainConvolution<T> loops(shape);
  const int64_t items = loops.items(pass);
  const double cost_ns = 1.5 * static_cast<double>(shape.batch) * shape.image_products() / static_cast<double>(items);
  c.ParallelFor(items, cost_ns, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      if (pass == ConvolutionPass::kForward) loops.Forward(in, filter, out, item);
      if (pass == ConvolutionPass::kBackwardInput) loops.BackwardInput(out, filter, in, item);
      if (pass == ConvolutionPass::kBackwardFilter) loops.BackwardFilter(in, out, filter, item);
    }
  });
}

}  // namespace headrace
