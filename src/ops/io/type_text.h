// The names of dtypes in messages that clients match.
#pragma once

#include <string>
#include <vector>

#include "tensor/dtype.h"

namespace headrace {

/// "float", "int64", "string", ...: TensorFlow's enum spelling in small letters, without "DT_".
std::string TypeText(DType dtype);
/// "float, int64".
std::string TypesText(const std::vector<DType>& dtypes);

}  // namespace headrace
