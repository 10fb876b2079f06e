// WorkerStep: what a task keeps of one step while it lasts: a rendezvous, a cancellation token, and the progress of a partial
// run. StepTable: all steps of a task by their id; a peer may ask for a step's tensors before the step begins here.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernel/rendezvous.h"
#include "session/remote_receiver.h"

namespace headrace {

/// Thread-safe.
class WorkerStep {
 public:
  WorkerStep(int64_t id, std::string task_name, std::shared_ptr<RemoteReceiver> receiver);

  int64_t id() const { return id_; }
  /// Sends stay in this task until their receiver takes them; receives go to the task of the key's source device.
  Rendezvous& rendezvous() { return *rendezvous_; }
  /// The part of it inside this task.
  Rendezvous& local() { return *local_; }
  /// Cancelled by the first error, by the master, or when the session or the task ends.
  CancellationToken& cancellation() { return cancellation_; }

  /// For partial runs. Returns true for the first call, which starts the plans.
  bool BeginPartial();
  void FinishPartial(const Status& status);
  /// Calls `callback` with the outcome once the plans have ended.
  void WhenFinished(std::function<void(const Status&)> callback);

 private:
  friend class StepTable;

  const int64_t id_;
  const std::shared_ptr<Rendezvous> local_;
  const std::shared_ptr<Rendezvous> rendezvous_;
  CancellationToken cancellation_;

  std::mutex mutex_;
  bool partial_begun_ = false;  // guarded by mutex_, as is all below
  bool finished_ = false;
  Status outcome_;
  std::vector<std::function<void(const Status&)>> waiting_;

  // Guarded by the table's mutex.
  std::string session_handle_;  // empty until the step begins here
  int num_receivers_ = 0;       // peers that wait
};

/// Thread-safe.
class StepTable {
 public:
  StepTable(std::string task_name, std::shared_ptr<RemoteReceiver> receiver)
      : task_name_(std::move(task_name)), receiver_(std::move(receiver)) {}

  /// Returns the step, which now belongs to the session. Errors: the reason given to Stop.
  Result<std::shared_ptr<WorkerStep>> Begin(int64_t id, const std::string& session_handle);
  /// Returns the step for a peer that asks for a tensor; EndReceive when it has its answer.
  Result<std::shared_ptr<WorkerStep>> BeginReceive(int64_t id);
  void EndReceive(const std::shared_ptr<WorkerStep>& step);
  /// Drops the step, and ends what still waits in it.
  void Cleanup(int64_t id);
  void CancelSession(const std::string& session_handle, const Status& reason);
  void Stop(const Status& reason);

 private:
  std::shared_ptr<WorkerStep>& FindOrCreateLocked(int64_t id);

  const std::string task_name_;
  const std::shared_ptr<RemoteReceiver> receiver_;
  std::mutex mutex_;
  std::unordered_map<int64_t, std::shared_ptr<WorkerStep>> steps_;  // guarded by mutex_
  Status stopped_;                                                  // guarded by mutex_
};

/// "/job:ps/replica:0/task:0" of "/job:ps/replica:0/task:0/device:CPU:0;...": the task in a key or device name.
std::string_view TaskOf(std::string_view key_or_device);

}  // namespace headrace
