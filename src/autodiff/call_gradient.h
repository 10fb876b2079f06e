// The parts of AddFunctionGradient (function_gradient.h).
#pragma once

#include "autodiff/function_gradient.h"

namespace headrace {

/// For PartitionedCall, If, Case and their twins.
Status AddCallGradient(GradientContext& context, Node* node, const GradientScope& scope);

/// For While and StatelessWhile.
Status AddWhileGradient(GradientContext& context, Node* node, const GradientScope& scope);

}  // namespace headrace
