// Shape: the extents of a tensor. PartialShape: what is known of them while a graph is built.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace headrace {

/// A fully known shape. Extents are never negative and their product fits in int64 (checked by Make).
class HR_EXPORT Shape {
 public:
  static constexpr int kMaxRank = 254;  // TensorFlow's limit

  Shape() = default;  // a scalar
  /// For shapes that the program itself made. REQUIRES: extents >= 0 with a product below 2^63.
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims);

  /// For shapes from outside. Errors: kInvalidArgument for a negative extent, a product over 2^63 - 1, or rank over 254.
  static Result<Shape> Make(std::span<const int64_t> dims);
  /// "[0]".
  static Shape OfNoElements() {
    Shape shape;
    shape.rank_ = 1;
    shape.num_elements_ = 0;
    return shape;
  }

  int rank() const { return rank_; }
  int64_t dim(int i) const { return dims()[static_cast<size_t>(i)]; }
  std::span<const int64_t> dims() const { return {more_.empty() ? inline_ : more_.data(), static_cast<size_t>(rank_)}; }
  int64_t num_elements() const { return num_elements_; }
  bool IsScalar() const { return rank_ == 0; }

  void SetDim(int i, int64_t extent);
  void AppendDim(int64_t extent);
  /// Returns the shape without dimension `i`.
  Shape WithoutDim(int i) const;

  friend bool operator==(const Shape& a, const Shape& b);

  /// "[2,3]"; a scalar is "[]".
  std::string ToString() const;

 private:
  void Assign(std::span<const int64_t> dims);

  static constexpr int kInlineRank = 4;
  int64_t inline_[kInlineRank] = {};
  std::vector<int64_t> more_;  // all extents, once the rank exceeds kInlineRank
  int64_t num_elements_ = 1;
  int rank_ = 0;
};

/// A shape of which the rank or single extents may be unknown.
class HR_EXPORT PartialShape {
 public:
  static constexpr int64_t kUnknownDim = -1;

  PartialShape() = default;  // unknown rank
  PartialShape(std::initializer_list<int64_t> dims) : known_rank_(true), dims_(dims) {}
  explicit PartialShape(std::vector<int64_t> dims) : known_rank_(true), dims_(std::move(dims)) {}
  PartialShape(const Shape& shape)  // NOLINT: every shape is a partial shape
      : known_rank_(true), dims_(shape.dims().begin(), shape.dims().end()) {}

  static PartialShape UnknownOfRank(int rank) {
    return PartialShape(std::vector<int64_t>(static_cast<size_t>(rank), kUnknownDim));
  }
  static PartialShape Scalar() { return PartialShape(std::vector<int64_t>{}); }

  bool has_rank() const { return known_rank_; }
  /// -1 when unknown.
  int rank() const { return known_rank_ ? static_cast<int>(dims_.size()) : -1; }
  /// kUnknownDim for an unknown extent. REQUIRES: has_rank() and 0 <= i < rank().
  int64_t dim(int i) const { return dims_[static_cast<size_t>(i)]; }
  std::span<const int64_t> dims() const { return dims_; }
  bool IsFullyKnown() const;
  /// The product of the extents, or nullopt where one is unknown.
  std::optional<int64_t> num_elements() const;

  void SetDim(int i, int64_t extent) { dims_[static_cast<size_t>(i)] = extent; }
  void AppendDim(int64_t extent) { dims_.push_back(extent); }

  /// REQUIRES: IsFullyKnown(). Errors: as Shape::Make.
  Result<Shape> ToShape() const { return Shape::Make(dims_); }

  bool IsCompatibleWith(const PartialShape& other) const;
  /// Returns what both say together. Errors: kInvalidArgument when they contradict each other.
  Result<PartialShape> MergeWith(const PartialShape& other) const;

  friend bool operator==(const PartialShape&, const PartialShape&) = default;

  /// "[2,?]"; an unknown rank is "<unknown>".
  std::string ToString() const;

 private:
  bool known_rank_ = false;
  std::vector<int64_t> dims_;
};

}  // namespace headrace
