// AddTwo: adding tensors outside of AddN.
#pragma once

#include "kernel/kernel.h"

namespace headrace {

/// The sum of two tensors of one type and shape, or of two lists, element by element. Errors: kInvalidArgument where they differ.
Result<Tensor> AddTwo(const KernelContext& context, const Tensor& a, const Tensor& b);

}  // namespace headrace
