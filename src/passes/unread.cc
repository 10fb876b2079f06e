// See unread.h.
#include "passes/unread.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "graph/function_ops.h"
#include "graph/loop_frames.h"

namespace headrace {
namespace {

constexpr int kMostDropped = 1000;  // each costs a walk through the graph

bool IsControlFlow(const Node& node) {
  return IsSwitch(node) || IsMerge(node) || IsEnter(node) || IsExit(node) || IsNextIteration(node) ||
         node.op() == "LoopCond";
}

bool HasRef(const std::vector<DType>& types) {
  return std::ranges::any_of(types, [](DType type) { return type != RemoveRef(type); });
}

// What the node waits for.
std::vector<Node*> Sources(const Node& node) {
  std::vector<Node*> sources = node.control_inputs();
  for (const Endpoint& input : node.inputs()) sources.push_back(input.node);
  return sources;
}

// True when running the node can be noticed by nothing but the readers of its outputs.
bool IsFreeOfEffects(const Node& node) {
  const OpSignature& signature = node.definition().signature();
  return !signature.stateful && !TakesFunctions(signature) && node.num_inputs() > 0 && node.num_outputs() > 0 &&
         !IsControlFlow(node) && !node.op().starts_with("CheckNumerics") && !node.op().starts_with("_") &&
         !HasRef(node.input_types()) && !HasRef(node.output_types()) &&
         std::ranges::none_of(Sources(node), [](const Node* source) { return IsControlFlow(*source); });
}

bool NeedsNoWaiting(const Node& node) { return node.op() == "Const" && node.control_inputs().empty(); }

class Dropper {
 public:
  Dropper(Graph* graph, const std::vector<std::string>& keep) : graph_(graph), keep_(keep.begin(), keep.end()) {}
  Status Run();

 private:
  void Drop(Node* node);
  void WaitFor(Node* waiter, std::unordered_set<Node*> sources);

  Graph* graph_;
  const std::set<std::string> keep_;
  std::vector<int> reads_;                   // by node id
  std::vector<std::vector<Node*>> waiters_;  // by node id
  std::unordered_set<Node*> constants_;      // that a dropped node read
};

// Adds control edges from those sources that the waiter does not already wait for in some way.
void Dropper::WaitFor(Node* waiter, std::unordered_set<Node*> sources) {
  std::vector<Node*> pending = {waiter};
  std::unordered_set<const Node*> seen = {waiter};
  while (!pending.empty() && !sources.empty()) {
    const Node* node = pending.back();
    pending.pop_back();
    for (Node* source : Sources(*node)) {
      sources.erase(source);
      if (!IsControlFlow(*source) && seen.insert(source).second) pending.push_back(source);
    }
  }
  for (Node* source : sources) {
    graph_->AddControlInput(waiter, source);
    waiters_[static_cast<size_t>(source->id())].push_back(waiter);
  }
}

void Dropper::Drop(Node* node) {
  std::unordered_set<Node*> sources;
  for (Node* source : Sources(*node)) {
    if (!NeedsNoWaiting(*source)) sources.insert(source);
  }
  for (Node* waiter : waiters_[static_cast<size_t>(node->id())]) {
    const std::vector<Node*> before = waiter->control_inputs();
    graph_->RemoveControlInputs(waiter);
    for (Node* source : before) {
      if (source != node) graph_->AddControlInput(waiter, source);
    }
    WaitFor(waiter, sources);
  }
  for (const Endpoint& input : node->inputs()) --reads_[static_cast<size_t>(input.node->id())];
  for (Node* source : node->control_inputs()) std::erase(waiters_[static_cast<size_t>(source->id())], node);
  for (const Endpoint& input : node->inputs()) {
    if (NeedsNoWaiting(*input.node)) constants_.insert(input.node);
  }
  graph_->RemoveNode(node);
}

Status Dropper::Run() {
  HR_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph_->TopologicalOrder());
  reads_.assign(static_cast<size_t>(graph_->num_ids()), 0);
  waiters_.resize(static_cast<size_t>(graph_->num_ids()));
  for (Node* node : order) {
    for (const Endpoint& input : node->inputs()) ++reads_[static_cast<size_t>(input.node->id())];
    for (const Node* source : node->control_inputs()) waiters_[static_cast<size_t>(source->id())].push_back(node);
  }
  int dropped = 0;
  // From the last to the first, so that whole chains go.
  for (auto it = order.rbegin(); it != order.rend() && dropped < kMostDropped; ++it) {
    Node* node = *it;
    const size_t id = static_cast<size_t>(node->id());
    if (reads_[id] > 0 || waiters_[id].empty() || keep_.contains(node->name()) || !IsFreeOfEffects(*node)) continue;
    Drop(node);
    ++dropped;
  }
  for (Node* constant : constants_) {
    const size_t id = static_cast<size_t>(constant->id());
    if (reads_[id] == 0 && waiters_[id].empty() && !keep_.contains(constant->name())) graph_->RemoveNode(constant);
  }
  return OkStatus();
}

}  // namespace

Status DropUnread(Graph* graph, const std::vector<std::string>& keep) { return Dropper(graph, keep).Run(); }

}  // namespace headrace
