// A tensor's values as text for people, as TensorFlow writes them: in assertions, and by the ops that print.
#pragma once

#include <cstdint>
#include <string>

#include "tensor/tensor.h"

namespace headrace {

/// The first `limit` values (all where it is negative) on one line: "1 2 3...", "[1 2][3...]...".
std::string FirstValuesText(const Tensor& tensor, int64_t limit);

/// The first and last `edge` values of each dimension (all where it is negative), rows on lines of their own, strings in quotes:
/// "[[0 1 ... 8 9]\n ...\n [90 91 ... 98 99]]".
std::string EdgeValuesText(const Tensor& tensor, int64_t edge);

}  // namespace headrace
