// RandomShuffle: the rows of `value` (along dimension 0) in random order; of any dtype; a scalar comes back as it is. At equal
// seed and seed2 the order is TensorFlow's.
#include <algorithm>
#include <numeric>

#include "kernel/rows.h"
#include "ops/random/random_ops.h"
#include "ops/random/random_stream.h"

namespace headrace {

namespace {

class RandomShuffleKernel final : public Kernel {
 public:
  explicit RandomShuffleKernel(KernelConstruction& c) : stream_(c) {}

  Status Compute(KernelContext& c) override {
    const Tensor& value = c.input(0);
    const int64_t size = value.rank() == 0 ? 0 : value.dim(0);
    if (value.num_elements() <= 1 || size <= 1) return c.SetOutput(0, value);
    HR_ASSIGN_OR_RETURN(const Tensor order, Order(c, size));
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOutput(0, value.shape()));
    GatherRows(value, value.num_elements() / size, order.data<int64_t>(), 0, out, 0);
    return OkStatus();
  }

 private:
  // Each place in turn swaps with one that a 32-bit word picks among those from it on.
  Result<Tensor> Order(KernelContext& c, int64_t size) {
    if (size > std::numeric_limits<int32_t>::max())
      return InvalidArgument("RandomShuffle: ", size, " rows are over 2^31 - 1");
    HR_ASSIGN_OR_RETURN(Tensor made, c.AllocateTemporary(DType::kInt64, Shape({size})));
    const std::span<int64_t> order = made.mutable_data<int64_t>();
    std::iota(order.begin(), order.end(), int64_t{0});
    Philox blocks = stream_.TakeBlocks(static_cast<uint64_t>(size - 1 + 3) / 4);
    Philox::Block block{};
    for (size_t i = 0; i + 1 < order.size(); ++i) {
      if (i % 4 == 0) block = blocks.Next();
      std::swap(order[i], order[i + block[i % 4] % static_cast<uint32_t>(order.size() - i)]);
    }
    return made;
  }

  RandomStream stream_;
};

}  // namespace

OpDefinition RandomShuffle() {
  return OpDefinition("RandomShuffle(value: T) -> (output: T) | seed: int = 0 | seed2: int = 0 | T: type | stateful")
      .Shape(UnchangedShape)
      .NoGradient("random")
      .Kernels(AnyType(ClassKernel<RandomShuffleKernel>()));
}

}  // namespace headrace
