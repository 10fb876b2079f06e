// How deep in conditions and loops the nodes of a graph are.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace headrace {

/// By node id: the number of conditions (Switch to Merge) and loops (Enter to Exit) around the node, counted along its inputs. 0: it
/// runs once in every step that needs it; else it may be dead, or run several times.
/// REQUIRES: `order` is the graph's topological order, and conditions and loops are nested as TensorFlow's clients build them.
std::vector<int> ConditionDepths(const Graph& graph, const std::vector<Node*>& order);

}  // namespace headrace
