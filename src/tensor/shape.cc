#include "tensor/shape.h"

#include <algorithm>

#include "base/check.h"
#include "base/checked_math.h"

namespace headrace {

namespace {

std::optional<int64_t> Product(std::span<const int64_t> dims) {
  // An extent of zero makes the product zero even where the others alone would overflow; TensorFlow rejects those, so do we.
  int64_t product = 1;
  bool has_zero = false;
  for (int64_t dim : dims) {
    if (dim == 0) {
      has_zero = true;
      continue;
    }
    std::optional<int64_t> next = CheckedMultiply(product, dim);
    if (!next) return std::nullopt;
    product = *next;
  }
  return has_zero ? 0 : product;
}

std::string DimsText(std::span<const int64_t> dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) text += ',';
    text += dims[i] == PartialShape::kUnknownDim ? "?" : std::to_string(dims[i]);
  }
  return text + "]";
}

}  // namespace

Shape::Shape(std::span<const int64_t> dims) {
  for (int64_t dim : dims) HR_CHECK(dim >= 0);
  Assign(dims);
}

Result<Shape> Shape::Make(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) return InvalidArgument("Shape has rank ", dims.size(), ", the limit is ", kMaxRank);
  for (int64_t dim : dims) {
    if (dim < 0) return InvalidArgument("Shape has a negative dimension: ", DimsText(dims));
  }
  if (!Product(dims)) return InvalidArgument("Shape is too large: ", DimsText(dims), " has over 2^63 - 1 elements");
  Shape shape;
  shape.Assign(dims);
  return shape;
}

void Shape::Assign(std::span<const int64_t> dims) {
  const std::optional<int64_t> product = Product(dims);
  HR_CHECK(product.has_value() && dims.size() <= kMaxRank);
  num_elements_ = *product;
  rank_ = static_cast<int>(dims.size());
  if (rank_ > kInlineRank) {
    more_ = std::vector<int64_t>(dims.begin(), dims.end());
  } else {
    std::copy(dims.begin(), dims.end(), inline_);
    more_.clear();
  }
}

void Shape::SetDim(int i, int64_t extent) {
  std::vector<int64_t> all(dims().begin(), dims().end());
  all[static_cast<size_t>(i)] = extent;
  Assign(all);
}

void Shape::AppendDim(int64_t extent) {
  std::vector<int64_t> all(dims().begin(), dims().end());
  all.push_back(extent);
  Assign(all);
}

Shape Shape::WithoutDim(int i) const {
  std::vector<int64_t> all(dims().begin(), dims().end());
  all.erase(all.begin() + i);
  return Shape(all);
}

bool operator==(const Shape& a, const Shape& b) { return std::ranges::equal(a.dims(), b.dims()); }

std::string Shape::ToString() const { return DimsText(dims()); }

bool PartialShape::IsFullyKnown() const { return known_rank_ && std::ranges::find(dims_, kUnknownDim) == dims_.end(); }

std::optional<int64_t> PartialShape::num_elements() const {
  if (!IsFullyKnown()) return std::nullopt;
  return Product(dims_);
}

bool PartialShape::IsCompatibleWith(const PartialShape& other) const {
  if (!known_rank_ || !other.known_rank_) return true;
  if (dims_.size() != other.dims_.size()) return false;
  for (size_t i = 0; i < dims_.size(); ++i) {
    if (dims_[i] != other.dims_[i] && dims_[i] != kUnknownDim && other.dims_[i] != kUnknownDim) return false;
  }
  return true;
}

Result<PartialShape> PartialShape::MergeWith(const PartialShape& other) const {
  if (!IsCompatibleWith(other)) return InvalidArgument("Shapes ", *this, " and ", other, " are incompatible");
  if (!known_rank_) return other;
  PartialShape merged = *this;
  if (!other.known_rank_) return merged;
  for (size_t i = 0; i < dims_.size(); ++i) {
    if (merged.dims_[i] == kUnknownDim) merged.dims_[i] = other.dims_[i];
  }
  return merged;
}

std::string PartialShape::ToString() const { return known_rank_ ? DimsText(dims_) : "<unknown>"; }

}  // namespace headrace
