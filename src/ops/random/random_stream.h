// RandomStream: the Philox stream of one random op, from which each call takes the next part.
#pragma once

#include <mutex>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/random/distributions.h"

namespace headrace {

/// Thread-safe. Seeded by the node's `seed` and `seed2`, or, where both are 0, by the system.
class RandomStream {
 public:
  explicit RandomStream(const KernelConstruction& c);
  /// Returns the stream at its present place, and passes over what TensorFlow sets aside for `outputs` numbers.
  Philox TakeOutputs(int64_t outputs) {
    return TakeBlocks(static_cast<uint64_t>(outputs) * static_cast<uint64_t>(kReservedBlocksPerOutput));
  }
  Philox TakeBlocks(uint64_t blocks);

 private:
  std::mutex mutex_;
  Philox blocks_;  // guarded by mutex_
};

/// Reads the shape in input 0. Errors: kInvalidArgument unless it is a vector of extents >= 0.
Result<Shape> ShapeInput(const KernelContext& c);

/// Output 0 has the shape that input 0 holds.
Status RandomShape(ShapeContext& c);

/// Allocates output 0 and fills it from `blocks`.
template <typename Distribution, typename T = typename Distribution::Type>
Status FillOutput(KernelContext& c, const Distribution& distribution, const Philox& blocks, const Shape& shape) {
  HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, shape));
  T* to = out->mutable_data<T>().data();
  const int64_t count = shape.num_elements();
  const double cost_ns = requires { Distribution::kBlocksPerGroup; }
  ? 100 : 30;
  c.ParallelFor((count + Distribution::kGroup - 1) / Distribution::kGroup, cost_ns,
                [&, to](int64_t begin, int64_t end) { FillGroups(distribution, blocks, begin, end, count, to); });
  return OkStatus();
}

}  // namespace headrace
