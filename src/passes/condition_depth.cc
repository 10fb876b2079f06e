#include "passes/condition_depth.h"

#include <algorithm>

#include "graph/loop_frames.h"

namespace headrace {
namespace {

// What a node does to the depth of its inputs. A loop's values pass an Enter and a Switch on their way to the Exit.
int Change(const Node& node) {
  if (IsSwitch(node) || IsEnter(node)) return 1;
  if (IsExit(node)) return -2;
  const auto is_back_edge = [](const Endpoint& input) { return IsNextIteration(*input.node); };
  return IsMerge(node) && std::ranges::none_of(node.inputs(), is_back_edge) ? -1 : 0;
}

}  // namespace

std::vector<int> ConditionDepths(const Graph& graph, const std::vector<Node*>& order) {
  std::vector<int> depths(static_cast<size_t>(graph.num_ids()), 0);
  for (const Node* node : order) {
    int& depth = depths[static_cast<size_t>(node->id())];
    const auto meet = [&](const Node* source) {
      if (!IsNextIteration(*source)) depth = std::max(depth, depths[static_cast<size_t>(source->id())]);
    };
    for (const Endpoint& input : node->inputs()) meet(input.node);
    for (const Node* source : node->control_inputs()) meet(source);
    depth = std::max(0, depth + Change(*node));
  }
  return depths;
}

}  // namespace headrace
