// Tensors as serialized TensorProto messages.
#pragma once

#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace headrace {

/// Errors: kUnimplemented for values that cannot leave their process.
Result<std::string> TensorToBytes(const Tensor& tensor);
/// Errors: kInvalidArgument for anything but a TensorProto; those of TensorFromProto.
Result<Tensor> TensorFromBytes(std::string_view bytes, const std::shared_ptr<MemoryAccount>& account);

}  // namespace headrace
