#include "ops/random/random_stream.h"

#include "os/clock.h"

namespace headrace {

namespace {

Philox Seeded(const KernelConstruction& c) {
  const auto seed = static_cast<uint64_t>(c.attr<int64_t>("seed")),
             seed2 = static_cast<uint64_t>(c.attr<int64_t>("seed2"));
  return seed == 0 && seed2 == 0 ? Philox(RandomBits(), RandomBits()) : Philox(seed, seed2);
}

template <typename T> std::vector<int64_t> Widened(const Tensor& values) {
  return std::vector<int64_t>(values.data<T>().begin(), values.data<T>().end());
}

}  // namespace

RandomStream::RandomStream(const KernelConstruction& c) : blocks_(Seeded(c)) {}

Philox RandomStream::TakeBlocks(uint64_t blocks) {
  std::lock_guard lock(mutex_);
  const Philox here = blocks_;
  blocks_.Skip(blocks);
  return here;
}

Result<Shape> ShapeInput(const KernelContext& c) {
  const Tensor& shape = c.input(0);
  if (shape.rank() != 1) return InvalidArgument("shape must be a vector of {int32,int64}, got shape ", shape.shape());
  const std::vector<int64_t> dims = shape.dtype() == DType::kInt32 ? Widened<int32_t>(shape) : Widened<int64_t>(shape);
  for (int64_t dim : dims) {
    if (dim < 0) return InvalidArgument("Dimension ", dim, " must be >= 0");
  }
  return Shape::Make(dims);
}

Status RandomShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 1));
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.ShapeFromInput(0));
  return c.SetOutput(0, std::move(shape));
}

}  // namespace headrace
