#include "ops/array/indexed_parts.h"

#include "ops/integers.h"

namespace headrace {

Result<IndexedParts> IndexedParts::Make(std::string_view op, const Tensor& indices, const Shape& shape) {
  if (indices.rank() < 1) return InvalidArgument(op, ": indices must be at least a vector, is ", indices);
  const int64_t depth = indices.dim(indices.rank() - 1);
  if (depth > shape.rank()) {
    return InvalidArgument("index innermost dimension length must be <= params rank; saw: ", depth, " vs. ",
                           shape.rank());
  }
  IndexedParts slices;
  for (int d = static_cast<int>(depth); d < shape.rank(); ++d) slices.slice_elements *= shape.dim(d);
  int64_t tuples = 1;
  for (int d = 0; d + 1 < indices.rank(); ++d) tuples *= indices.dim(d);
  slices.places.assign(static_cast<size_t>(tuples), 0);
  for (int64_t t = 0; t < tuples; ++t) {
    int64_t& place = slices.places[static_cast<size_t>(t)];
    for (int64_t d = 0; d < depth && place >= 0; ++d) {
      const int64_t index = IntegerAt(indices, t * depth + d), extent = shape.dim(static_cast<int>(d));
      place = index < 0 || index >= extent ? -1 : place * extent + index;
    }
  }
  return slices;
}

std::string IndexTuple(const Tensor& indices, int64_t t) {
  const int64_t depth = indices.dim(indices.rank() - 1);
  std::vector<int64_t> values;
  for (int64_t d = 0; d < depth; ++d) values.push_back(IntegerAt(indices, t * depth + d));
  std::vector<int64_t> position;
  for (int d = indices.rank() - 2; d >= 0; --d) {
    position.insert(position.begin(), t % indices.dim(d));
    t /= indices.dim(d);
  }
  return StrCat("indices[", StrJoin(position, ","), "] = [", StrJoin(values, ", "), "]");
}

Result<PartialShape> ShapeOfParts(const PartialShape& indices, const PartialShape& params) {
  if (!indices.has_rank() || !params.has_rank() || indices.rank() == 0 || indices.dim(indices.rank() - 1) < 0)
    return PartialShape();
  const int64_t depth = indices.dim(indices.rank() - 1);
  if (depth > params.rank()) {
    return InvalidArgument("index innermost dimension length must be <= params rank; saw: ", depth, " vs. ",
                           params.rank());
  }
  std::vector<int64_t> dims(indices.dims().begin(), indices.dims().end() - 1);
  dims.insert(dims.end(), params.dims().begin() + depth, params.dims().end());
  return PartialShape(std::move(dims));
}

}  // namespace headrace
