// ReduceJoin: strings joined over dimensions, the first one named running fastest; none named changes nothing.
// Errors: kInvalidArgument for a dimension out of range or named twice.
#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/integers.h"
#include "ops/io/io_ops.h"

namespace headrace {

namespace {

// The dimensions to join, from 0 on, in the order given.
Result<std::vector<int>> JoinedDims(const Tensor& indices, int rank) {
  std::vector<int> dims;
  for (const int64_t index : IntegersOf(indices)) {
    if (index < -rank || index >= rank) {
      return OutOfRange("Invalid reduction dimension ", index, " for input with ", rank, " dimension(s)");
    }
    const int dim = static_cast<int>(index < 0 ? index + rank : index);
    if (std::ranges::find(dims, dim) != dims.end()) return InvalidArgument("Duplicate reduction dimension ", index);
    dims.push_back(dim);
  }
  return dims;
}

Status ReduceJoinShape(ShapeContext& c) {
  const Tensor* indices = c.constant(1);
  const PartialShape& input = c.input(0);
  if (indices == nullptr || !input.has_rank()) return c.SetOutput(0, PartialShape());
  HR_ASSIGN_OR_RETURN(const std::vector<int> joined, JoinedDims(*indices, input.rank()));
  PartialShape shape = PartialShape::Scalar();
  for (int d = 0; d < input.rank(); ++d) {
    if (std::ranges::find(joined, d) == joined.end())
      shape.AppendDim(input.dim(d));
    else if (c.attr<bool>("keep_dims"))
      shape.AppendDim(1);
  }
  return c.SetOutput(0, std::move(shape));
}

class ReduceJoinKernel final : public Kernel {
 public:
  explicit ReduceJoinKernel(KernelConstruction& c)
      : keep_dims_(c.attr<bool>("keep_dims")), separator_(c.attr<std::string>("separator")) {}

  Status Compute(KernelContext& c) override {
    const Tensor& input = c.input(0);
    HR_ASSIGN_OR_RETURN(const std::vector<int> joined, JoinedDims(c.input(1), input.rank()));
    std::vector<int64_t> strides(static_cast<size_t>(input.rank()), 1), dims;
    for (int d = input.rank() - 2; d >= 0; --d)
      strides[static_cast<size_t>(d)] = strides[static_cast<size_t>(d) + 1] * input.dim(d + 1);
    std::vector<int64_t> starts = {0}, steps = {0};
    for (int d = 0; d < input.rank(); ++d) {
      const bool kept = std::ranges::find(joined, d) == joined.end();
      if (kept) Extend(&starts, input.dim(d), strides[static_cast<size_t>(d)]);
      if (kept || keep_dims_) dims.push_back(kept ? input.dim(d) : 1);
    }
    for (auto d = joined.rbegin(); d != joined.rend(); ++d)
      Extend(&steps, input.dim(*d), strides[static_cast<size_t>(*d)]);
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
    const std::span<const std::string> in = input.data<std::string>();
    const std::span<std::string> out = output->mutable_data<std::string>();
    for (size_t i = 0; i < out.size(); ++i) {
      for (size_t k = 0; k < steps.size(); ++k) {
        if (k > 0) out[i] += separator_;
        out[i] += in[static_cast<size_t>(starts[i] + steps[k])];
      }
    }
    return OkStatus();
  }

 private:
  // Each offset, followed by those of the other indices of one more dimension.
  static void Extend(std::vector<int64_t>* offsets, int64_t extent, int64_t stride) {
    std::vector<int64_t> all;
    for (const int64_t offset : *offsets) {
      for (int64_t i = 0; i < extent; ++i) all.push_back(offset + i * stride);
    }
    *offsets = std::move(all);
  }

  const bool keep_dims_;
  const std::string separator_;
};

}  // namespace

std::vector<OpDefinition> ReduceJoinOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("ReduceJoin(inputs: str, reduction_indices: i32) -> (output: str) | keep_dims: bool = false "
                   "| separator: string = ''")
          .Shape(ReduceJoinShape)
          .NoGradient("strings")
          .Kernels(AnyType(ClassKernel<ReduceJoinKernel>())));
  return ops;
}

}  // namespace headrace
