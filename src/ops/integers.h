// Reading small integer tensors: axes, shapes, sizes, indices.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/shape_context.h"
#include "tensor/tensor.h"

namespace headrace {

/// Element i of a tensor of any integer type, as i64 (u64 wraps).
int64_t IntegerAt(const Tensor& values, int64_t i);
std::vector<int64_t> IntegersOf(const Tensor& values);

/// An axis given by a tensor of one element, negative ones counted from the end of `rank` dimensions.
/// Errors: kInvalidArgument, beginning with `what`.
Result<int> ReadAxis(std::string_view what, const Tensor& axis, int rank);
/// The same for an axis given as a number.
Result<int> NormalizeAxis(std::string_view what, int64_t axis, int rank);

/// The value of input i where it is a constant integer tensor.
std::optional<std::vector<int64_t>> ConstantIntegers(const ShapeContext& c, int i);

/// A shape from a vector (or list) of extents given by a graph. Errors: kInvalidArgument for a negative extent or too many elements.
Result<Shape> ShapeFromTensor(std::string_view what, const Tensor& dims);

}  // namespace headrace
