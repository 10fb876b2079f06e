#include "ops/state/scatter_rows.h"

#include <algorithm>
#include <cstring>

namespace headrace {

namespace {

template <typename T>
void AssignObjectRows(Tensor* table, int64_t row_elements, const RowIndices& rows, const Tensor& updates) {
  const bool scalar = updates.shape().IsScalar();
  const T* from = updates.data<T>().data();
  for (int64_t i = 0; i < rows.size(); ++i) {
    T* to = table->mutable_data<T>().data() + rows[i] * row_elements;
    scalar ? std::fill_n(to, row_elements, *from) : std::copy_n(from + i * row_elements, row_elements, to);
  }
}

void AssignByteRows(Tensor* table, int64_t row_elements, const RowIndices& rows, const Tensor& updates) {
  const auto element_bytes = static_cast<size_t>(DTypeSize(table->dtype()));
  const size_t row_bytes = static_cast<size_t>(row_elements) * element_bytes;
  char* data = static_cast<char*>(table->mutable_raw());
  const char* from = static_cast<const char*>(updates.raw());
  const bool scalar = updates.shape().IsScalar();
  for (int64_t i = 0; i < rows.size(); ++i) {
    char* to = data + static_cast<size_t>(rows[i]) * row_bytes;
    if (!scalar) {
      std::memcpy(to, from + static_cast<size_t>(i) * row_bytes, row_bytes);
    } else {
      for (int64_t k = 0; k < row_elements; ++k)
        std::memcpy(to + static_cast<size_t>(k) * element_bytes, from, element_bytes);
    }
  }
}

}  // namespace

Status CheckScatter(const Tensor& table, const Tensor& indices, const Tensor& updates) {
  if (table.rank() < 1) return InvalidArgument("params must be at least 1-D, got shape ", table.shape());
  if (updates.shape().IsScalar()) return OkStatus();
  const Shape& shape = updates.shape();
  bool fits = shape.rank() == indices.rank() + table.rank() - 1;
  for (int i = 0; fits && i < shape.rank(); ++i) {
    fits = shape.dim(i) == (i < indices.rank() ? indices.dim(i) : table.dim(i - indices.rank() + 1));
  }
  if (fits) return OkStatus();
  return InvalidArgument(
      "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got updates.shape ", shape,
      ", indices.shape ", indices.shape(), ", params.shape ", table.shape());
}

void AssignRows(Tensor* table, const RowIndices& rows, const Tensor& updates) {
  if (table->num_elements() == 0) return;
  const int64_t row_elements = table->num_elements() / table->dim(0);
  switch (table->dtype()) {
    case DType::kString:
      return AssignObjectRows<std::string>(table, row_elements, rows, updates);
    case DType::kVariant:
      return AssignObjectRows<Variant>(table, row_elements, rows, updates);
    case DType::kResource:
      return AssignObjectRows<ResourceHandle>(table, row_elements, rows, updates);
    default:
      return AssignByteRows(table, row_elements, rows, updates);
  }
}

}  // namespace headrace
