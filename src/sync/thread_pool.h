// ThreadPool: where work runs. Two exist in a process: compute (never blocks) and blocking (file reads, waits).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/export.h"

namespace headrace {

class HR_EXPORT ThreadPool {
 public:
  virtual ~ThreadPool() = default;
  /// Runs `task` on one of the pool's threads, some time. Thread-safe; may be called from a task.
  virtual void Schedule(std::function<void()> task) = 0;
  virtual int num_threads() const = 0;
  /// True on one of this pool's threads.
  virtual bool InPool() const = 0;

  /// Calls `body(begin, end)` for pieces that cover [0, total), on the caller's thread and, where the work is worth the
  /// handoff (some 50 us), on others; returns when all are done. `cost_ns` is one item's cost. Never waits for a thread that
  /// has not begun, so that nesting cannot deadlock.
  void ParallelFor(int64_t total, double cost_ns, const std::function<void(int64_t begin, int64_t end)>& body);
};

/// Ends its threads, after the tasks scheduled before, when it is destroyed.
HR_EXPORT std::unique_ptr<ThreadPool> MakeThreadPool(std::string name, int num_threads);

/// The process's pools, sized to the machine; made at first use and never ended.
HR_EXPORT ThreadPool& ComputePool();
HR_EXPORT ThreadPool& BlockingPool();

}  // namespace headrace
