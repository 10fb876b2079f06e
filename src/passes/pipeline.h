// Pipeline: runs passes one after the other and verifies the graph after each.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace headrace {

/// A rewrite, and its name for messages.
struct HR_EXPORT Pass {
  std::string name;
  std::function<Status(Graph*)> run;
};

/// Errors: the first pass's that fails; kInternal, naming pass and node, when a pass leaves a graph that does not
/// verify.
HR_EXPORT Status RunPasses(Graph* graph, const std::vector<Pass>& passes);

/// Checks that all edges come from nodes of this graph, that types agree, and that there is no cycle but through
/// NextIteration.
/// Errors: kInternal, naming the node.
HR_EXPORT Status VerifyRewrite(const Graph& graph);

}  // namespace headrace
