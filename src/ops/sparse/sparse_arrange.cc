// Entries of a sparse tensor picked or put in order. SparseReorder: row-major order, equal indices as they came.
// SparseSlice: the entries of a box, counted from its corner. SparseSliceGrad: gradients of those, 0 for the others.
// SparseSplit: num_split parts along a dimension, the first ones larger by one where it does not divide.
#include <algorithm>
#include <numeric>

#include "kernel/elements.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/signature_types.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

Status ReorderShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape indices, c.InputOfRank(0, 2));
  HR_RETURN_IF_ERROR(c.SetOutput(0, indices));
  return c.SetOutput(1, PartialShape({indices.dim(0)}));
}

// Entry numbers are reordered with the entries: where each went says where its gradient comes from.
Status ReorderGradient(GradientContext& c) {
  const GraphBuilder& b = c.builder();
  const Endpoint count = c.Op("Size", {c.input(1)});
  const Endpoint numbers = c.Op("Range", {b.Scalar<int32_t>(0), count, b.Scalar<int32_t>(1)});
  const Endpoint ordered = c.Op("SparseReorder", {c.input(0), numbers, c.input(2)}, {}, 1);
  const Endpoint inverse = c.Op("InvertPermutation", {ordered});
  return c.SetInputGradient(1, c.Op("GatherV2", {c.output_gradient(1), inverse, b.Scalar<int32_t>(0)}));
}

Status Reorder(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const SparseView sparse, ReadSparse(c, 0));
  std::vector<int64_t> order(static_cast<size_t>(sparse.size()));
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](int64_t a, int64_t b) {
    return std::ranges::lexicographical_compare(sparse.row(a), sparse.row(b));
  };
  if (std::ranges::is_sorted(order, before)) {
    HR_RETURN_IF_ERROR(c.SetOutput(0, c.input(0)));
    return c.SetOutput(1, c.input(1));
  }
  std::ranges::stable_sort(order, before);
  HR_ASSIGN_OR_RETURN(Tensor* const indices, c.AllocateOutput(0, c.input(0).shape()));
  auto out = indices->mutable_data<int64_t>().begin();
  for (const int64_t entry : order) out = std::ranges::copy(sparse.row(entry), out).out;
  return SetPicked(c, 1, *sparse.values, order);
}

/// Entries that are kept, and their new indices.
struct Kept {
  std::vector<int64_t> entries, indices;

  Status Set(KernelContext& c, int indices_output, int values_output, int shape_output, const SparseView& from,
             std::span<const int64_t> shape) const {
    HR_ASSIGN_OR_RETURN(Tensor* const out, c.AllocateOutput(indices_output, Shape({std::ssize(entries), from.rank()})));
    std::ranges::copy(indices, out->mutable_data<int64_t>().begin());
    HR_RETURN_IF_ERROR(SetPicked(c, values_output, *from.values, entries));
    return SetInt64Vector(c, shape_output, shape);
  }
};

Status SliceShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const int64_t rank, SparseRank(c, 0, 2));
  HR_RETURN_IF_ERROR(c.RequireRank(3, 1));
  HR_RETURN_IF_ERROR(c.RequireRank(4, 1));
  return SetSparseShapes(c, 0, PartialShape::kUnknownDim, rank);
}

Status SliceGradient(GradientContext& c) {
  return c.SetInputGradient(1, c.Op("SparseSliceGrad", {c.output_gradient(1), c.input(0), c.input(3), c.output(0)}));
}

Status Slice(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const SparseView sparse, ReadSparse(c, 0));
  const Tensor &start = c.input(3), &size = c.input(4);
  if (start.rank() != 1 || start.dim(0) != sparse.rank())
    return InvalidArgument("Expected start to be a vector of length ", sparse.rank(), " but got length ", start);
  if (size.rank() != 1 || size.dim(0) != sparse.rank())
    return InvalidArgument("Expected size to be a vector of length ", sparse.rank(), " but got length ", size);
  std::vector<int64_t> shape(sparse.shape.begin(), sparse.shape.end());
  for (size_t d = 0; d < shape.size(); ++d) {
    const int64_t begin = start.data<int64_t>()[d], extent = size.data<int64_t>()[d];
    if (begin < 0 || extent < 0)
      return InvalidArgument("SparseSlice: start and size must not be negative: start=",
                             IndexText(start.data<int64_t>()), " size=", IndexText(size.data<int64_t>()));
    shape[d] = begin < shape[d] ? std::min(extent, shape[d] - begin) : 0;
  }
  Kept kept;
  for (int64_t i = 0; i < sparse.size(); ++i) {
    const std::span<const int64_t> row = sparse.row(i);
    bool inside = true;
    for (size_t d = 0; inside && d < shape.size(); ++d) {
      const int64_t begin = start.data<int64_t>()[d];
      inside = row[d] >= begin && row[d] - begin < shape[d];
    }
    if (!inside) continue;
    kept.entries.push_back(i);
    for (size_t d = 0; d < shape.size(); ++d) kept.indices.push_back(row[d] - start.data<int64_t>()[d]);
  }
  return kept.Set(c, 0, 1, 2, sparse, shape);
}

Status SliceGradShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape indices, c.InputOfRank(1, 2));
  return c.SetOutput(0, PartialShape({indices.dim(0)}));
}

// Both lists of indices are in the same order.
Status SliceGrad(KernelContext& c) {
  const Tensor &gradient = c.input(0), &input = c.input(1), &start = c.input(2), &output = c.input(3);
  if (gradient.rank() != 1 || input.rank() != 2 || output.rank() != 2 || start.rank() != 1) {
    return InvalidArgument("SparseSliceGrad: expected a vector, a matrix, a vector and a matrix, got ", gradient, " ",
                           input, " ", start, " ", output);
  }
  if (input.dim(1) != output.dim(1) || input.dim(1) != start.dim(0) || output.dim(0) != gradient.dim(0)) {
    return InvalidArgument("SparseSliceGrad: sizes do not fit: backprop_val_grad=", gradient, " input_indices=", input,
                           " input_start=", start, " output_indices=", output);
  }
  HR_ASSIGN_OR_RETURN(Tensor* const out, c.AllocateOutput(0, Shape({input.dim(0)})));
  const Elements elements(gradient.dtype());
  elements.FillZero(out->mutable_raw(), out->num_elements());
  const auto rank = static_cast<size_t>(input.dim(1));
  const int64_t* from = input.data<int64_t>().data();
  const int64_t* kept = output.data<int64_t>().data();
  int64_t next = 0;
  for (int64_t i = 0; i < input.dim(0) && next < output.dim(0); ++i, from += rank) {
    bool same = true;
    for (size_t d = 0; same && d < rank; ++d) same = from[d] == kept[d] + start.data<int64_t>()[d];
    if (!same) continue;
    elements.Copy(elements.At(gradient.raw(), next++), elements.At(out->mutable_raw(), i), 1);
    kept += rank;
  }
  if (next < output.dim(0)) {
    return Internal("Elements of backprop_val_grad aren't all propagated. Num elements:", output.dim(0),
                    ", used: ", next);
  }
  return OkStatus();
}

Status SplitShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const int64_t rank, SparseRank(c, 1, 3));
  const int parts = c.num_outputs() / 3;
  for (int i = 0; i < parts; ++i) {
    HR_RETURN_IF_ERROR(c.SetOutput(i, PartialShape({PartialShape::kUnknownDim, rank})));
    HR_RETURN_IF_ERROR(c.SetOutput(parts + i, PartialShape::UnknownOfRank(1)));
    HR_RETURN_IF_ERROR(c.SetOutput(2 * parts + i, PartialShape({rank})));
  }
  return OkStatus();
}

Status Split(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const SparseView sparse, ReadSparse(c, 1));
  if (c.input(0).num_elements() != 1) return InvalidArgument("split_dim should be a scalar, is ", c.input(0));
  HR_ASSIGN_OR_RETURN(const int axis, ReadAxis("SparseSplit", c.input(0), static_cast<int>(sparse.rank())));
  const auto at = static_cast<size_t>(axis);
  const int64_t parts = c.num_outputs() / 3, extent = sparse.shape[at];
  if (parts < 1 || parts > extent) {
    return InvalidArgument("Input num_split should be between 1 and the splitting dimension size (", extent, "), got ",
                           parts);
  }
  const int64_t least = extent / parts, larger = extent % parts;  // the first `larger` parts have one more
  std::vector<Kept> kept(static_cast<size_t>(parts));
  for (int64_t i = 0; i < sparse.size(); ++i) {
    const std::span<const int64_t> row = sparse.row(i);
    const int64_t index = row[at];
    if (index < 0 || index >= extent) return OutOfBounds(i, row, sparse.shape);
    const int64_t boundary = larger * (least + 1);
    const int64_t part = index < boundary ? index / (least + 1) : larger + (index - boundary) / least;
    const int64_t begin = part * least + std::min(part, larger);
    Kept& to = kept[static_cast<size_t>(part)];
    to.entries.push_back(i);
    to.indices.insert(to.indices.end(), row.begin(), row.end());
    to.indices[to.indices.size() - row.size() + at] -= begin;
  }
  std::vector<int64_t> shape(sparse.shape.begin(), sparse.shape.end());
  const int num = static_cast<int>(parts);
  for (int part = 0; part < num; ++part) {
    shape[at] = least + (part < larger ? 1 : 0);
    HR_RETURN_IF_ERROR(kept[static_cast<size_t>(part)].Set(c, part, num + part, 2 * num + part, sparse, shape));
  }
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> SparseArrangeOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("SparseReorder(input_indices: i64, input_values: T, input_shape: i64) -> "
                             "(output_indices: i64, output_values: T) | T: type")
                    .Shape(ReorderShape)
                    .Gradient(ReorderGradient)
                    .Kernels(AnyType(FunctionKernel(Reorder))));
  ops.push_back(OpDefinition("SparseSlice(indices: i64, values: T, shape: i64, start: i64, size: i64) -> "
                             "(output_indices: i64, output_values: T, output_shape: i64) | T: type")
                    .Shape(SliceShape)
                    .Gradient(SliceGradient)
                    .Kernels(AnyType(FunctionKernel(Slice))));
  ops.push_back(OpDefinition(StrCat("SparseSliceGrad(backprop_val_grad: T, input_indices: i64, input_start: i64, "
                                    "output_indices: i64) -> (val_grad: T) | T: type in ",
                                    kNumberTypes))
                    .Shape(SliceGradShape)
                    .NoGradient("TensorFlow has none")
                    .Kernels(AnyType(FunctionKernel(SliceGrad))));
  ops.push_back(OpDefinition("SparseSplit(split_dim: i64, indices: i64, values: T, shape: i64) -> (output_indices: "
                             "num_split * i64, output_values: num_split * T, output_shape: num_split * i64) | "
                             "num_split: int >= 1 | T: type")
                    .Shape(SplitShape)
                    .NoGradient("TensorFlow has none")
                    .Kernels(AnyType(FunctionKernel(Split))));
  return ops;
}

}  // namespace headrace
