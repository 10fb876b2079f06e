// ExportGraphDef and ExportNode (import.h).
#include "graph/import.h"

namespace headrace {

NodeDef ExportNode(const Node& node) {
  NodeDef def{
      .name = node.name(), .op = node.op(), .device = node.requested_device(), .inputs = {}, .attrs = node.attrs()};
  for (const Endpoint& input : node.inputs()) {
    if (input) def.inputs.push_back(input.index == 0 ? input.node->name() : input.ToString());
  }
  for (const Node* control : node.control_inputs()) def.inputs.push_back(StrCat("^", control->name()));
  return def;
}

GraphDef ExportGraphDef(const Graph& graph) {
  GraphDef def;
  const Result<std::vector<Node*>> order = graph.TopologicalOrder();
  for (const Node* node : order.ok() ? *order : graph.Nodes()) def.nodes.push_back(ExportNode(*node));
  for (const auto& [name, function] : graph.functions().functions()) def.functions.push_back(*function);
  for (const auto& [name, gradient] : graph.functions().gradients()) def.gradients.push_back({name, gradient});
  def.versions = graph.versions();
  return def;
}

}  // namespace headrace
