// From a node that has run to its consumers: values move into their slots, and those that wait for nothing more are ready.
#include <algorithm>

#include "executor/step.h"

namespace headrace {

namespace {

bool IsSet(const InputValue& value) { return value.tensor.valid() || value.variable != nullptr; }

void MoveOrCopy(InputValue& from, bool move, InputValue* to) {
  if (move) {
    *to = std::move(from);
  } else {
    *to = from;
  }
}

}  // namespace

void Step::Propagate(const PlanNode& node, Iteration* at, bool is_dead, InputValue* outputs, ReadyNodes* ready) {
  switch (node.loop) {
    case LoopRole::kNone: {
      const int64_t num_ready = Deliver(node, at, is_dead, outputs, ready);
      if (at->run != nullptr) AddHolds(at, num_ready - 1, ready);
      return;
    }
    case LoopRole::kEnter:
    case LoopRole::kConstantEnter:
      return EnterLoop(node, at, is_dead, outputs, ready);
    case LoopRole::kExit:
      return ExitLoop(node, at, is_dead, outputs, ready);
    case LoopRole::kNextIteration:
      return GoToNextIteration(node, at, is_dead, outputs, ready);
  }
}

/// Returns how many nodes became ready by it.
int64_t Step::Deliver(const PlanNode& node, Iteration* to, bool is_dead, InputValue* outputs, ReadyNodes* ready) {
  const size_t num_ready_before = ready->cheap.size();
  const PlanEdge* const edges = plan_.edges.data();
  for (const PlanEdge* edge = edges + node.first_edge; edge < edges + node.first_control_edge; ++edge) {
    InputValue& value = outputs[static_cast<size_t>(edge->output)];
    const bool is_value_dead = is_dead || !IsSet(value);
    if (edge->node < 0) {
      if (!is_value_dead) DeliverResult(*edge, value);
    } else if (edge->to_merge) {
      ArriveAtMerge(*edge, to, is_value_dead ? nullptr : &value, ready);
    } else {
      if (!is_value_dead) MoveOrCopy(value, edge->last, &to->Slot(edge->slot));
      Arrive(*edge, to, is_value_dead, ready);
    }
  }
  for (const PlanEdge* edge = edges + node.first_control_edge; edge < edges + node.end_edge; ++edge) {
    if (edge->to_merge) {
      ArriveAtMerge(*edge, to, nullptr, ready);
    } else {
      Arrive(*edge, to, is_dead, ready);
    }
  }
  for (int32_t i = 0; i < node.num_outputs; ++i) {
    if (IsSet(outputs[i])) outputs[i] = InputValue();  // nobody wanted it
  }
  const size_t num_ready = ready->cheap.size() - num_ready_before;
  if (num_ready > 1) {
    std::sort(ready->cheap.begin() + static_cast<std::ptrdiff_t>(num_ready_before), ready->cheap.end(),
              [](const ReadyNode& a, const ReadyNode& b) { return a.node > b.node; });
  }
  return static_cast<int64_t>(num_ready);
}

void Step::DeliverResult(const PlanEdge& edge, InputValue& value) {
  Tensor& result = context_->results[static_cast<size_t>(edge.slot)];
  if (value.variable != nullptr) {
    result = value.variable->Read();
  } else if (edge.last) {
    result = std::move(value.tensor);
  } else {
    result = value.tensor;
  }
}

void Step::Arrive(const PlanEdge& edge, Iteration* to, bool is_dead, ReadyNodes* ready) {
  if (is_dead) std::atomic_ref(to->Dead(edge.node)).store(1, std::memory_order_relaxed);
  if (edge.lone || std::atomic_ref(to->Pending(edge.node)).fetch_sub(1, std::memory_order_acq_rel) == 1) {
    ready->cheap.push_back({edge.node, to});
  }
}

/// `value` is null for a dead input and for a control edge. The state word is explained at Plan::initial_merge: whichever arrival
/// makes the word say "all is here" starts the merge, so it starts once.
void Step::ArriveAtMerge(const PlanEdge& edge, Iteration* to, InputValue* value, ReadyNodes* ready) {
  std::atomic_ref state(to->MergeState(plan_.nodes[static_cast<size_t>(edge.node)]));
  int64_t after;
  if (edge.output < 0) {
    after = state.fetch_sub(kMergeControl, std::memory_order_acq_rel) - kMergeControl;
  } else if (value != nullptr) {
    if ((state.fetch_and(~kMergeUnclaimed, std::memory_order_relaxed) & kMergeUnclaimed) == 0) return;
    MoveOrCopy(*value, edge.last, &to->Slot(edge.slot));
    after = state.fetch_and(~kMergeNoLive, std::memory_order_acq_rel) & ~kMergeNoLive;
  } else {
    after = state.fetch_sub(kMergeInput, std::memory_order_acq_rel) - kMergeInput;
    if ((after & kMergeNoLive) == 0) return;
  }
  const bool is_live = (after & kMergeNoLive) == 0;
  const bool all_dead = !is_live && (after & (kMergeControl - 1)) < kMergeInput;
  if (after >= kMergeControl || !(is_live || all_dead)) return;
  if (all_dead) std::atomic_ref(to->Dead(edge.node)).store(1, std::memory_order_relaxed);
  ready->cheap.push_back({edge.node, to});
}

}  // namespace headrace
