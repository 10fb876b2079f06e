// SparseConcat: sparse tensors joined along a dimension, in which their shapes may differ; the entries in row-major order
// where those of the inputs are.
#include <algorithm>
#include <numeric>

#include "kernel/elements.h"
#include "ops/integers.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

Status ConcatShape(ShapeContext& c) {
  const int count = c.num_inputs() / 3;
  int64_t rank = PartialShape::kUnknownDim, entries = 0;
  for (int i = 0; i < count; ++i) {
    HR_ASSIGN_OR_RETURN(const int64_t own, SparseRank(c, i, 2 * count + i));
    if (own >= 0 && rank >= 0 && own != rank)
      return InvalidArgument("Ranks of all input tensors must match: expected ", rank, " but got ", own,
                             " at position ", i);
    rank = std::max(rank, own);
    const int64_t rows = c.input(i).has_rank() ? c.input(i).dim(0) : PartialShape::kUnknownDim;
    entries = rows < 0 || entries < 0 ? PartialShape::kUnknownDim : entries + rows;
  }
  return SetSparseShapes(c, 0, entries, rank);
}

class SparseConcatKernel final : public Kernel {
 public:
  explicit SparseConcatKernel(KernelConstruction& c) : concat_dim_(c.attr<int64_t>("concat_dim")) {}

  Status Compute(KernelContext& c) override {
    const int count = c.num_inputs() / 3;
    std::vector<SparseView> parts;
    for (int i = 0; i < count; ++i) {
      HR_ASSIGN_OR_RETURN(parts.emplace_back(), ReadSparse(c.input(i), c.input(count + i), c.input(2 * count + i)));
    }
    HR_ASSIGN_OR_RETURN(const int axis, NormalizeAxis("SparseConcat", concat_dim_, static_cast<int>(parts[0].rank())));
    const auto at = static_cast<size_t>(axis);
    std::vector<int64_t> shape(parts[0].shape.begin(), parts[0].shape.end()), offsets;
    int64_t total = 0, extent = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      HR_RETURN_IF_ERROR(CheckFits(parts[i], shape, at, i));
      offsets.push_back(extent);
      if (__builtin_add_overflow(extent, parts[i].shape[at], &extent))
        return InvalidArgument("SparseConcat: the joined extent is too large");
      total += parts[i].size();
    }
    shape[at] = extent;
    HR_RETURN_IF_ERROR(SetInt64Vector(c, 2, shape));
    return Join(c, parts, offsets, at, total);
  }

 private:
  static Status CheckFits(const SparseView& part, const std::vector<int64_t>& shape, size_t at, size_t i) {
    if (part.shape.size() != shape.size()) {
      return InvalidArgument("Ranks of all input tensors must match: expected ", shape.size(), " but got ", part.rank(),
                             " at position ", i);
    }
    for (size_t d = 0; d < shape.size(); ++d) {
      if (d != at && part.shape[d] != shape[d]) {
        return InvalidArgument("Input shapes must match: expected ", shape[d], " for dimension ", d, " but got ",
                               part.shape[d], " at position ", i);
      }
    }
    return OkStatus();
  }

  static Status Join(KernelContext& c, const std::vector<SparseView>& parts, const std::vector<int64_t>& offsets,
                     size_t at, int64_t total) {
    const size_t rank = parts[0].shape.size();
    std::vector<int64_t> indices;
    indices.reserve(static_cast<size_t>(total) * rank);
    HR_ASSIGN_OR_RETURN(Tensor values, c.AllocateTemporary(parts[0].values->dtype(), Shape({total})));
    const Elements elements(values.dtype());
    int64_t done = 0;
    for (size_t p = 0; p < parts.size(); ++p) {
      const size_t begin = indices.size();
      indices.insert(indices.end(), parts[p].indices.begin(), parts[p].indices.end());
      for (size_t k = begin + at; k < indices.size(); k += rank) indices[k] += offsets[p];
      elements.Copy(parts[p].values->raw(), elements.At(values.mutable_raw(), done), parts[p].size());
      done += parts[p].size();
    }
    std::vector<int64_t> order(static_cast<size_t>(total));
    std::iota(order.begin(), order.end(), 0);
    const auto row = [&](int64_t i) { return std::span(indices).subspan(static_cast<size_t>(i) * rank, rank); };
    if (at > 0) {  // along the first dimension they are in order already
      std::ranges::stable_sort(
          order, [&](int64_t a, int64_t b) { return std::ranges::lexicographical_compare(row(a), row(b)); });
    }
    HR_ASSIGN_OR_RETURN(Tensor* const out, c.AllocateOutput(0, Shape({total, static_cast<int64_t>(rank)})));
    auto to = out->mutable_data<int64_t>().begin();
    for (const int64_t i : order) to = std::ranges::copy(row(i), to).out;
    return SetPicked(c, 1, values, order);
  }

  const int64_t concat_dim_;
};

}  // namespace

std::vector<OpDefinition> SparseConcatOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("SparseConcat(indices: N * i64, values: N * T, shapes: N * i64) -> (output_indices: i64, "
                             "output_values: T, output_shape: i64) | concat_dim: int | N: int >= 2 | T: type")
                    .Shape(ConcatShape)
                    .NoGradient("TensorFlow has none")
                    .Kernels(AnyType(ClassKernel<SparseConcatKernel>())));
  return ops;
}

}  // namespace headrace
