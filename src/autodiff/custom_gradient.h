// The gradient that a program gives a part of its own graph. The part ends with an IdentityN, whose inputs are its results, then what
// gradients are for, then what the gradient function reads. Its attributes:
//   _gradient_function  the name of a function of the gradients of the results that have one by their type, then of what it reads
//   _gradient_results   the number of results
//   _gradient_captures  the first of the inputs that the function reads
#pragma once

#include "graph/gradient_context.h"

namespace headrace {

bool HasCustomGradient(const Node& node);
/// Calls the function. Errors: kInvalidArgument for attributes that do not fit the node.
Status AddCustomGradient(GradientContext& context, const Node& node);

}  // namespace headrace
