#include "checkpoint/tensor_slice.h"

#include <algorithm>

namespace headrace {

Result<TensorSlice> TensorSlice::Within(const Shape& whole) const {
  if (rank() != whole.rank()) {
    return InvalidArgument("slice ", ToString(), " has ", rank(), " extents for a tensor of shape ", whole);
  }
  TensorSlice within = *this;
  for (int i = 0; i < rank(); ++i) {
    Extent& extent = within.extents[static_cast<size_t>(i)];
    if (extent.length == Extent::kAll && extent.start == 0) extent.length = whole.dim(i);
    if (extent.start < 0 || extent.length < 0 || extent.start > whole.dim(i) ||
        extent.length > whole.dim(i) - extent.start) {
      return InvalidArgument("slice ", ToString(), " does not lie within shape ", whole);
    }
  }
  return within;
}

Shape TensorSlice::shape() const {
  Shape shape;
  for (const Extent& extent : extents) shape.AppendDim(extent.length);
  return shape;
}

bool TensorSlice::Covers(const Shape& whole) const {
  if (rank() != whole.rank()) return false;
  for (int i = 0; i < rank(); ++i) {
    const Extent& extent = extents[static_cast<size_t>(i)];
    if (extent.start != 0 || (extent.length != Extent::kAll && extent.length != whole.dim(i))) return false;
  }
  return true;
}

int64_t TensorSlice::SharedElements(const TensorSlice& other) const {
  int64_t num_elements = 1;
  for (size_t i = 0; i < extents.size(); ++i) {
    const Extent &a = extents[i], &b = other.extents[i];
    const int64_t length = std::min(a.start + a.length, b.start + b.length) - std::max(a.start, b.start);
    if (length <= 0) return 0;
    num_elements *= length;
  }
  return num_elements;
}

std::string TensorSlice::ToString() const {
  std::vector<std::string> texts;
  for (const Extent& extent : extents) {
    texts.push_back(extent == Extent{} ? "-" : StrCat(extent.start, ",", extent.length));
  }
  return StrJoin(texts, ":");
}

Result<ShapeAndSlice> ParseShapeAndSlice(std::string_view text) {
  const auto malformed = [text] {
    return InvalidArgument("Need dimensions and a slice such as \"4 3 0,2:-\" in the shape_and_slice specification: '",
                           text, "'");
  };
  const std::vector<std::string> words = StrSplit(text, ' ');
  if (words.empty()) return malformed();
  std::vector<int64_t> dims(words.size() - 1);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (!ParseInt64(words[i], &dims[i])) return malformed();
  }
  TensorSlice slice;
  for (const std::string& part : StrSplit(words.back(), ':')) {
    TensorSlice::Extent extent;
    const size_t comma = part.find(',');
    if (part != "-" &&
        (comma == std::string::npos || !ParseInt64(std::string_view(part).substr(0, comma), &extent.start) ||
         !ParseInt64(std::string_view(part).substr(comma + 1), &extent.length) || extent.start < 0 ||
         extent.length <= 0)) {
      return malformed();
    }
    slice.extents.push_back(extent);
  }
  Result<Shape> shape = Shape::Make(dims);
  Result<TensorSlice> within = shape.ok() ? slice.Within(*shape) : shape.status();
  if (!within.ok()) return InvalidArgument("shape_and_slice specification '", text, "': ", within.status().message());
  return ShapeAndSlice{*std::move(shape), *std::move(within)};
}

namespace {

/// The part of a dimension that two extents share: where it begins in each of them, and how long it is.
struct SharedExtent {
  int64_t in_from;
  int64_t in_to;
  int64_t length;
};

template <typename T>
void CopyElements(const Tensor& from, int64_t from_begin, Tensor* to, int64_t to_begin, int64_t length) {
  std::copy_n(from.data<T>().begin() + from_begin, length, to->mutable_data<T>().begin() + to_begin);
}

/// A copy of a box from one tensor to another, row by row.
struct BoxCopy {
  const std::vector<SharedExtent>& shared;
  const Tensor& from;
  Tensor* to;

  void Run(size_t dim, int64_t from_row, int64_t to_row) const {
    if (dim == shared.size()) return CopyRow(from_row, to_row, 1);
    const SharedExtent& extent = shared[dim];
    const int64_t from_begin = from_row * from.dim(static_cast<int>(dim)) + extent.in_from;
    const int64_t to_begin = to_row * to->dim(static_cast<int>(dim)) + extent.in_to;
    if (dim + 1 == shared.size()) return CopyRow(from_begin, to_begin, extent.length);
    for (int64_t i = 0; i < extent.length; ++i) Run(dim + 1, from_begin + i, to_begin + i);
  }

  void CopyRow(int64_t from_begin, int64_t to_begin, int64_t length) const {
    if (from.dtype() == DType::kString) return CopyElements<std::string>(from, from_begin, to, to_begin, length);
    if (from.dtype() == DType::kVariant) return CopyElements<Variant>(from, from_begin, to, to_begin, length);
    const int64_t bytes = DTypeSize(from.dtype());
    std::memcpy(static_cast<char*>(to->mutable_raw()) + to_begin * bytes,
                static_cast<const char*>(from.raw()) + from_begin * bytes, static_cast<size_t>(length * bytes));
  }
};

}  // namespace

void CopySharedPart(const TensorSlice& from_slice, const Tensor& from, const TensorSlice& to_slice, Tensor* to) {
  if (from_slice.SharedElements(to_slice) == 0) return;
  std::vector<SharedExtent> shared;
  for (size_t i = 0; i < from_slice.extents.size(); ++i) {
    const TensorSlice::Extent &a = from_slice.extents[i], &b = to_slice.extents[i];
    const int64_t begin = std::max(a.start, b.start), end = std::min(a.start + a.length, b.start + b.length);
    shared.push_back({begin - a.start, begin - b.start, end - begin});
  }
  BoxCopy{shared, from, to}.Run(0, 0, 0);
}

}  // namespace headrace
