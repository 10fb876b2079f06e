// BinaryOp: the definition of a broadcasting op from its row.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "graph/op_definition.h"
#include "ops/formula.h"

namespace headrace {

/// An operand's part of the gradient, before it is summed to the operand's shape; null: there is none.
using Partial = Formula (*)(const Formula& x, const Formula& y, const Formula& z, const Formula& dz);

/// A partial derivative written as an expression of x, y, z and dz.
#define HR_PARTIAL(formula)                                                                    \
  [](const ::headrace::Formula& x, const ::headrace::Formula& y, const ::headrace::Formula& z, \
     const ::headrace::Formula& dz) -> ::headrace::Formula {                                   \
    (void)x, (void)y, (void)z, (void)dz;                                                       \
    return formula;                                                                            \
  }

OpDefinition BinaryOp(std::string_view signature, std::vector<KernelDefinition> kernels, Partial by_x, Partial by_y);
/// A broadcasting op without gradient, for the reason given.
OpDefinition BinaryOp(std::string_view signature, std::vector<KernelDefinition> kernels, std::string_view no_gradient);

}  // namespace headrace
