// Gradients: derivatives as operations of the graph.
#pragma once

#include <vector>

#include "api/output.h"
#include "api/variable.h"

namespace headrace::api {

/// For each of `xs` the gradient of the sum of all elements of `y`; an empty output where x does not reach y, or only
/// through operations without gradient. Of a variable's rows that were looked up, the gradient comes as a whole tensor,
/// zero elsewhere.
/// Errors: UNIMPLEMENTED, remembered by the graph, for an operation on the way that has no gradient yet.
HR_EXPORT std::vector<Output> Gradients(const Input& y, const std::vector<Output>& xs);
HR_EXPORT std::vector<Output> Gradients(const Input& y, const std::vector<Variable>& xs);

}  // namespace headrace::api
