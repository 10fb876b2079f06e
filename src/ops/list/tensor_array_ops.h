// What the two files of TensorArray ops share.
#pragma once

#include <string>
#include <vector>

#include "graph/gradient_context.h"
#include "graph/op_definition.h"

namespace headrace {

/// Handle and flow of the gradient of the TensorArray in input 0, after what made `flow`.
struct TensorArrayGradient {
  Endpoint handle;
  Endpoint flow;
};
TensorArrayGradient GradientOfTensorArray(const GradientContext& c, Endpoint flow);

/// An op that takes a TensorArray; the last input and the flow output, where there are such, only put ops in order.
OpDefinition TensorArrayOp(std::string_view signature, ShapeFunction shape, KernelFactory kernel,
                           GradientFunction gradient = nullptr);

}  // namespace headrace
