// Updates of rows of a table: table[rows[i], :] op= updates[i, :], or op= one scalar. Repeated rows take their turns in order.
// The checks, and the loops, are shared by the ops on resource and on ref variables.
#pragma once

#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "ops/state/update.h"

namespace headrace {

/// Checks shapes and values before anything is written. `updates` is a scalar, or has the shape of `indices` followed by that of
/// a row. Errors: kInvalidArgument.
Status CheckScatter(const Tensor& table, const Tensor& indices, const Tensor& updates);

/// Replaces rows, of any dtype. REQUIRES: CheckScatter passed, and the rows exist.
void AssignRows(Tensor* table, const RowIndices& rows, const Tensor& updates);

/// Updates rows with `Update`. REQUIRES: as AssignRows.
template <typename Update, typename T = typename Update::Type>
void UpdateRows(Tensor* table, const RowIndices& rows, const Tensor& updates) {
  if (table->num_elements() == 0) return;
  const int64_t row_elements = table->num_elements() / table->dim(0);
  T* data = table->mutable_data<T>().data();
  const T* from = updates.data<T>().data();
  const bool scalar = updates.shape().IsScalar();
  for (int64_t i = 0; i < rows.size(); ++i) {
    if (i + 8 < rows.size()) PrefetchRow(data, rows[i + 8] * row_elements * static_cast<int64_t>(sizeof(T)));
    if (scalar) {
      UpdateElementsBy<Update>(data + rows[i] * row_elements, *from, row_elements);
    } else {
      UpdateElements<Update>(data + rows[i] * row_elements, from + i * row_elements, row_elements);
    }
  }
}

/// Errors: kInvalidArgument when integer updates, to divide by, contain 0.
template <typename Update, typename T = typename Update::Type> Status CheckDivisors(const Tensor& updates) {
  if constexpr (std::is_same_v<Update, DivUpdate<T>> && std::integral<T>) {
    for (T value : updates.data<T>()) {
      if (value == 0) return InvalidArgument("updates must not contain 0");
    }
  }
  return OkStatus();
}

}  // namespace headrace
