#include "passes/loop_devices.h"

#include <algorithm>

namespace headrace {
namespace {

const Node* FirstDataConsumer(const std::vector<Consumer>& consumers) {
  const auto first = std::ranges::find_if(consumers, [](const Consumer& consumer) { return consumer.input >= 0; });
  return first == consumers.end() ? nullptr : first->node;
}

}  // namespace

bool IsLoopMerge(const Node& node) {
  const auto any = [&node](auto is_kind) {
    return std::ranges::any_of(node.inputs(), [&](const Endpoint& input) { return is_kind(*input.node); });
  };
  return IsMerge(node) && any(IsEnter) && any(IsNextIteration);
}

std::vector<std::string> DevicesWithLoopsTogether(const Graph& graph, const LoopFrames& loops) {
  std::vector<std::string> devices(static_cast<size_t>(graph.num_ids()));
  const auto device_of = [&devices](const Node& node) -> std::string& {
    return devices[static_cast<size_t>(node.id())];
  };
  const std::vector<Node*> nodes = graph.Nodes();
  for (const Node* node : nodes) device_of(*node) = node->assigned_device();
  if (!loops.has_loops()) return devices;
  const std::vector<std::vector<Consumer>> consumers = graph.Consumers();
  const Result<std::vector<Node*>> order = graph.TopologicalOrder();
  if (!order.ok()) return devices;  // whoever found the frames has reported the cycle
  for (const Node* node : *order) {
    if (IsExit(*node) || (IsSwitch(*node) && loops.FrameOf(*node) != 0))
      device_of(*node) = device_of(*node->input(0).node);
  }
  for (auto node = order->rbegin(); node != order->rend(); ++node) {
    if ((*node)->op() != "Enter" && (*node)->op() != "NextIteration") continue;  // a ref stays with its variable
    const Node* consumer = FirstDataConsumer(consumers[static_cast<size_t>((*node)->id())]);
    if (consumer != nullptr) device_of(**node) = device_of(*consumer);
  }
  return devices;
}

std::vector<Endpoint> LoopConditions(const Graph& graph, const LoopFrames& loops) {
  std::vector<Endpoint> conditions(loops.frames.size());
  if (!loops.has_loops()) return conditions;
  for (const Node* node : graph.Nodes()) {
    if (!IsSwitch(*node) || !IsLoopMerge(*node->input(0).node)) continue;
    Endpoint& condition = conditions[static_cast<size_t>(loops.FrameOf(*node))];
    // A condition within the loop may choose by a Switch of the same value.
    if (!condition || node->input(1).node->op() == "LoopCond") condition = node->input(1);
  }
  return conditions;
}

}  // namespace headrace
