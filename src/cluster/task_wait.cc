#include "cluster/task_wait.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

#include "os/log.h"
#include "sync/timers.h"

namespace headrace {
namespace {

constexpr std::chrono::seconds kMinPause(1);

/// What is new in an error of the task's channel: its names are in the message already.
std::string Reason(const std::string& message, const std::string& address) {
  size_t begin = 0;
  for (const std::string& mark : {address + ": ", std::string("for a connection: ")}) {
    const size_t found = message.find(mark, begin);
    if (found != std::string::npos) begin = found + mark.size();
  }
  return message.substr(begin);
}

/// Rounds: each asks the tasks that are still missing, and ends when all have answered or failed.
class TaskWait : public std::enable_shared_from_this<TaskWait> {
 public:
  TaskWait(TaskWaitOptions options, Worker::StatusDone done)
      : options_(std::move(options)), done_(std::move(done)), begin_(RealClock().Now()) {
    for (const std::string& task : options_.tasks) missing_.emplace(task, OkStatus());
  }

  void StartRound() {
    const TimePoint now = RealClock().Now();
    round_end_ = std::min(options_.deadline, now + options_.log_interval);
    next_round_ = std::min(options_.deadline, now + kMinPause);
    const std::map<std::string, Status> asked = missing_;
    unanswered_ = asked.size() + 1;
    for (const auto& [task, last_error] : asked) Ask(task);
    Answered("", OkStatus());  // the round's own share, so that it does not end while it begins
  }

 private:
  void Ask(const std::string& task) {
    const Result<std::shared_ptr<Worker>> worker = options_.workers->Find(task);
    if (!worker.ok()) return Answered(task, worker.status());
    (*worker)->GetStatus(round_end_,
                         [self = shared_from_this(), task](const Status& status, const std::vector<DeviceAttributes>&) {
                           self->Answered(task, status);
                         });
  }

  void Answered(const std::string& task, const Status& status) {
    {
      std::lock_guard lock(mutex_);
      if (!task.empty() && status.ok()) missing_.erase(task);
      if (!task.empty() && !status.ok()) missing_[task] = status;
      if (--unanswered_ > 0) return;
    }
    EndRound();
  }

  void EndRound() {
    if (missing_.empty()) return done_(OkStatus());
    if (options_.abandoned()) return done_(Cancelled("creating the session: the client does not wait any more"));
    const TimePoint now = RealClock().Now();
    const std::string report = Report(now);
    if (now >= options_.deadline) return done_(DeadlineExceeded("creating the session: ", report));
    if (now >= round_end_) LogWarning("master", "creating a session: ", report);
    if (now >= next_round_) return StartRound();
    SharedTimers().At(next_round_, [self = shared_from_this()] { self->StartRound(); });
  }

  std::string Report(TimePoint now) const {
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - begin_);
    std::vector<std::string> lines;
    for (const auto& [task, error] : missing_) {
      const std::string address = options_.workers->AddressOf(task);
      lines.push_back(StrCat(task, " at ", address, ": ", Reason(error.message(), address)));
    }
    return StrCat("waited ", static_cast<double>(waited.count()) / 1000, " s for ", StrJoin(lines, "; "));
  }

  const TaskWaitOptions options_;
  const Worker::StatusDone done_;
  const TimePoint begin_;
  TimePoint round_end_;
  TimePoint next_round_;
  std::mutex mutex_;
  std::map<std::string, Status> missing_;  // with the last error; guarded by mutex_ while a round runs
  size_t unanswered_ = 0;                  // guarded by mutex_
};

}  // namespace

void WaitForTasks(TaskWaitOptions options, Worker::StatusDone done) {
  std::make_shared<TaskWait>(std::move(options), std::move(done))->StartRound();
}

}  // namespace headrace
