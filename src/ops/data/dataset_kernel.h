// What the dataset ops share: reading their parameters, and putting the dataset into their output.
#pragma once

#include <string_view>

#include "data/stages.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"

namespace headrace {

/// Reads input i as a scalar of type T. Errors: kInvalidArgument, naming the parameter.
template <typename T> Result<T> ScalarInput(const KernelContext& c, int i, std::string_view name) {
  const Tensor& tensor = c.input(i);
  if (tensor.dtype() != kDTypeOf<T> || tensor.num_elements() != 1 || tensor.rank() != 0) {
    return InvalidArgument(c.node().op(), ": ", name, " must be a scalar, got ", tensor);
  }
  return tensor.scalar<T>();
}

/// Reads input i as a scalar or vector of strings.
Result<std::vector<std::string>> StringsInput(const KernelContext& c, int i, std::string_view name);

inline Status SetDatasetOutput(KernelContext& c, Result<DatasetPtr> dataset) {
  if (!dataset.ok()) return dataset.status();
  return c.SetOutput(0, DatasetToTensor(*std::move(dataset)));
}

/// An op that makes a dataset with a function kernel; it has no gradient.
OpDefinition DatasetOp(std::string_view signature, KernelFactory kernel);

}  // namespace headrace
