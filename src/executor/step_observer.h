// StepObserver: is told of each node that a step has run, and when. A step that has none pays nothing for it but one test.
#pragma once

#include <span>

#include "graph/graph.h"
#include "kernel/kernel.h"
#include "os/clock.h"

namespace headrace {

/// One node's part of a step. Dead nodes, and constants and feeds that are bound to their consumers, do not run.
struct HR_EXPORT NodeRun {
  const Node& node;
  TimePoint ready;  // its last input came, about
  TimePoint begin;
  TimePoint end;  // also of a kernel that waits: when it was done
  std::span<const InputValue> outputs;
};

/// Thread-safe. Called on the thread that ran the node, before the step ends.
class HR_EXPORT StepObserver {
 public:
  virtual ~StepObserver() = default;
  virtual void OnNodeRun(const NodeRun& run) = 0;
};

}  // namespace headrace
