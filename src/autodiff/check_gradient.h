// CheckGradient: compares an op's gradient with finite differences. For tests of ops.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace headrace {

struct HR_EXPORT GradientCheckOptions {
  double step = 0;       // of the finite difference; 0: 1e-3 for f64 and 1e-2 for f32
  double tolerance = 0;  // relative to the larger of 1 and the value; 0: 1e-5 for f64 and 1e-2 for f32
  uint64_t seed = 7;     // of the weights of the outputs' elements
  /// Inputs to check; empty: all of float type that have a gradient. With names given, one without gradient is an
  /// error.
  std::vector<int> inputs = {};
};

/// Builds `op` on `inputs`, weights the elements of its float outputs at random, and compares the gradient of the sum
/// with respect to each float input, element by element, with (f(x + step) - f(x - step)) / (2 step). f32 or f64.
/// Errors: kInternal, naming input, element and both numbers, where they differ; whatever building or running reports.
HR_EXPORT Status CheckGradient(std::string_view op, const std::vector<Tensor>& inputs, const AttrMap& attrs = {},
                               const GradientCheckOptions& options = {});

/// A value for an output of a graph.
struct HR_EXPORT FedTensor {
  Endpoint endpoint;
  Tensor value;
};

/// Computes `fetches` one node after the other (see EvaluateOp), with the fed values in place of what the graph says.
/// Slow; for tests.
HR_EXPORT Result<std::vector<Tensor>> EvaluateEndpoints(const std::vector<Endpoint>& fetches,
                                                        const std::vector<FedTensor>& feeds);

}  // namespace headrace
