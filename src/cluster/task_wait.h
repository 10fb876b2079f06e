// TaskWait: waits until all tasks that a session needs can be reached, and says which cannot.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "session/worker.h"

namespace headrace {

struct TaskWaitOptions {
  std::shared_ptr<WorkerDirectory> workers;
  std::vector<std::string> tasks;
  TimePoint deadline;               // TimePoint::max(): for ever
  Duration log_interval;            // how often the missing tasks are named in the log
  std::function<bool()> abandoned;  // true when nobody waits for the answer any more; asked now and then
};

/// Calls `done` once, on any thread. Errors: kDeadlineExceeded, naming each missing task, its address and the last error;
/// kCancelled when abandoned.
void WaitForTasks(TaskWaitOptions options, Worker::StatusDone done);

}  // namespace headrace
