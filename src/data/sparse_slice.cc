// SparseTensorSlice: for each index of a sparse tensor's first dimension its part, as indices, values and dense shape. Does not
// block. Memory: the sparse tensor.
#include "data/stages.h"

namespace headrace {

namespace {

/// Row r has the values [begins[r], begins[r + 1]).
struct SparseRows {
  Tensor indices;  // without the first column
  Tensor values;
  Tensor row_shape;
  std::vector<int64_t> rows;  // those with values, ascending
  std::vector<int64_t> begins;
  int64_t num_rows;
};

class SparseSliceStage final : public Stage {
 public:
  explicit SparseSliceStage(const SparseRows& sparse) : sparse_(sparse) {}
  Status Next(Element* element, bool* end) override {
    *end = row_ >= sparse_.num_rows;
    if (*end) return OkStatus();
    const bool has_values = next_ < sparse_.rows.size() && sparse_.rows[next_] == row_;
    const int64_t from = has_values ? sparse_.begins[next_] : 0;
    const int64_t to = has_values ? sparse_.begins[next_ + 1] : 0;
    *element = {sparse_.indices.Slice(from, to), sparse_.values.Slice(from, to), sparse_.row_shape};
    if (has_values) ++next_;
    ++row_;
    return OkStatus();
  }
  bool MayBlock() const override { return false; }

 private:
  const SparseRows& sparse_;
  int64_t row_ = 0;
  size_t next_ = 0;  // in sparse_.rows
};

class SparseSliceDataset final : public SpecDataset {
 public:
  SparseSliceDataset(ElementSpec spec, SparseRows sparse) : SpecDataset(std::move(spec)), sparse_(std::move(sparse)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext*) const override {
    return std::unique_ptr<Stage>(std::make_unique<SparseSliceStage>(sparse_));
  }
  int64_t Cardinality() const override { return sparse_.num_rows; }

 private:
  const SparseRows sparse_;
};

Status CheckParts(const Tensor& indices, const Tensor& values, const Tensor& dense_shape) {
  if (indices.dtype() != DType::kInt64 || indices.rank() != 2) {
    return InvalidArgument("SparseTensorSlice: indices must be an i64 matrix, got ", indices);
  }
  if (values.rank() != 1) return InvalidArgument("SparseTensorSlice: values must be a vector, got ", values);
  if (dense_shape.dtype() != DType::kInt64 || dense_shape.rank() != 1 || dense_shape.num_elements() == 0) {
    return InvalidArgument("SparseTensorSlice: dense_shape must be a non-empty i64 vector, got ", dense_shape);
  }
  if (indices.dim(0) != values.dim(0) || indices.dim(1) != dense_shape.dim(0)) {
    return InvalidArgument("SparseTensorSlice: the parts do not fit: indices ", indices, ", values ", values,
                           ", dense_shape ", dense_shape);
  }
  return OkStatus();
}

/// Where each row begins. Errors: kUnimplemented unless the rows are in order.
Status FindRows(std::span<const int64_t> indices, int64_t rank, SparseRows* sparse) {
  const auto step = static_cast<size_t>(rank);
  for (size_t i = 0; i < indices.size(); i += step) {
    const int64_t row = indices[i];
    if (row < 0 || row >= sparse->num_rows) {
      return InvalidArgument("SparseTensorSlice: index ", row, " of the first dimension is outside [0, ",
                             sparse->num_rows, ")");
    }
    if (!sparse->rows.empty() && row == sparse->rows.back()) continue;
    if (!sparse->rows.empty() && row < sparse->rows.back()) {
      return Unimplemented(
          "The SparseTensor must be ordered in the batch dimension; handling arbitrarily ordered input is not "
          "currently supported.");
    }
    sparse->rows.push_back(row);
    sparse->begins.push_back(static_cast<int64_t>(i / step));
  }
  sparse->begins.push_back(static_cast<int64_t>(indices.size() / step));
  return OkStatus();
}

}  // namespace

Result<DatasetPtr> MakeSparseTensorSliceDataset(const Tensor& indices, const Tensor& values,
                                                const Tensor& dense_shape) {
  HR_RETURN_IF_ERROR(CheckParts(indices, values, dense_shape));
  const int64_t rank = dense_shape.dim(0);
  const std::span<const int64_t> extents = dense_shape.data<int64_t>();
  HR_ASSIGN_OR_RETURN(const Shape dense, Shape::Make(extents));
  SparseRows sparse;
  sparse.values = values;
  sparse.num_rows = dense.dim(0);
  sparse.row_shape = Tensor::FromValues<int64_t>(extents.subspan(1), Shape({rank - 1}));
  HR_RETURN_IF_ERROR(FindRows(indices.data<int64_t>(), rank, &sparse));
  HR_ASSIGN_OR_RETURN(sparse.indices, Tensor::Allocate(DType::kInt64, Shape({indices.dim(0), rank - 1})));
  const std::span<const int64_t> in = indices.data<int64_t>();
  auto out = sparse.indices.mutable_data<int64_t>().begin();
  for (size_t i = 0; i < in.size(); i += static_cast<size_t>(rank)) {
    out = std::ranges::copy(in.subspan(i + 1, static_cast<size_t>(rank - 1)), out).out;
  }
  ElementSpec spec{{DType::kInt64, values.dtype(), DType::kInt64},
                   {PartialShape({PartialShape::kUnknownDim, rank - 1}), PartialShape({PartialShape::kUnknownDim}),
                    PartialShape({rank - 1})}};
  return DatasetPtr(std::make_shared<SparseSliceDataset>(std::move(spec), std::move(sparse)));
}

}  // namespace headrace
