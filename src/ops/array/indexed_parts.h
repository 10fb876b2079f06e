// Parts of a tensor picked by index tuples, the last dimension of an index tensor: what GatherNd, ScatterNd and their kin share.
#pragma once

#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace headrace {

/// Index tuples resolved against a shape: the number of each tuple's part, or -1 where it is out of range.
struct IndexedParts {
  std::vector<int64_t> places;
  int64_t slice_elements = 1;  // elements of a part

  /// Errors: kInvalidArgument for tuples longer than the shape.
  static Result<IndexedParts> Make(std::string_view op, const Tensor& indices, const Shape& shape);
};

/// "indices[1] = [0, 5]": tuple number `tuple`.
std::string IndexTuple(const Tensor& indices, int64_t tuple);

/// The shape of indices without its last dimension, then that of a part. Errors: kInvalidArgument, as IndexedParts::Make.
Result<PartialShape> ShapeOfParts(const PartialShape& indices, const PartialShape& params);

}  // namespace headrace
