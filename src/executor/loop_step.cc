// How values enter a loop, go from iteration to iteration and leave it, and how iterations and runs of loops end.
#include "executor/step.h"

namespace headrace {

/// The run of the Enter's frame that began in that iteration; it holds the iteration.
LoopRun* Step::ChildRun(const PlanNode& enter, Iteration* at) {
  const auto frame_index = static_cast<size_t>(enter.loop_index);
  const PlanFrame& frame = plan_.frames[frame_index];
  std::lock_guard lock(loops_mutex_);
  LoopRun*& run = at->children[static_cast<size_t>(frame.index_in_parent)];
  if (run != nullptr) return run;
  std::vector<LoopRun*>& free = free_runs_[frame_index];
  if (free.empty()) {
    runs_.push_back(std::make_unique<LoopRun>(plan_, frame));
    free.push_back(runs_.back().get());
  }
  run = free.back();
  free.pop_back();
  ++num_runs_alive_;
  run->Begin(at);
  run->AddIteration(context_, frame.num_enters);
  at->holds.fetch_add(1, std::memory_order_relaxed);
  return run;
}

void Step::EnterLoop(const PlanNode& node, Iteration* at, bool is_dead, InputValue* outputs, ReadyNodes* ready) {
  LoopRun* const run = ChildRun(node, at);
  std::unique_lock lock(run->mutex);
  // The Enter holds iteration 0, and that all others.
  Iteration* iteration = run->oldest;
  if (node.loop == LoopRole::kConstantEnter) {
    run->constants.push_back({&node, std::move(outputs[0]), is_dead});
    outputs[0] = InputValue();
    for (Iteration* other = iteration; other != nullptr; other = other->next) {
      InputValue value = run->constants.back().value;
      const int64_t num_ready = Deliver(node, other, is_dead, &value, ready);
      other->holds.fetch_add(num_ready, std::memory_order_relaxed);
    }
    lock.unlock();
    AddHolds(iteration, -1, ready);
  } else {
    lock.unlock();
    AddHolds(iteration, Deliver(node, iteration, is_dead, outputs, ready) - 1, ready);
  }
  AddHolds(at, -1, ready);
}

void Step::ExitLoop(const PlanNode& node, Iteration* at, bool is_dead, InputValue* outputs, ReadyNodes* ready) {
  if (is_dead) return AddHolds(at, -1, ready);  // an exit that stays dead is noticed when the run ends
  LoopRun* const run = at->run;
  {
    std::lock_guard lock(run->mutex);
    uint8_t& exited = run->exited[static_cast<size_t>(node.loop_index)];
    if (exited != 0) {
      outputs[0] = InputValue();
      return Fail(InvalidArgument(*node.node, ": the loop '", run->frame.name, "' was left twice"), &node);
    }
    exited = 1;
  }
  AddHolds(run->parent, Deliver(node, run->parent, false, outputs, ready), ready);
  AddHolds(at, -1, ready);
}

/// Deadness stops here: it is how a loop ends.
void Step::GoToNextIteration(const PlanNode& node, Iteration* at, bool is_dead, InputValue* outputs,
                             ReadyNodes* ready) {
  if (is_dead) return AddHolds(at, -1, ready);
  LoopRun* const run = at->run;
  std::unique_lock lock(run->mutex);
  Iteration* next = at->next;
  if (next == nullptr && run->num_alive >= run->frame.parallel_iterations) {
    run->waiting.push_back({&node, std::move(outputs[0]), false});
    outputs[0] = InputValue();
    lock.unlock();
    return AddHolds(at, -1, ready);
  }
  if (next == nullptr) next = BeginIteration(run, ready);
  lock.unlock();
  AddHolds(next, Deliver(node, next, false, outputs, ready), ready);
  AddHolds(at, -1, ready);
}

/// The next iteration, with all that waits for it. Its predecessor holds it. REQUIRES: the run's mutex is held.
Iteration* Step::BeginIteration(LoopRun* run, ReadyNodes* ready) {
  Iteration* const begun = run->AddIteration(context_, 1);
  int64_t num_ready = 0;
  for (const HeldValue& constant : run->constants) {
    InputValue value = constant.value;
    num_ready += Deliver(*constant.node, begun, constant.is_dead, &value, ready);
  }
  for (HeldValue& waiting : run->waiting) num_ready += Deliver(*waiting.node, begun, false, &waiting.value, ready);
  run->waiting.clear();
  begun->holds.fetch_add(num_ready, std::memory_order_relaxed);
  return begun;
}

void Step::AddHolds(Iteration* at, int64_t count, ReadyNodes* ready) {
  if (at->run == nullptr || count == 0) return;
  if (at->holds.fetch_add(count, std::memory_order_acq_rel) + count == 0) EndIteration(at, ready);
}

/// One end may bring others: of the next iteration, of the run, of the iteration that the run began in.
void Step::EndIteration(Iteration* ended, ReadyNodes* ready) {
  while (ended != nullptr) {
    LoopRun* const run = ended->run;
    Iteration* next;
    {
      std::lock_guard lock(run->mutex);
      --run->num_alive;
      if (!run->waiting.empty()) BeginIteration(run, ready);
      next = run->oldest = ended->next;
      run->free.push_back(ended);
    }
    if (next == nullptr) {
      ended = EndRun(run, ready);
    } else {
      ended = next->holds.fetch_sub(1, std::memory_order_acq_rel) == 1 ? next : nullptr;
    }
  }
}

/// Returns the iteration that the run began in if it ends with it.
Iteration* Step::EndRun(LoopRun* run, ReadyNodes* ready) {
  Iteration* const parent = run->parent;
  run->constants.clear();
  int64_t num_ready = 0;
  for (size_t i = 0; i < run->exited.size(); ++i) {
    if (run->exited[i] != 0) continue;
    InputValue nothing;
    num_ready += Deliver(plan_.nodes[static_cast<size_t>(run->frame.exits[i])], parent, true, &nothing, ready);
  }
  {
    std::lock_guard lock(loops_mutex_);
    parent->children[static_cast<size_t>(run->frame.index_in_parent)] = nullptr;
    free_runs_[static_cast<size_t>(&run->frame - plan_.frames.data())].push_back(run);
    --num_runs_alive_;
  }
  if (parent->run == nullptr) return nullptr;
  return parent->holds.fetch_add(num_ready - 1, std::memory_order_acq_rel) + num_ready - 1 == 0 ? parent : nullptr;
}

}  // namespace headrace
