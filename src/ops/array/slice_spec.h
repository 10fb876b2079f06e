// SliceSpec: what x[begin:end:stride, ..., newaxis, 3] selects, in numpy's and TensorFlow's sense. SliceLayout: how that lies in x.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernel/strided_copy.h"
#include "tensor/shape.h"

namespace headrace {

/// Bit i of a mask speaks of item i of begin, end and strides.
struct SliceMasks {
  int64_t begin = 0;        // begin[i] is ignored: from the first element
  int64_t end = 0;          // end[i] is ignored: to the last element
  int64_t ellipsis = 0;     // item i is "...": as many full dimensions as are missing; at most one bit
  int64_t new_axis = 0;     // item i adds a dimension of 1
  int64_t shrink_axis = 0;  // item i is one index; its dimension goes

  template <typename Source>  // ShapeContext, KernelConstruction
  static SliceMasks Of(const Source& source) {
    return {source.template attr<int64_t>("begin_mask"), source.template attr<int64_t>("end_mask"),
            source.template attr<int64_t>("ellipsis_mask"), source.template attr<int64_t>("new_axis_mask"),
            source.template attr<int64_t>("shrink_axis_mask")};
  }
};

/// The attributes in which an op's signature has the masks.
inline constexpr std::string_view kSliceMaskAttrs =
    " | begin_mask: int = 0 | end_mask: int = 0 | ellipsis_mask: int = 0 | new_axis_mask: int = 0 | "
    "shrink_axis_mask: int = 0";

/// A slice resolved for one input shape.
struct SliceSpec {
  struct Dim {
    int64_t begin, stride, extent;  // of the input's dimension; -1 for an unknown extent
  };
  std::vector<Dim> dims;             // one for each dimension of the input
  std::vector<int64_t> final_shape;  // with new dimensions, without shrunk ones; -1 unknown

  /// `input` may have unknown extents (-1). Errors: kInvalidArgument, with TensorFlow's texts.
  static Result<SliceSpec> Resolve(std::span<const int64_t> input, const std::vector<int64_t>& begin,
                                   const std::vector<int64_t>& end, const std::vector<int64_t>& strides,
                                   const SliceMasks& masks);
};

/// How a slice lies in an array of known shape: dimensions of the copy, and the first element.
struct SliceLayout {
  std::vector<CopyDim> dims;  // from: the array's strides; to: the slice's
  int64_t offset = 0;
  Shape shape;  // the slice's

  static Result<SliceLayout> Make(const Shape& input, const SliceSpec& spec);
  /// The layout for a copy into the array.
  void Reverse();
};

}  // namespace headrace
