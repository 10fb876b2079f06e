#include "executor/loop_run.h"

#include <algorithm>

namespace headrace {
namespace {

constexpr size_t kMaxIterationsKept = 64;

template <typename T> void CopyRange(const std::vector<T>& from, int32_t first, int32_t count, std::vector<T>* to) {
  to->assign(from.begin() + first, from.begin() + first + count);
}

}  // namespace

Iteration::Iteration(const Plan& plan, const PlanFrame& frame)
    : first_node(frame.first_node),
      first_slot(frame.first_slot),
      first_merge(frame.first_merge),
      slots(static_cast<size_t>(frame.num_slots)),
      children(static_cast<size_t>(frame.num_children)) {
  ClearSlots(plan);
}

void Iteration::Reset(const Plan& plan, const PlanFrame& frame) {
  CopyRange(plan.initial_pending, frame.first_node, frame.num_nodes, &pending);
  CopyRange(number == 0 ? plan.initial_merge : plan.later_merge, frame.first_merge, frame.num_merges, &merges);
  dead.assign(static_cast<size_t>(frame.num_nodes), 0);
  std::ranges::fill(children, nullptr);
  next = nullptr;
}

void Iteration::ClearSlots(const Plan& plan) {
  for (size_t i = 0; i < slots.size(); ++i) {
    slots[i] = InputValue();
    const int32_t constant = plan.slot_constant[static_cast<size_t>(first_slot) + i];
    if (constant >= 0) slots[i].tensor = plan.constants[static_cast<size_t>(constant)];
  }
}

void LoopRun::Begin(Iteration* entered_from) {
  parent = entered_from;
  id = ChildFrameId(parent->run == nullptr ? 0 : parent->run->id, parent->number, frame.name_hash);
  oldest = youngest = nullptr;
  num_alive = 0;
  constants.clear();
  waiting.clear();
  exited.assign(frame.exits.size(), 0);
  if (memory.size() <= kMaxIterationsKept) return;
  free.clear();
  memory.clear();
}

Iteration* LoopRun::AddIteration(StepContext* step, int64_t holds) {
  if (free.empty()) {
    memory.push_back(std::make_unique<Iteration>(plan, frame));
    free.push_back(memory.back().get());
  }
  Iteration* const added = free.back();
  free.pop_back();
  added->run = this;
  added->number = youngest == nullptr ? 0 : youngest->number + 1;
  added->Reset(plan, frame);
  added->holds.store(holds, std::memory_order_relaxed);
  added->context = step;
  if (frame.meets_others && step->rendezvous != nullptr) {
    added->rendezvous.Bind(step->rendezvous, id, added->number);
    added->own_context = *step;
    added->own_context->rendezvous = &added->rendezvous;
    added->context = &*added->own_context;
  }
  (youngest == nullptr ? oldest : youngest->next) = added;
  youngest = added;
  ++num_alive;
  return added;
}

}  // namespace headrace
