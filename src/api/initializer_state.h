// What stands behind initializers, and the seeds of random operations. Not installed.
#pragma once

#include <functional>
#include <utility>

#include "api/initializer.h"
#include "api/scope_state.h"

namespace headrace::api {

struct InitializerState {
  DType dtype = DType::kInvalid;
  PartialShape shape;
  /// Adds the value's nodes below the builder's prefix.
  std::function<Endpoint(const GraphBuilder& builder, GraphState& graph)> build;
};

/// The attributes `seed` and `seed2` of a random op, by TensorFlow's rule: the graph's seed with the op's own or,
/// without one, with the number of nodes before it; an op's seed alone goes with TensorFlow's fixed graph seed; both 0
/// (different each run) without any.
std::pair<int64_t, int64_t> RandomSeeds(const GraphState& graph, std::optional<int64_t> op_seed);

}  // namespace headrace::api
