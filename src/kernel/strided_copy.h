// StridedCopy: moves elements between two arrays that walk one index space with strides of their own. Transposing, slicing,
// padding, tiling, broadcasting, reversing and concatenating are all this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernel/elements.h"
#include "kernel/kernel.h"
#include "tensor/shape.h"

namespace headrace {

/// The strides of a dense row-major array, in elements.
std::vector<int64_t> DenseStrides(std::span<const int64_t> dims);

/// One dimension of the index space; strides are in elements, those of the source may be 0 or negative.
struct CopyDim {
  int64_t extent;
  int64_t from_stride;
  int64_t to_stride;
};

/// The dimensions of a copy that repeats an array of shape `from` to shape `to`, as numpy broadcasts; none where it does not fit.
std::optional<std::vector<CopyDim>> BroadcastDims(const Shape& from, const Shape& to);

/// Copies to[sum of index * to_stride] = from[sum of index * from_stride] for every index; neighbouring dimensions that can be
/// walked as one are folded. The arrays do not overlap, no element of `to` is written twice. Splits large copies over the pool.
void StridedCopy(const KernelContext& context, DType dtype, std::span<const CopyDim> dims, const void* from, void* to);

}  // namespace headrace
