// Values of features whose number differs from example to example: collected by piece of the batch, then joined.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/kernel.h"
#include "ops/io/example_feature.h"

namespace headrace {

/// The values of one feature in some consecutive examples.
struct ExampleColumn {
  std::vector<float> floats;
  std::vector<int64_t> int64s;
  std::vector<std::string> strings;
  std::vector<int64_t> counts;  // of each example

  template <typename T> std::vector<T>& values() {
    if constexpr (std::is_same_v<T, float>)
      return floats;
    else if constexpr (std::is_same_v<T, int64_t>)
      return int64s;
    else
      return strings;
  }
};

/// One feature over the whole batch: its columns in the order of the examples.
using ExampleColumns = std::vector<ExampleColumn*>;

/// Sets the outputs of `feature`, which is not of a fixed size. `padding` is the default of a padded one.
Status JoinColumns(KernelContext& context, const ExampleFeature& feature, const ExampleColumns& columns, bool is_batch,
                   const Tensor* padding);

/// The rows of one feature list in some consecutive examples. Where a row's number of values is fixed, `counts` are of each
/// example all the same, else of each row.
struct ListColumn : ExampleColumn {
  std::vector<int64_t> num_rows;  // of each example
};

using ListColumns = std::vector<ListColumn*>;

/// Sets the outputs of `feature`.
Status JoinListColumns(KernelContext& context, const ListFeature& feature, const ListColumns& columns, bool is_batch);

}  // namespace headrace
