// StepTrace: what a step is asked to tell beside its tensors, and what its parts have told so far.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/export.h"

namespace headrace {

struct StepTraceWishes {
  bool step_stats = false;        // when each node ran, on which thread, what it gave
  bool partition_graphs = false;  // the graphs that the devices ran
};

/// Thread-safe. One for one step; shared by the calls that belong to it.
class HR_EXPORT StepTrace {
 public:
  explicit StepTrace(StepTraceWishes wishes) : wishes_(wishes) {}

  const StepTraceWishes& wishes() const { return wishes_; }
  /// Adds what a part tells, a RunMetadata in wire form: messages of this form are joined by writing one behind the other.
  void Add(std::string_view run_metadata) {
    std::lock_guard lock(mutex_);
    run_metadata_ += run_metadata;
  }
  /// TensorFlow's RunMetadata in wire form. Whole once the step has ended.
  std::string run_metadata() const {
    std::lock_guard lock(mutex_);
    return run_metadata_;
  }

 private:
  const StepTraceWishes wishes_;
  mutable std::mutex mutex_;
  std::string run_metadata_;  // guarded by mutex_
};

}  // namespace headrace
