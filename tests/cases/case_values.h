// Tensors and attributes as *.case files write them.
#pragma once

#include <random>
#include <string>
#include <string_view>

#include "graph/op_signature.h"
#include "tensor/tensor.h"

namespace headrace::cases {

using Random = std::mt19937;

/// Reads "f32[2,3] = 1 2 3 4 5 6". Instead of the values: one value for all, `iota`, `random` or `random(LOW,HIGH)`.
Result<Tensor> ParseTensor(std::string_view text, Random& random);

/// Reads "a=1 b=[1,2] T=f32" by the attributes' kinds in the signature.
Result<AttrMap> ParseAttrs(const OpSignature& signature, std::string_view text);

/// Compares dtype, shape and values; `tolerance` is relative to max(1, |expected|), 0 chooses by dtype.
Status CompareTensors(const Tensor& actual, const Tensor& expected, double tolerance);

/// The element as a double (the real part of a complex number). REQUIRES: a numeric dtype.
double ElementAsDouble(const Tensor& tensor, int64_t i);
/// Stores `value` in the element. REQUIRES: a floating dtype, and a buffer of its own.
void SetElement(Tensor& tensor, int64_t i, double value);

}  // namespace headrace::cases
