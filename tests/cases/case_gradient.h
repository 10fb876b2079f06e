// Checks an op's gradient function by finite differences, node by node, without a session.
#pragma once

#include "case_file.h"
#include "case_values.h"

namespace headrace::cases {

/// Compares the gradients of all floating inputs that get one with differences of sum(weights * outputs), for random weights;
/// twice: with the inputs as constants, and as placeholders of unknown shape.
Status CheckGradient(const CaseBlock& block, const std::vector<Tensor>& inputs, const AttrMap& attrs, Random& random);

}  // namespace headrace::cases
