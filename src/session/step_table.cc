#include "session/step_table.h"

#include <utility>

namespace headrace {

namespace {

/// Looks at where a key comes from, and asks that task where it is another one.
class TaskRendezvous final : public Rendezvous {
 public:
  TaskRendezvous(int64_t step_id, std::string task_name, std::shared_ptr<Rendezvous> local,
                 std::shared_ptr<RemoteReceiver> receiver)
      : step_id_(step_id), task_name_(std::move(task_name)), local_(std::move(local)), receiver_(std::move(receiver)) {}

  Status Send(const std::string& key, Tensor value, bool is_dead) override {
    return local_->Send(key, std::move(value), is_dead);
  }
  void RecvAsync(const std::string& key, CancellationToken* cancellation, Done done) override {
    const std::string_view src_task = TaskOf(key);
    if (src_task == task_name_) return local_->RecvAsync(key, cancellation, std::move(done));
    if (receiver_ == nullptr) {
      return done(Internal("Task ", task_name_, " has no way to receive from another task: ", key), Tensor(), false);
    }
    receiver_->RecvTensor(std::string(src_task), step_id_, key, cancellation, std::move(done));
  }
  void StartAbort(const Status& status) override { local_->StartAbort(status); }

 private:
  const int64_t step_id_;
  const std::string task_name_;
  const std::shared_ptr<Rendezvous> local_;
  const std::shared_ptr<RemoteReceiver> receiver_;
};

}  // namespace

std::string_view TaskOf(std::string_view key_or_device) {
  return key_or_device.substr(0, std::min(key_or_device.find("/device:"), key_or_device.find(';')));
}

WorkerStep::WorkerStep(int64_t id, std::string task_name, std::shared_ptr<RemoteReceiver> receiver)
    : id_(id),
      local_(MakeLocalRendezvous()),
      rendezvous_(std::make_shared<TaskRendezvous>(id, std::move(task_name), local_, std::move(receiver))) {}

bool WorkerStep::BeginPartial() {
  std::lock_guard lock(mutex_);
  return !std::exchange(partial_begun_, true);
}

void WorkerStep::FinishPartial(const Status& status) {
  std::vector<std::function<void(const Status&)>> waiting;
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
    outcome_ = status;
    waiting.swap(waiting_);
  }
  for (const auto& callback : waiting) callback(status);
}

void WorkerStep::WhenFinished(std::function<void(const Status&)> callback) {
  {
    std::lock_guard lock(mutex_);
    if (!finished_) {
      waiting_.push_back(std::move(callback));
      return;
    }
  }
  callback(outcome_);
}

std::shared_ptr<WorkerStep>& StepTable::FindOrCreateLocked(int64_t id) {
  std::shared_ptr<WorkerStep>& step = steps_[id];
  if (step == nullptr) step = std::make_shared<WorkerStep>(id, task_name_, receiver_);
  return step;
}

Result<std::shared_ptr<WorkerStep>> StepTable::Begin(int64_t id, const std::string& session_handle) {
  std::lock_guard lock(mutex_);
  if (!stopped_.ok()) return stopped_;
  std::shared_ptr<WorkerStep>& step = FindOrCreateLocked(id);
  step->session_handle_ = session_handle;
  return step;
}

Result<std::shared_ptr<WorkerStep>> StepTable::BeginReceive(int64_t id) {
  std::lock_guard lock(mutex_);
  if (!stopped_.ok()) return stopped_;
  std::shared_ptr<WorkerStep>& step = FindOrCreateLocked(id);
  ++step->num_receivers_;
  return step;
}

void StepTable::EndReceive(const std::shared_ptr<WorkerStep>& step) {
  std::lock_guard lock(mutex_);
  if (--step->num_receivers_ > 0 || !step->session_handle_.empty()) return;
  // The step never began here, or was cleaned up before the peer asked: nobody else would drop it.
  const auto found = steps_.find(step->id());
  if (found != steps_.end() && found->second == step) steps_.erase(found);
}

void StepTable::Cleanup(int64_t id) {
  std::shared_ptr<WorkerStep> step;
  {
    std::lock_guard lock(mutex_);
    const auto found = steps_.find(id);
    if (found == steps_.end()) return;
    step = std::move(found->second);
    steps_.erase(found);
  }
  const Status reason = Cancelled("The step was cleaned up").AsDerived();
  step->cancellation().Cancel(reason);
  step->local().StartAbort(reason);
}

void StepTable::CancelSession(const std::string& session_handle, const Status& reason) {
  std::vector<std::shared_ptr<WorkerStep>> cancelled;
  {
    std::lock_guard lock(mutex_);
    for (auto step = steps_.begin(); step != steps_.end();) {
      const bool is_of_session = step->second->session_handle_ == session_handle;
      if (is_of_session) cancelled.push_back(step->second);
      step = is_of_session ? steps_.erase(step) : std::next(step);
    }
  }
  for (const auto& step : cancelled) {
    step->cancellation().Cancel(reason);
    step->local().StartAbort(reason);
  }
}

void StepTable::Stop(const Status& reason) {
  std::unordered_map<int64_t, std::shared_ptr<WorkerStep>> steps;
  {
    std::lock_guard lock(mutex_);
    if (stopped_.ok()) stopped_ = reason;
    steps.swap(steps_);
  }
  for (const auto& [id, step] : steps) {
    step->cancellation().Cancel(reason);
    step->local().StartAbort(reason);
  }
}

}  // namespace headrace
