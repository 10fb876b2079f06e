// Unread results: drops what is computed for nobody. Gradients of programs hold such nodes: the gradient of a net's input, say, which
// is only waited for, together with that of the first layer's weights.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace headrace {

/// Removes stateless nodes of which no output is read but for which other nodes wait; those wait for the node's inputs instead,
/// where they do not anyway. Nodes named in `keep` stay, as do checks (CheckNumerics) and what stands at the border of a loop or
/// a condition. Errors: kInvalidArgument for a graph with a cycle.
HR_EXPORT Status DropUnread(Graph* graph, const std::vector<std::string>& keep);

}  // namespace headrace
