// SparseCross, SparseCrossV2: for each row of the batch, every combination of one feature from each column, the last column
// running fastest. A column is a sparse matrix or a dense one, of strings or numbers. A combination is the features' texts
// joined ("_X_", or `sep`), or (hashed_output) a hash of the features' fingerprints, modulo num_buckets where that is given.
// Errors: kInvalidArgument for columns that are no matrices, or have other numbers of rows.
#include <farmhash.h>

#include <algorithm>
#include <limits>

#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

Status CrossShape(ShapeContext& c) { return SetSparseShapes(c, 0, PartialShape::kUnknownDim, 2); }

/// The features of one column, row by row.
struct Column {
  const Tensor* values = nullptr;
  std::vector<int64_t> begins;  // of each row, and the end of the last

  std::string Text(int64_t i) const {
    if (values->dtype() == DType::kString) return values->data<std::string>()[static_cast<size_t>(i)];
    return StrCat(values->data<int64_t>()[static_cast<size_t>(i)]);
  }
  uint64_t Fingerprint(int64_t i) const {
    if (values->dtype() != DType::kString)
      return static_cast<uint64_t>(values->data<int64_t>()[static_cast<size_t>(i)]);
    const std::string& text = values->data<std::string>()[static_cast<size_t>(i)];
    return util::Fingerprint64(text.data(), text.size());
  }

  static Result<Column> OfSparse(const SparseView& sparse, int64_t rows) {
    if (sparse.rank() != 2) return InvalidArgument("shape should imply a 2D tensor, but got rank ", sparse.rank());
    Column column{.values = sparse.values, .begins = std::vector<int64_t>(static_cast<size_t>(rows) + 1)};
    int64_t before = 0;
    for (int64_t i = 0; i < sparse.size(); ++i) {
      const int64_t row = sparse.row(i)[0];
      if (row < 0 || row >= rows) return OutOfBounds(i, sparse.row(i), sparse.shape);
      if (row < before)
        return InvalidArgument("SparseCross: indices[", i, "] = ", IndexText(sparse.row(i)), " is out of order");
      before = row;
      ++column.begins[static_cast<size_t>(row) + 1];
    }
    for (size_t row = 0; row < static_cast<size_t>(rows); ++row) column.begins[row + 1] += column.begins[row];
    return column;
  }
  static Column OfDense(const Tensor& values) {
    Column column{.values = &values, .begins = {}};
    for (int64_t row = 0; row <= values.dim(0); ++row) column.begins.push_back(row * values.dim(1));
    return column;
  }
};

/// Two fingerprints as one; the order matters.
uint64_t Concatenate(uint64_t a, uint64_t b) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  const auto mix = [](uint64_t x) { return x ^ x >> 47; };
  const uint64_t result = (a ^ kMultiplier ^ mix(b * kMultiplier) * kMultiplier) * kMultiplier;
  return mix(mix(result) * kMultiplier);
}

class SparseCrossKernel final : public Kernel {
 public:
  explicit SparseCrossKernel(KernelConstruction& c)
      : v2_(c.node().op() == "SparseCrossV2"),
        hashed_(c.attr<bool>("hashed_output")),
        buckets_(static_cast<uint64_t>(c.attr<int64_t>("num_buckets"))),
        key_(static_cast<uint64_t>(c.attr<int64_t>("hash_key"))),
        num_sparse_(static_cast<int>(c.attr<int64_t>("N"))) {
    if (buckets_ == 0) buckets_ = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  }
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    const bool hashed = c.attr<bool>("hashed_output");
    const DType out = c.attr<DType>("out_type", DType::kString);
    if (hashed != (out == DType::kInt64))
      return InvalidArgument("SparseCross: out_type must be int64 for hashed output, string else; is ", DTypeName(out));
    return std::unique_ptr<Kernel>(std::make_unique<SparseCrossKernel>(c));
  }

  Status Compute(KernelContext& c) override {
    int64_t rows = 0;
    HR_ASSIGN_OR_RETURN(const std::vector<Column> columns, Columns(c, &rows));
    std::string separator = "_X_";
    if (v2_) {
      const Tensor& given = c.input(c.num_inputs() - 1);
      if (given.num_elements() != 1) return InvalidArgument("Input separator should be a scalar. Received: ", given);
      separator = given.data<std::string>()[0];
    }
    std::vector<int64_t> counts(static_cast<size_t>(rows));
    int64_t total = 0, most = 0;
    for (size_t row = 0; row < counts.size(); ++row) {
      counts[row] = columns.empty() ? 0 : 1;
      for (const Column& column : columns) {
        if (__builtin_mul_overflow(counts[row], column.begins[row + 1] - column.begins[row], &counts[row]))
          return InvalidArgument("SparseCross: row ", row, " has too many combinations");
      }
      if (__builtin_add_overflow(total, counts[row], &total))
        return InvalidArgument("SparseCross: there are too many combinations");
      most = std::max(most, counts[row]);
    }
    HR_RETURN_IF_ERROR(c.SetOutput(2, Tensor::Vector<int64_t>({rows, most})));
    const int64_t dims[] = {total, 2};
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor* const indices, c.AllocateOutput(0, shape));
    HR_ASSIGN_OR_RETURN(Tensor* const values, c.AllocateOutput(1, Shape({total})));
    int64_t* index = indices->mutable_data<int64_t>().data();
    int64_t at = 0;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < counts[static_cast<size_t>(row)]; ++i, ++at) {
        *index++ = row;
        *index++ = i;
        Combine(columns, static_cast<size_t>(row), i, separator, at, values);
      }
    }
    return OkStatus();
  }

 private:
  Result<std::vector<Column>> Columns(const KernelContext& c, int64_t* rows) const {
    const int num_dense = c.num_inputs() - 3 * num_sparse_ - (v2_ ? 1 : 0);
    std::vector<Column> columns;
    const auto check_rows = [&](int64_t own) {
      if (!columns.empty() && own != *rows)
        return InvalidArgument("Expected batch size ", *rows, ", got ", own, " in column ", columns.size());
      *rows = own;
      return OkStatus();
    };
    for (int i = 0; i < num_sparse_; ++i) {
      HR_ASSIGN_OR_RETURN(const SparseView sparse,
                          ReadSparse(c.input(i), c.input(num_sparse_ + i), c.input(2 * num_sparse_ + i)));
      if (sparse.rank() != 2) return InvalidArgument("shape should imply a 2D tensor, but got rank ", sparse.rank());
      HR_RETURN_IF_ERROR(check_rows(sparse.shape[0]));
      constexpr int64_t kMaxRows = int64_t{1} << 31;  // each costs memory, whatever the shape claims
      if (*rows > kMaxRows) return InvalidArgument("SparseCross: a batch of ", *rows, " rows is too large");
      HR_ASSIGN_OR_RETURN(columns.emplace_back(), Column::OfSparse(sparse, *rows));
    }
    for (int i = 0; i < num_dense; ++i) {
      const Tensor& dense = c.input(3 * num_sparse_ + i);
      if (dense.rank() != 2)
        return InvalidArgument("Dense inputs should be a matrix but received shape ", dense.shape());
      HR_RETURN_IF_ERROR(check_rows(dense.dim(0)));
      columns.push_back(Column::OfDense(dense));
    }
    return columns;
  }

  // Sets element `at` to combination number `i` of a row.
  void Combine(const std::vector<Column>& columns, size_t row, int64_t i, const std::string& separator, int64_t at,
               Tensor* values) const {
    std::vector<int64_t> picked(columns.size());
    for (size_t k = columns.size(); k-- > 0;) {
      const int64_t count = columns[k].begins[row + 1] - columns[k].begins[row];
      picked[k] = columns[k].begins[row] + i % count;
      i /= count;
    }
    if (hashed_) {
      uint64_t hash = key_;
      for (size_t k = 0; k < columns.size(); ++k) hash = Concatenate(hash, columns[k].Fingerprint(picked[k]));
      values->mutable_data<int64_t>()[static_cast<size_t>(at)] = static_cast<int64_t>(hash % buckets_);
      return;
    }
    std::string& text = values->mutable_data<std::string>()[static_cast<size_t>(at)];
    for (size_t k = 0; k < columns.size(); ++k) {
      if (k > 0) text += separator;
      text += columns[k].Text(picked[k]);
    }
  }

  const bool v2_;
  const bool hashed_;
  uint64_t buckets_;
  const uint64_t key_;
  const int num_sparse_;
};

}  // namespace

std::vector<OpDefinition> SparseCrossOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("SparseCross(indices: N * i64, values: list(sparse_types), shapes: N * i64, dense_inputs: "
                   "list(dense_types)) -> (output_indices: i64, output_values: out_type, output_shape: i64) | N: "
                   "int >= 0 | hashed_output: bool | num_buckets: int >= 0 | hash_key: int | sparse_types: "
                   "list(type) in {i64,str} >= 0 | dense_types: list(type) in {i64,str} >= 0 | out_type: type in "
                   "{i64,str} | internal_type: type in {i64,str}")
          .Shape(CrossShape)
          .NoGradient("not differentiable")
          .Kernels(AnyType(ClassKernel<SparseCrossKernel>())));
  ops.push_back(
      OpDefinition("SparseCrossV2(indices: N * i64, values: list(sparse_types), shapes: N * i64, dense_inputs: "
                   "list(dense_types), sep: str) -> (output_indices: i64, output_values: str, output_shape: i64) "
                   "| N: int >= 0 | sparse_types: list(type) in {i64,str} >= 0 | dense_types: list(type) in "
                   "{i64,str} >= 0")
          .Shape(CrossShape)
          .NoGradient("not differentiable")
          .Kernels(AnyType(ClassKernel<SparseCrossKernel>())));
  return ops;
}

}  // namespace headrace
