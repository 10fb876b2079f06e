// TensorSlice: a box within a tensor, which is what one part of a partitioned variable holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/shape.h"
#include "tensor/tensor.h"

namespace headrace {

/// One extent for each dimension of the whole.
struct HR_EXPORT TensorSlice {
  struct Extent {
    static constexpr int64_t kAll = -1;
    int64_t start = 0;
    int64_t length = kAll;
    friend bool operator==(const Extent&, const Extent&) = default;
  };
  std::vector<Extent> extents;

  /// The slice that is all of `whole`.
  static TensorSlice AllOf(const Shape& whole) { return {std::vector<Extent>(static_cast<size_t>(whole.rank()))}; }

  int rank() const { return static_cast<int>(extents.size()); }
  /// Replaces kAll by the dimension's extent. Errors: kInvalidArgument when the slice does not lie within `whole`.
  Result<TensorSlice> Within(const Shape& whole) const;
  /// REQUIRES: no kAll.
  Shape shape() const;
  /// True when the slice is all of `whole`.
  bool Covers(const Shape& whole) const;
  /// How many elements both have. REQUIRES: equal ranks, no kAll.
  int64_t SharedElements(const TensorSlice& other) const;
  /// "0,2:-": the form in which SaveV2 and RestoreV2 are told of it.
  std::string ToString() const;
  friend bool operator==(const TensorSlice&, const TensorSlice&) = default;
};

/// The shape of a whole tensor, and the part of it that is meant.
struct HR_EXPORT ShapeAndSlice {
  Shape shape;
  TensorSlice slice;  // within shape, no kAll
};

/// Reads "4 3 0,2:-": the whole's dimensions, then its slice. Errors: kInvalidArgument, quoting the text.
HR_EXPORT Result<ShapeAndSlice> ParseShapeAndSlice(std::string_view text);

/// Copies what `from_slice` and `to_slice` share of one whole tensor. The slices have no kAll.
/// REQUIRES: plain data or strings or variants, from.shape() == from_slice.shape(), to->shape() == to_slice.shape(),
/// equal dtypes.
HR_EXPORT void CopySharedPart(const TensorSlice& from_slice, const Tensor& from, const TensorSlice& to_slice,
                              Tensor* to);

/// The key under which a bundle keeps a slice of tensor `name`. Extents that are the whole dimension count as kAll.
HR_EXPORT std::string SliceKey(std::string_view name, const TensorSlice& slice);
/// True for keys that SliceKey makes: they begin with a zero byte, as no name does.
inline bool IsSliceKey(std::string_view key) { return key.starts_with('\0'); }

}  // namespace headrace
