// Steps that are observed: their nodes are timed, and the observer is told of each.
#include <algorithm>

#include "executor/step.h"

namespace headrace {

void Step::BeginObserving(StepObserver* observer) {
  observer_ = observer;
  const Duration::rep now = context_->runtime->clock->Now().time_since_epoch().count();
  ready_times_ = std::make_unique<std::atomic<Duration::rep>[]>(plan_.nodes.size());
  for (size_t i = 0; i < plan_.nodes.size(); ++i) ready_times_[i].store(now, std::memory_order_relaxed);
}

void Step::EndObserving() {
  observer_ = nullptr;
  ready_times_.reset();
}

void Step::RunObservedLoop(ReadyNodes* ready) {
  ReadyNode next;
  while (TakeNext(ready, &next)) {
    ready->begin = context_->runtime->clock->Now();
    RunNode(next, ready);
  }
}

/// The end of a node is when its consumers may be ready: the last of their producers leaves its time with them.
void Step::Observe(const PlanNode& node, TimePoint begin, std::span<const InputValue> outputs) {
  const TimePoint end = context_->runtime->clock->Now();
  const auto index = static_cast<size_t>(&node - plan_.nodes.data());
  const TimePoint ready{Duration(ready_times_[index].load(std::memory_order_relaxed))};
  for (int32_t i = node.first_edge; i < node.end_edge; ++i) {
    const int32_t consumer = plan_.edges[static_cast<size_t>(i)].node;
    if (consumer < 0) continue;
    ready_times_[static_cast<size_t>(consumer)].store(end.time_since_epoch().count(), std::memory_order_relaxed);
  }
  // Another iteration of a loop may have left its time already.
  observer_->OnNodeRun(
      {*node.node, std::min(ready, begin), begin, end, outputs.first(static_cast<size_t>(node.num_outputs))});
}

}  // namespace headrace
