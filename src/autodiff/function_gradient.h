// The gradients of ops that call functions: PartitionedCall, If, Case, While and their twins with or without state.
//
// The called functions are differentiated, each into two: a forward function that also returns what the gradient needs of it, and
// a backward function that takes that. The node calls the forward functions from then on (it gets further outputs behind those it
// has), a new node calls the backward ones. The functions are added to the graph's library.
#pragma once

#include <string>
#include <vector>

#include "graph/gradient_context.h"

namespace headrace {

/// One call of AddGradients, on the way into the functions that its graph calls.
struct GradientScope {
  std::string
      name;       // "gradients", "gradients_1", ...: nodes and TensorArrays of gradients are called so, at all depths
  int depth = 0;  // of functions within functions

  GradientScope Inner() const { return {name, depth + 1}; }
};

/// True for ops of which AddFunctionGradient builds the gradient.
bool CallsFunctions(const Node& node);

/// Sets the gradients of the inputs of `node`, which is the context's node.
Status AddFunctionGradient(GradientContext& context, Node* node, const GradientScope& scope);

/// AddGradients for the body of a function. Ys may also be lists and handles, where `grad_ys` says their gradient.
/// Errors: also kInvalidArgument for functions that call each other in a circle.
Result<std::vector<Gradient>> AddGradientsInside(const GraphBuilder& builder, const std::vector<Endpoint>& ys,
                                                 const std::vector<Endpoint>& xs, const std::vector<Endpoint>& grad_ys,
                                                 const GradientScope& scope);

/// True where autodiff ends: the op has no gradient, and says why.
bool StopsGradients(const Node& node);

}  // namespace headrace
