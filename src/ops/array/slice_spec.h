// SliceSpec: what x[begin:end:stride, ..., newaxis, 3] selects, in numpy's and TensorFlow's sense.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/shape.h"

namespace headrace {

/// Bit i of a mask speaks of item i of begin, end and strides.
struct SliceMasks {
  int64_t begin = 0;        // begin[i] is ignored: from the first element
  int64_t end = 0;          // end[i] is ignored: to the last element
  int64_t ellipsis = 0;     // item i is "...": as many full dimensions as are missing; at most one bit
  int64_t new_axis = 0;     // item i adds a dimension of 1
  int64_t shrink_axis = 0;  // item i is one index; its dimension goes
};

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

}  // namespace headrace
