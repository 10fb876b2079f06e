// See indexed_slices.h.
#include "autodiff/indexed_slices.h"

#include <algorithm>
#include <utility>

namespace headrace {
namespace {

// All rows of all `slices`, one after the other.
IndexedSlices ConcatenateSlices(const GraphBuilder& builder, const std::vector<IndexedSlices>& slices) {
  const bool all_i32 =
      std::ranges::all_of(slices, [](const IndexedSlices& s) { return s.indices.dtype() == DType::kInt32; });
  std::vector<Endpoint> indices, values;
  for (const IndexedSlices& part : slices) {
    const bool widen = !all_i32 && part.indices.dtype() == DType::kInt32;
    indices.push_back(widen ? builder.Op("Cast", {part.indices}, {{"DstT", DType::kInt64}}) : part.indices);
    values.push_back(part.values);
  }
  const Endpoint axis = builder.Scalar<int32_t>(0);
  indices.push_back(axis);
  values.push_back(axis);
  IndexedSlices all;
  all.values = builder.Op("ConcatV2", std::move(values));
  all.indices = builder.Op("ConcatV2", std::move(indices));
  for (const IndexedSlices& part : slices) {
    if (!all.dense_shape) all.dense_shape = part.dense_shape;
  }
  return all;
}

// The first extent of a shape vector.
Endpoint FirstExtent(const GraphBuilder& builder, Endpoint shape) {
  const Endpoint zero = builder.Const(Tensor::Vector<int32_t>({0}));
  const Endpoint one = builder.Const(Tensor::Vector<int32_t>({1}));
  return builder.Op("StridedSlice", {shape, zero, one, one}, {{"shrink_axis_mask", 1}});
}

}  // namespace

Gradient SumGradients(const GraphBuilder& builder, const std::vector<Gradient>& gradients) {
  std::vector<Gradient> present;
  std::ranges::copy_if(gradients, std::back_inserter(present), &Gradient::exists);
  if (present.empty()) return {};
  if (present.size() == 1) return present.front();
  std::vector<IndexedSlices> slices;
  for (const Gradient& gradient : present) {
    if (gradient.slices() != nullptr) slices.push_back(*gradient.slices());
  }
  if (slices.size() == present.size()) return ConcatenateSlices(builder, slices);
  std::vector<Endpoint> dense;
  for (const Gradient& gradient : present) dense.push_back(ToDense(builder, gradient));
  return builder.Op("AddN", std::move(dense));
}

Endpoint ToDense(const GraphBuilder& builder, const Gradient& gradient) {
  if (gradient.dense() != nullptr) return *gradient.dense();
  if (gradient.slices() == nullptr) return {};
  const IndexedSlices& slices = *gradient.slices();
  if (!slices.dense_shape) {
    builder.Fail(
        InvalidArgument("Gradient: rows ", slices.values, " cannot be made a tensor: their dense shape is not known"));
    return {};
  }
  return builder.Op("UnsortedSegmentSum", {slices.values, slices.indices, FirstExtent(builder, slices.dense_shape)});
}

IndexedSlices SumDuplicateIndices(const GraphBuilder& builder, const IndexedSlices& slices) {
  Node* unique = builder.AddNode("Unique", {slices.indices}, {{"out_idx", DType::kInt32}});
  if (unique == nullptr) return {};
  const Endpoint indices{unique, 0};
  const Endpoint shape = builder.Op("Shape", {indices});
  const Endpoint values =
      builder.Op("UnsortedSegmentSum", {slices.values, Endpoint{unique, 1}, FirstExtent(builder, shape)});
  return IndexedSlices{.indices = indices, .values = values, .dense_shape = slices.dense_shape};
}

}  // namespace headrace
