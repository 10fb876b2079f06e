// Rows of a tensor picked by an index tensor: the checks and the copy that gathers, scatters and sparse updates share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace headrace {

/// Indices of dtype i32 or i64, each checked to lie in [0, limit). Refers to the tensor, which outlives it.
class RowIndices {
 public:
  RowIndices(RowIndices&&) = default;  // not copyable: values_ may refer to widened_
  RowIndices& operator=(RowIndices&&) = default;
  /// Returns the position of the first index outside [0, limit), or -1.
  static int64_t FindOutOfRange(const Tensor& indices, int64_t limit);
  /// Errors: kInvalidArgument "indices[1,1] = -1 is not in [0, 3)", as TensorFlow says it.
  static Result<RowIndices> Make(const Tensor& indices, int64_t limit);
  /// REQUIRES: FindOutOfRange found none.
  static RowIndices Unchecked(const Tensor& indices);

  int64_t size() const { return static_cast<int64_t>(values_.size()); }
  int64_t operator[](int64_t i) const { return values_[static_cast<size_t>(i)]; }
  std::span<const int64_t> values() const { return values_; }

 private:
  RowIndices() = default;
  std::vector<int64_t> widened_;  // of i32 indices
  std::span<const int64_t> values_;
};

/// Element i of a tensor of indices, as i64. REQUIRES: dtype i32 or i64.
inline int64_t IndexAt(const Tensor& indices, int64_t i) {
  return indices.dtype() == DType::kInt32 ? indices.data<int32_t>()[static_cast<size_t>(i)]
                                          : indices.data<int64_t>()[static_cast<size_t>(i)];
}

/// The place of element `flat` in a tensor of shape `shape`: "[1,1]", and "" in a scalar.
std::string ElementPosition(const Shape& shape, int64_t flat);

/// Copies rows of `row_elements` elements, table row `base + rows[i]` to row i of `out`, both counted from element 0 of `table`
/// and from element `out_begin` of `out`. REQUIRES: all of them exist, and equal dtypes.
void GatherRows(const Tensor& table, int64_t row_elements, std::span<const int64_t> rows, int64_t base, Tensor* out,
                int64_t out_begin);

/// Hints that the row at `address` is wanted soon. Any address is fine.
inline void PrefetchRow(const void* base, int64_t offset_bytes) {
  __builtin_prefetch(
      reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(base) + static_cast<uintptr_t>(offset_bytes)));
}

}  // namespace headrace
