#include "ops/sparse/sparse_tensor.h"

#include <algorithm>

#include "base/strings.h"
#include "kernel/elements.h"

namespace headrace {

Result<SparseView> ReadSparse(const Tensor& indices, const Tensor& values, const Tensor& shape) {
  if (indices.rank() != 2)
    return InvalidArgument("Input indices should be a matrix but received shape ", indices.shape());
  if (values.rank() != 1) return InvalidArgument("Input values should be a vector but received shape ", values.shape());
  if (shape.rank() != 1) return InvalidArgument("Input shape should be a vector but received shape ", shape.shape());
  if (values.dim(0) != indices.dim(0)) {
    return InvalidArgument("Number of values must match first dimension of indices. Got ", values.dim(0),
                           " values, indices shape: ", indices.shape());
  }
  if (shape.dim(0) != indices.dim(1)) {
    return InvalidArgument("Number of dimensions must match second dimension of indices. Got ", shape.dim(0),
                           " dimensions, indices shape: ", indices.shape());
  }
  const SparseView sparse{.indices = indices.data<int64_t>(), .values = &values, .shape = shape.data<int64_t>()};
  for (const int64_t extent : sparse.shape) {
    if (extent < 0) return InvalidArgument("The dense shape has a negative extent: ", IndexText(sparse.shape));
  }
  return sparse;
}

Result<SparseView> ReadSparse(const KernelContext& c, int first) {
  return ReadSparse(c.input(first), c.input(first + 1), c.input(first + 2));
}

int64_t PlaceOf(std::span<const int64_t> index, std::span<const int64_t> extents) {
  int64_t place = 0;
  for (size_t d = 0; d < extents.size(); ++d) {
    if (index[d] < 0 || index[d] >= extents[d]) return -1;
    place = place * extents[d] + index[d];
  }
  return place;
}

std::string IndexText(std::span<const int64_t> index) { return StrCat("[", StrJoin(index, ","), "]"); }

Status OutOfBounds(int64_t entry, std::span<const int64_t> index, std::span<const int64_t> extents) {
  return InvalidArgument("indices[", entry, "] = ", IndexText(index), " is out of bounds: need 0 <= index < ",
                         IndexText(extents));
}

Result<std::vector<int64_t>> PlacesOf(const SparseView& sparse) {
  HR_RETURN_IF_ERROR(Shape::Make(sparse.shape).status());
  std::vector<int64_t> places(static_cast<size_t>(sparse.size()));
  for (int64_t i = 0; i < sparse.size(); ++i) {
    const int64_t place = PlaceOf(sparse.row(i), sparse.shape);
    if (place < 0) return OutOfBounds(i, sparse.row(i), sparse.shape);
    places[static_cast<size_t>(i)] = place;
  }
  return places;
}

Status SetInt64Vector(KernelContext& c, int i, std::span<const int64_t> numbers) {
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(i, Shape({std::ssize(numbers)})));
  std::ranges::copy(numbers, output->mutable_data<int64_t>().begin());
  return OkStatus();
}

Status SetInt64Matrix(KernelContext& c, int i, std::span<const int64_t> numbers, int64_t columns) {
  const int64_t rows = columns == 0 ? 0 : std::ssize(numbers) / columns;
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(i, Shape({rows, columns})));
  std::ranges::copy(numbers, output->mutable_data<int64_t>().begin());
  return OkStatus();
}

Status SetPicked(KernelContext& c, int i, const Tensor& values, std::span<const int64_t> entries) {
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(i, Shape({std::ssize(entries)})));
  const Elements elements(values.dtype());
  for (size_t k = 0; k < entries.size(); ++k) {
    elements.Copy(elements.At(values.raw(), entries[k]), elements.At(output->mutable_raw(), static_cast<int64_t>(k)),
                  1);
  }
  return OkStatus();
}

Status SetSparseShapes(ShapeContext& c, int first, int64_t entries, int64_t rank) {
  HR_RETURN_IF_ERROR(c.SetOutput(first, PartialShape({entries, rank})));
  HR_RETURN_IF_ERROR(c.SetOutput(first + 1, PartialShape({entries})));
  return first + 2 < c.num_outputs() ? c.SetOutput(first + 2, PartialShape({rank})) : OkStatus();
}

Result<int64_t> SparseRank(const ShapeContext& c, int indices, int shape) {
  HR_ASSIGN_OR_RETURN(const PartialShape rows, c.InputOfRank(indices, 2));
  HR_ASSIGN_OR_RETURN(const PartialShape extents, c.InputOfRank(shape, 1));
  if (rows.dim(1) >= 0 && extents.dim(0) >= 0 && rows.dim(1) != extents.dim(0)) {
    return InvalidArgument(c.node().op(), ": indices have ", rows.dim(1), " columns, the dense shape has ",
                           extents.dim(0), " dimensions");
  }
  return std::max(rows.dim(1), extents.dim(0));
}

}  // namespace headrace
