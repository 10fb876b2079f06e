// Folding: computes what is constant once, when a plan is made, instead of in every step.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace headrace {

struct HR_EXPORT FoldOptions {
  int64_t max_result_bytes = 64 * 1024;  // larger results stay computed: a plan should not hold much memory
};

/// Replaces stateless nodes whose inputs are all constants, and Shape, Size and Rank of tensors whose shape is fully
/// known, by constants named `<node>/folded`, on the same device. The replaced nodes are removed where nothing else
/// needs them. A node whose evaluation fails is left for the step to report.
/// Shapes are trusted: a tensor that is fed in the middle of a graph has to fit the shape that the graph says.
/// REQUIRES: what is fetched or has side effects is consumed by a node with state (PruneToFetches sees to that), or
/// named in the graph's control edges. Errors: kInvalidArgument for a graph with a cycle.
HR_EXPORT Status FoldConstants(Graph* graph, const FoldOptions& options = {});

}  // namespace headrace
