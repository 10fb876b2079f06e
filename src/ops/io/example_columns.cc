#include "ops/io/example_columns.h"

#include <algorithm>

namespace headrace {

namespace {

struct Totals {
  int64_t num_examples = 0;
  int64_t num_values = 0;
  int64_t most_values = 0;  // in one example
};

Totals TotalsOf(const ExampleColumns& columns) {
  Totals totals;
  for (const ExampleColumn* column : columns) {
    totals.num_examples += std::ssize(column->counts);
    for (const int64_t count : column->counts) {
      totals.num_values += count;
      totals.most_values = std::max(totals.most_values, count);
    }
  }
  return totals;
}

/// All values, one after the other.
template <typename T>
Status SetValues(KernelContext& c, int output, const ExampleColumns& columns, const Totals& totals) {
  HR_ASSIGN_OR_RETURN(Tensor* const tensor, c.AllocateOutput(output, Shape({totals.num_values})));
  auto out = tensor->mutable_data<T>().begin();
  for (ExampleColumn* column : columns) out = std::ranges::move(column->values<T>(), out).out;
  return OkStatus();
}

Status SetSparse(KernelContext& c, const ExampleFeature& feature, const ExampleColumns& columns, bool is_batch,
                 const Totals& totals) {
  const int64_t rank = is_batch ? 2 : 1;
  HR_ASSIGN_OR_RETURN(Tensor* const indices,
                      c.AllocateOutput(feature.indices_output, Shape({totals.num_values, rank})));
  int64_t* out = indices->mutable_data<int64_t>().data();
  int64_t example = 0;
  for (const ExampleColumn* column : columns) {
    for (const int64_t count : column->counts) {
      for (int64_t i = 0; i < count; ++i) {
        if (is_batch) *out++ = example;
        *out++ = i;
      }
      ++example;
    }
  }
  HR_ASSIGN_OR_RETURN(Tensor* const shape, c.AllocateOutput(feature.shape_output, Shape({rank})));
  const std::span<int64_t> extents = shape->mutable_data<int64_t>();
  if (is_batch) extents[0] = totals.num_examples;
  extents.back() = totals.most_values;
  return OkStatus();
}

/// Numbers of values, or of rows; by column.
using Counts = std::vector<std::span<const int64_t>>;

Counts CountsOf(const ExampleColumns& columns) {
  Counts counts;
  for (const ExampleColumn* column : columns) counts.emplace_back(column->counts);
  return counts;
}

template <typename Split> Status FillSplits(KernelContext& c, Tensor* splits, const Counts& counts) {
  auto out = splits->mutable_data<Split>().begin();
  int64_t end = 0;
  *out++ = 0;
  for (const std::span<const int64_t> column : counts) {
    for (const int64_t count : column) {
      end += count;
      *out++ = static_cast<Split>(end);
    }
  }
  if (end > std::numeric_limits<Split>::max())
    return InvalidArgument(c.node().op(), ": ", end, " values need row splits of int64");
  return OkStatus();
}

/// Where each example's values begin, and where the last end. One example alone has nothing to be split.
Status SetSplits(KernelContext& c, int output, DType type, const Counts& counts, bool is_batch) {
  int64_t num_splits = is_batch ? 1 : 0;
  for (const std::span<const int64_t> column : counts) num_splits += is_batch ? std::ssize(column) : 0;
  HR_ASSIGN_OR_RETURN(Tensor* const splits, c.AllocateOutput(output, Shape({num_splits})));
  if (!is_batch) return OkStatus();
  return type == DType::kInt32 ? FillSplits<int32_t>(c, splits, counts) : FillSplits<int64_t>(c, splits, counts);
}

template <typename T>
Status SetPadded(KernelContext& c, const ExampleFeature& feature, const ExampleColumns& columns, bool is_batch,
                 const Totals& totals, const T& padding) {
  std::vector<int64_t> dims(feature.stated_shape.dims().begin(), feature.stated_shape.dims().end());
  dims[0] = totals.most_values / feature.num_elements;
  if (is_batch) dims.insert(dims.begin(), totals.num_examples);
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  HR_ASSIGN_OR_RETURN(Tensor* const tensor, c.AllocateOutput(feature.values_output, shape));
  auto out = tensor->mutable_data<T>().begin();
  for (ExampleColumn* column : columns) {
    auto value = column->values<T>().begin();
    for (const int64_t count : column->counts) {
      out = std::move(value, value + count, out);
      out = std::fill_n(out, totals.most_values - count, padding);
      value += count;
    }
  }
  return OkStatus();
}

template <typename T>
Status Join(KernelContext& c, const ExampleFeature& feature, const ExampleColumns& columns, bool is_batch,
            const Tensor* padding) {
  const Totals totals = TotalsOf(columns);
  switch (feature.form) {
    case ExampleFeature::Form::kPadded:
      return SetPadded<T>(c, feature, columns, is_batch, totals, padding->data<T>()[0]);
    case ExampleFeature::Form::kSparse:
      HR_RETURN_IF_ERROR(SetSparse(c, feature, columns, is_batch, totals));
      break;
    default:
      HR_RETURN_IF_ERROR(SetSplits(c, feature.splits_output, feature.split_type, CountsOf(columns), is_batch));
  }
  return SetValues<T>(c, feature.values_output, columns, totals);
}

/// The coordinates [example, row, value] of each value, and their extents.
Status SetListSparse(KernelContext& c, const ListFeature& feature, const ListColumns& columns, bool is_batch) {
  int64_t num_examples = 0, most_rows = 0, num_values = 0, most_values = 0;
  for (const ListColumn* column : columns) {
    num_examples += std::ssize(column->num_rows);
    for (const int64_t rows : column->num_rows) most_rows = std::max(most_rows, rows);
    for (const int64_t count : column->counts) {
      num_values += count;
      most_values = std::max(most_values, count);
    }
  }
  const int64_t rank = is_batch ? 3 : 2;
  HR_ASSIGN_OR_RETURN(Tensor* const indices, c.AllocateOutput(feature.indices_output, Shape({num_values, rank})));
  int64_t* out = indices->mutable_data<int64_t>().data();
  int64_t example = 0;
  for (const ListColumn* column : columns) {
    auto count = column->counts.begin();
    for (const int64_t rows : column->num_rows) {
      for (int64_t row = 0; row < rows; ++row, ++count) {
        for (int64_t i = 0; i < *count; ++i) {
          if (is_batch) *out++ = example;
          *out++ = row;
          *out++ = i;
        }
      }
      ++example;
    }
  }
  HR_ASSIGN_OR_RETURN(Tensor* const shape, c.AllocateOutput(feature.shape_output, Shape({rank})));
  const std::span<int64_t> extents = shape->mutable_data<int64_t>();
  if (is_batch) extents[0] = num_examples;
  extents[extents.size() - 2] = most_rows;
  extents.back() = most_values;
  return OkStatus();
}

Counts RowsOf(const ListColumns& columns) {
  Counts rows;
  for (const ListColumn* column : columns) rows.emplace_back(column->num_rows);
  return rows;
}

Status SetLengths(KernelContext& c, int output, const ListColumns& columns, bool is_batch) {
  int64_t num_examples = 0;
  for (const ListColumn* column : columns) num_examples += std::ssize(column->num_rows);
  HR_ASSIGN_OR_RETURN(Tensor* const lengths, c.AllocateOutput(output, is_batch ? Shape({num_examples}) : Shape()));
  auto out = lengths->mutable_data<int64_t>().begin();
  for (const ListColumn* column : columns) out = std::ranges::copy(column->num_rows, out).out;
  return OkStatus();
}

template <typename T>
Status JoinList(KernelContext& c, const ListFeature& feature, const ListColumns& columns, bool is_batch) {
  const ExampleColumns values(columns.begin(), columns.end());
  const Totals totals = TotalsOf(values);
  if (feature.form == ExampleFeature::Form::kPadded) {
    if (feature.lengths_output >= 0) HR_RETURN_IF_ERROR(SetLengths(c, feature.lengths_output, columns, is_batch));
    return SetPadded<T>(c, feature, values, is_batch, totals, T());
  }
  if (feature.form == ExampleFeature::Form::kSparse) {
    HR_RETURN_IF_ERROR(SetListSparse(c, feature, columns, is_batch));
  } else {
    HR_RETURN_IF_ERROR(SetSplits(c, feature.outer_splits_output, feature.split_type, RowsOf(columns), is_batch));
    HR_RETURN_IF_ERROR(SetSplits(c, feature.splits_output, feature.split_type, CountsOf(values), true));
  }
  return SetValues<T>(c, feature.values_output, values, totals);
}

}  // namespace

Status JoinColumns(KernelContext& c, const ExampleFeature& feature, const ExampleColumns& columns, bool is_batch,
                   const Tensor* padding) {
  return ForDType<float, int64_t, std::string>(feature.dtype, "An Example's feature", [&]<typename T>() {
    return Join<T>(c, feature, columns, is_batch, padding);
  });
}

Status JoinListColumns(KernelContext& c, const ListFeature& feature, const ListColumns& columns, bool is_batch) {
  return ForDType<float, int64_t, std::string>(
      feature.dtype, "A feature list", [&]<typename T>() { return JoinList<T>(c, feature, columns, is_batch); });
}

}  // namespace headrace
