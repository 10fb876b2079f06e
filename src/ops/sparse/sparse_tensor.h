// Sparse tensors as three inputs: indices i64[n, rank], values [n], dense shape i64[rank]; and what their ops share.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/shape_context.h"
#include "kernel/kernel.h"

namespace headrace {

/// Refers to the three tensors, which outlive it.
struct SparseView {
  std::span<const int64_t> indices;  // row after row
  const Tensor* values = nullptr;
  std::span<const int64_t> shape;

  int64_t size() const { return values->num_elements(); }
  int64_t rank() const { return std::ssize(shape); }
  std::span<const int64_t> row(int64_t i) const {
    return indices.subspan(static_cast<size_t>(i * rank()), static_cast<size_t>(rank()));
  }
};

/// Errors: kInvalidArgument for tensors of other ranks or lengths, and negative extents.
Result<SparseView> ReadSparse(const Tensor& indices, const Tensor& values, const Tensor& shape);
/// Of the inputs first, first + 1, first + 2.
Result<SparseView> ReadSparse(const KernelContext& c, int first);

/// The row-major number of an index in a dense tensor, or -1 where it lies outside. REQUIRES: the extents' product fits.
int64_t PlaceOf(std::span<const int64_t> index, std::span<const int64_t> extents);
/// "indices[3] = [0,9] is out of bounds: need 0 <= index < [3,4]".
Status OutOfBounds(int64_t entry, std::span<const int64_t> index, std::span<const int64_t> extents);
/// The numbers of all entries. Errors: kInvalidArgument, as OutOfBounds; a shape with too many elements.
Result<std::vector<int64_t>> PlacesOf(const SparseView& sparse);

/// "[0,9]".
std::string IndexText(std::span<const int64_t> index);

/// Allocates output `i` as a vector of these numbers.
Status SetInt64Vector(KernelContext& c, int i, std::span<const int64_t> numbers);
/// The same as a matrix with `columns` columns.
Status SetInt64Matrix(KernelContext& c, int i, std::span<const int64_t> numbers, int64_t columns);
/// Output `i`: the elements of the vector `values` at `entries`, all of which exist.
Status SetPicked(KernelContext& c, int i, const Tensor& values, std::span<const int64_t> entries);

/// Sets outputs first and on to the shapes of a sparse tensor of `entries` entries and that rank; -1 where unknown.
Status SetSparseShapes(ShapeContext& c, int first, int64_t entries, int64_t rank);
/// The rank of a sparse tensor whose shape is input `shape`, and whose indices are input `indices`; -1 where unknown.
Result<int64_t> SparseRank(const ShapeContext& c, int indices, int shape);

}  // namespace headrace
