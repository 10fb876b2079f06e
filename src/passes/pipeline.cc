// See pipeline.h.
#include "passes/pipeline.h"

#include <unordered_set>

namespace headrace {
namespace {

using LiveNodes = std::unordered_set<const Node*>;  // edges of a broken graph may point to nodes that are gone

Status VerifyNode(const LiveNodes& live, const Node& node) {
  for (int i = 0; i < node.num_inputs(); ++i) {
    const Endpoint& input = node.input(i);
    if (!input) return Internal("node '", node.name(), "': input ", i, " is not connected");
    if (!live.contains(input.node)) return Internal("node '", node.name(), "': input ", i, " is not in the graph");
    if (input.index < 0 || input.index >= input.node->num_outputs()) {
      return Internal("node '", node.name(), "': input ", i, " is output ", input.index, " of '", input.node->name(),
                      "', which has ", input.node->num_outputs());
    }
    const DType expected = node.input_types()[static_cast<size_t>(i)], actual = input.dtype();
    if (expected == actual || expected == RemoveRef(actual)) continue;
    return Internal("node '", node.name(), "': input ", i, " is ", actual, ", expected ", expected);
  }
  for (const Node* source : node.control_inputs()) {
    if (!live.contains(source)) return Internal("node '", node.name(), "': a control input is not in the graph");
  }
  return OkStatus();
}

}  // namespace

Status VerifyRewrite(const Graph& graph) {
  const std::vector<Node*> nodes = graph.Nodes();
  const LiveNodes live(nodes.begin(), nodes.end());
  for (const Node* node : nodes) HR_RETURN_IF_ERROR(VerifyNode(live, *node));
  return graph.TopologicalOrder().status();
}

Status RunPasses(Graph* graph, const std::vector<Pass>& passes) {
  for (const Pass& pass : passes) {
    HR_RETURN_IF_ERROR(pass.run(graph));
    const Status verified = VerifyRewrite(*graph);
    if (!verified.ok()) return Internal("Pass '", pass.name, "' left a broken graph: ", verified.message());
  }
  return OkStatus();
}

}  // namespace headrace
