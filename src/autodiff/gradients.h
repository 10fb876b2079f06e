// Gradients: adds the nodes that compute d(ys)/d(xs) to a graph, from the gradient functions that the ops define.
#pragma once

#include <vector>

#include "graph/builder.h"
#include "graph/gradient_context.h"

namespace headrace {

/// Returns for each of `xs` the gradient of the sum of all elements of `ys`, each weighted by `grad_ys` (empty: by
/// ones). A gradient that does not exist is returned as such: x does not reach y, or only through ops without gradient.
/// Nothing flows on through the nodes of `stops`, as if they were constants.
/// An x may be a tensor of float type or a resource variable's handle; rows that were gathered come back as
/// IndexedSlices. New nodes are named "gradients/<node>_grad/...", below the builder's prefix. Gradients that meet are
/// added with AddN, or, where all are IndexedSlices, concatenated. Graphs of any depth are fine. Nodes that call functions
/// are changed to call functions that also return what the gradient needs (function_gradient.h).
/// Errors: kInvalidArgument for a y that is not of float type, or a number or type of `grad_ys` that does not fit;
/// kUnimplemented for an op on the way that defines no gradient and no reason for it, or for a v1 condition or loop.
HR_EXPORT Result<std::vector<Gradient>> AddGradients(const GraphBuilder& builder, const std::vector<Endpoint>& ys,
                                                     const std::vector<Endpoint>& xs,
                                                     const std::vector<Endpoint>& grad_ys = {},
                                                     const std::vector<Endpoint>& stops = {});

/// True for types whose values have gradients: floating, complex, handles of resource variables, and lists of tensors.
HR_EXPORT bool IsDifferentiable(DType type);

}  // namespace headrace
