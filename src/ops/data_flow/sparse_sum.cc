// Rows are merged as sorted lists are: two rows of equal index that meet are added, the others keep their order. So indices that are
// sorted stay sorted, and repeated or unsorted ones give what TensorFlow gives.
#include <algorithm>
#include <utility>

#include "kernel/elements.h"
#include "ops/data_flow/gradient_sum.h"
#include "ops/state/update.h"

namespace headrace {

namespace {

constexpr int64_t kNone = -1;

/// Where a row of the merged list comes from: row `a` of the sum, row `b` of what is added, or both.
struct MergedRow {
  int64_t a;
  int64_t b;
};

std::vector<MergedRow> MergeRows(std::span<const int64_t> a, std::span<const int64_t> b) {
  std::vector<MergedRow> merged;
  merged.reserve(a.size() + b.size());
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    const bool from_a = j == b.size() || (i < a.size() && a[i] <= b[j]);
    const bool from_b = i == a.size() || (j < b.size() && b[j] <= a[i]);
    merged.push_back({from_a ? static_cast<int64_t>(i) : kNone, from_b ? static_cast<int64_t>(j) : kNone});
    if (from_a) ++i;
    if (from_b) ++j;
  }
  return merged;
}

Status CheckParts(const Tensor& indices, const Tensor& values) {
  if (indices.rank() != 1) {
    return InvalidArgument("Input indices should be vector but received shape: ", indices.shape());
  }
  if (values.rank() == 0) return InvalidArgument("Values cannot be 0-dimensional.");
  if (values.dim(0) != indices.dim(0)) {
    return InvalidArgument("Expected ", indices.dim(0), " non-empty input values, got ", values.dim(0));
  }
  return OkStatus();
}

/// Compares the dense shape that came with the gradient with the declared one.
Status CheckDenseShape(const Tensor& shape, const PartialShape& declared) {
  if (shape.num_elements() == 0 || !declared.has_rank()) return OkStatus();
  if (shape.num_elements() < declared.rank()) {
    return InvalidArgument("Shape mismatch: expected shape rank at least ", declared.rank(), ", got ",
                           shape.num_elements());
  }
  for (int i = 0; i < declared.rank(); ++i) {
    const int64_t given = shape.data<int64_t>()[static_cast<size_t>(i)];
    if (declared.dim(i) != PartialShape::kUnknownDim && declared.dim(i) != given) {
      return InvalidArgument("Shape mismatch: expected shape dim ", i, " to be ", declared.dim(i), ", got ", given);
    }
  }
  return OkStatus();
}

/// Compares the rows with those before, or with the declared shape, which may lack dimensions at its end.
Status CheckRows(const Tensor& values, const PartialShape& expected, bool is_declared) {
  if (!expected.has_rank()) return OkStatus();
  if (is_declared ? values.rank() < expected.rank() : values.rank() != expected.rank()) {
    return InvalidArgument("Shape mismatch: expected values rank ", is_declared ? "at least " : "", expected.rank(),
                           ", got ", values.rank());
  }
  for (int i = 1; i < expected.rank(); ++i) {
    if (expected.dim(i) != PartialShape::kUnknownDim && expected.dim(i) != values.dim(i)) {
      return InvalidArgument("Shape mismatch: expected values dim ", i, " to be ", expected.dim(i), ", got ",
                             values.dim(i));
    }
  }
  return OkStatus();
}

/// `limit` is the number of rows of the dense gradient, where known.
Status CheckIndices(std::span<const int64_t> indices, int64_t limit) {
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0 || (limit != PartialShape::kUnknownDim && indices[i] >= limit)) {
      return InvalidArgument("Shape mismatch: index of slice ", i, " exceeded limits of shape; index is ", indices[i],
                             " exceeded ", limit);
    }
  }
  return OkStatus();
}

template <typename T> class SparseSum final : public GradientSum {
 public:
  explicit SparseSum(const PartialShape& declared) : declared_(declared) {}
  bool is_sparse() const override { return true; }

  Status Add(Gradient gradient, const Runtime& runtime) override {
    HR_RETURN_IF_ERROR(Check(gradient));
    ++count_;
    const std::span<const int64_t> added = gradient[0].data<int64_t>();
    if (!values_.valid()) {
      indices_.assign(added.begin(), added.end());
      row_counts_.assign(added.size(), 1);
      values_ = std::move(gradient[1]);
      return OkStatus();
    }
    return Merge(MergeRows(indices_, added), added, gradient[1], runtime);
  }

  TakenSum Take() override {
    TakenSum taken;
    const bool is_declared = declared_.has_rank() && declared_.rank() > 0;
    std::vector<int64_t> shape;
    for (int i = 0; i < values_.rank(); ++i) {
      const int64_t known = is_declared && i < declared_.rank() ? declared_.dim(i) : PartialShape::kUnknownDim;
      shape.push_back(known == PartialShape::kUnknownDim && i > 0 ? values_.dim(i) : known);
    }
    taken.gradient = {Tensor::Vector<int64_t>(indices_), std::exchange(values_, Tensor()),
                      Tensor::Vector<int64_t>(shape)};
    taken.row_counts = std::exchange(row_counts_, {});
    taken.count = std::exchange(count_, 0);
    indices_.clear();
    return taken;
  }

  Result<Gradient> Average(TakenSum sum, const Runtime& runtime) const override {
    if (std::ranges::all_of(sum.row_counts, [](int64_t count) { return count == 1; })) return std::move(sum.gradient);
    Tensor& values = sum.gradient[1];
    if (!values.OwnsBuffer()) {
      HR_ASSIGN_OR_RETURN(values, values.Clone(runtime.memory));
    }
    const int64_t row_size = RowSize(values);
    T* to = values.template mutable_data<T>().data();
    for (const int64_t count : sum.row_counts) {
      UpdateElementsBy<DivUpdate<T>>(to, static_cast<T>(static_cast<float>(count)), row_size);
      to += row_size;
    }
    return std::move(sum.gradient);
  }

 private:
  static int64_t RowSize(const Tensor& values) { return values.shape().WithoutDim(0).num_elements(); }

  Status Check(const Gradient& gradient) const {
    const Tensor &indices = gradient[0], &values = gradient[1], &shape = gradient[2];
    HR_RETURN_IF_ERROR(CheckParts(indices, values));
    HR_RETURN_IF_ERROR(CheckDenseShape(shape, declared_));
    HR_RETURN_IF_ERROR(values_.valid() ? CheckRows(values, PartialShape(values_.shape()), false)
                                       : CheckRows(values, declared_, true));
    int64_t limit = declared_.has_rank() && declared_.rank() > 0 ? declared_.dim(0) : PartialShape::kUnknownDim;
    if (limit == PartialShape::kUnknownDim && shape.num_elements() > 0) limit = shape.data<int64_t>()[0];
    return CheckIndices(indices.data<int64_t>(), limit);
  }

  Status Merge(const std::vector<MergedRow>& rows, std::span<const int64_t> added, const Tensor& values,
               const Runtime& runtime) {
    std::vector<int64_t> dims(values.shape().dims().begin(), values.shape().dims().end());
    dims[0] = static_cast<int64_t>(rows.size());
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor merged, Tensor::Allocate(values.dtype(), shape, runtime.memory));
    const int64_t row_size = RowSize(values);
    const T *a = values_.data<T>().data(), *b = values.data<T>().data();
    T* to = merged.template mutable_data<T>().data();
    const Elements elements(values.dtype());
    std::vector<int64_t> indices(rows.size()), counts(rows.size());
    for (size_t i = 0; i < rows.size(); ++i, to += row_size) {
      const auto [from_a, from_b] = rows[i];
      elements.Copy(from_a == kNone ? b + from_b * row_size : a + from_a * row_size, to, row_size);
      if (from_a != kNone && from_b != kNone) UpdateElements<AddUpdate<T>>(to, b + from_b * row_size, row_size);
      indices[i] = from_a == kNone ? added[static_cast<size_t>(from_b)] : indices_[static_cast<size_t>(from_a)];
      counts[i] = (from_a == kNone ? 0 : row_counts_[static_cast<size_t>(from_a)]) + (from_b == kNone ? 0 : 1);
    }
    values_ = std::move(merged);
    indices_ = std::move(indices);
    row_counts_ = std::move(counts);
    return OkStatus();
  }

  const PartialShape declared_;
  std::vector<int64_t> indices_;
  std::vector<int64_t> row_counts_;
  Tensor values_;
  int64_t count_ = 0;
};

}  // namespace

Result<std::unique_ptr<GradientSum>> MakeSparseSum(DType dtype, const PartialShape& declared) {
  std::unique_ptr<GradientSum> made;
  HR_RETURN_IF_ERROR((ForDType<float, double, Half, BFloat16>(dtype, "SparseConditionalAccumulator", [&]<typename T>() {
    made = std::make_unique<SparseSum<T>>(declared);
    return OkStatus();
  })));
  return made;
}

}  // namespace headrace
