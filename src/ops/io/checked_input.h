// Inputs that an op wants as a string scalar or vector.
#pragma once

#include "kernel/kernel.h"

namespace headrace {

/// Errors: kInvalidArgument, naming op, input and shape.
inline Result<const std::string*> StringScalar(const KernelContext& c, int i, std::string_view name) {
  const Tensor& value = c.input(i);
  if (value.num_elements() != 1 || value.rank() > 1)
    return InvalidArgument(c.node().op(), ": ", name, " must be a scalar, got ", value);
  return &value.data<std::string>()[0];
}

inline Result<std::span<const std::string>> StringVector(const KernelContext& c, int i, std::string_view name) {
  const Tensor& value = c.input(i);
  if (value.rank() != 1) return InvalidArgument(c.node().op(), ": ", name, " must be a vector, got ", value);
  return value.data<std::string>();
}

}  // namespace headrace
