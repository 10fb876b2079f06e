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

template <typename Split>
Status SetSplits(KernelContext& c, const ExampleFeature& feature, const ExampleColumns& columns, bool is_batch,
                 const Totals& totals) {
  // One example alone has nothing to be split.
  HR_ASSIGN_OR_RETURN(Tensor* const splits,
                      c.AllocateOutput(feature.splits_output, Shape({is_batch ? totals.num_examples + 1 : 0})));
  if (!is_batch) return OkStatus();
  if (totals.num_values > std::numeric_limits<Split>::max()) {
    return InvalidArgument(c.node().op(), ": ", totals.num_values, " values need row splits of int64");
  }
  auto out = splits->mutable_data<Split>().begin();
  Split end = 0;
  *out++ = 0;
  for (const ExampleColumn* column : columns) {
    for (const int64_t count : column->counts) *out++ = end = static_cast<Split>(end + count);
  }
  return OkStatus();
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
      HR_RETURN_IF_ERROR(feature.split_type == DType::kInt32
                             ? SetSplits<int32_t>(c, feature, columns, is_batch, totals)
                             : SetSplits<int64_t>(c, feature, columns, is_batch, totals));
  }
  return SetValues<T>(c, feature.values_output, columns, totals);
}

}  // namespace

Status JoinColumns(KernelContext& c, const ExampleFeature& feature, const ExampleColumns& columns, bool is_batch,
                   const Tensor* padding) {
  return ForDType<float, int64_t, std::string>(feature.dtype, "An Example's feature", [&]<typename T>() {
    return Join<T>(c, feature, columns, is_batch, padding);
  });
}

}  // namespace headrace
