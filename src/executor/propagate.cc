// From a node that has run to its consumers: values move into their slots, and those that wait for nothing more are ready.
#include <algorithm>
#include <functional>

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

void Step::Propagate(const PlanNode& node, bool is_dead, std::vector<InputValue>& outputs, ReadyNodes* ready) {
  const size_t num_ready_before = ready->cheap.size();
  const PlanEdge* const edges = plan_.edges.data();
  for (const PlanEdge* edge = edges + node.first_edge; edge < edges + node.first_control_edge; ++edge) {
    InputValue& value = outputs[static_cast<size_t>(edge->output)];
    const bool is_value_dead = is_dead || !IsSet(value);
    if (edge->node < 0) {
      if (!is_value_dead) DeliverResult(*edge, value);
    } else if (edge->to_merge) {
      ArriveAtMerge(*edge, is_value_dead ? nullptr : &value, ready);
    } else {
      if (!is_value_dead) MoveOrCopy(value, edge->last, &slots_[static_cast<size_t>(edge->slot)]);
      Arrive(*edge, is_value_dead, ready);
    }
  }
  for (const PlanEdge* edge = edges + node.first_control_edge; edge < edges + node.end_edge; ++edge) {
    if (edge->to_merge) {
      ArriveAtMerge(*edge, nullptr, ready);
    } else {
      Arrive(*edge, is_dead, ready);
    }
  }
  for (size_t i = 0; i < static_cast<size_t>(node.num_outputs); ++i) {
    if (IsSet(outputs[i])) outputs[i] = InputValue();  // nobody wanted it
  }
  if (ready->cheap.size() > num_ready_before + 1) {
    std::sort(ready->cheap.begin() + static_cast<std::ptrdiff_t>(num_ready_before), ready->cheap.end(),
              std::greater<>());
  }
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

void Step::Arrive(const PlanEdge& edge, bool is_dead, ReadyNodes* ready) {
  const auto index = static_cast<size_t>(edge.node);
  if (is_dead) std::atomic_ref(dead_[index]).store(1, std::memory_order_relaxed);
  if (edge.lone || std::atomic_ref(pending_[index]).fetch_sub(1, std::memory_order_acq_rel) == 1) {
    ready->cheap.push_back(edge.node);
  }
}

/// `value` is null for a dead input and for a control edge. The state word is explained at Plan::initial_merge: whichever arrival
/// makes the word say "all is here" starts the merge, so it starts once.
void Step::ArriveAtMerge(const PlanEdge& edge, InputValue* value, ReadyNodes* ready) {
  const auto index = static_cast<size_t>(edge.node);
  const auto merge = static_cast<size_t>(plan_.nodes[index].value_index);
  std::atomic_ref state(merges_[merge]);
  int64_t after;
  if (edge.output < 0) {
    after = state.fetch_sub(kMergeControl, std::memory_order_acq_rel) - kMergeControl;
  } else if (value != nullptr) {
    if ((state.fetch_and(~kMergeUnclaimed, std::memory_order_relaxed) & kMergeUnclaimed) == 0) return;
    MoveOrCopy(*value, edge.last, &slots_[static_cast<size_t>(edge.slot)]);
    after = state.fetch_and(~kMergeNoLive, std::memory_order_acq_rel) & ~kMergeNoLive;
  } else {
    after = state.fetch_sub(kMergeInput, std::memory_order_acq_rel) - kMergeInput;
    if ((after & kMergeNoLive) == 0) return;
  }
  const bool is_live = (after & kMergeNoLive) == 0;
  const bool all_dead = !is_live && (after & (kMergeControl - 1)) < kMergeInput;
  if (after >= kMergeControl || !(is_live || all_dead)) return;
  if (all_dead) std::atomic_ref(dead_[index]).store(1, std::memory_order_relaxed);
  ready->cheap.push_back(edge.node);
}

}  // namespace headrace
