// LocalWorker: the worker of a task in this process. It owns the task's state and runs its part of every step.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "kernel/resource.h"
#include "kernel/runtime.h"
#include "session/remote_receiver.h"
#include "session/worker.h"

namespace headrace {

class RegisteredGraph;
class StepTable;
class WorkerSession;
class WorkerStep;

struct HR_EXPORT LocalWorkerOptions {
  std::string task_name;  // "/job:ps/replica:0/task:0"
  std::shared_ptr<Runtime> runtime;
  /// For edges from other tasks; may be null where there are none.
  std::shared_ptr<RemoteReceiver> receiver;
  int num_devices = 1;  // CPU:0, CPU:1, ...: each with its own state, all on the same cores
};

/// Thread-safe.
class HR_EXPORT LocalWorker final : public Worker {
 public:
  explicit LocalWorker(LocalWorkerOptions options);
  ~LocalWorker() override;

  const std::string& task_name() const override { return options_.task_name; }
  const std::vector<DeviceAttributes>& devices() const { return devices_; }
  /// Of the task's devices; random for each LocalWorker.
  uint64_t incarnation() const { return devices_[0].incarnation; }

  void GetStatus(TimePoint deadline, std::function<void(const Status&, std::vector<DeviceAttributes>)> done) override;
  /// A session of the same master task with another incarnation replaces that master's old sessions.
  void CreateWorkerSession(const CreateWorkerSessionRequest& request, TimePoint deadline, StatusDone done) override;
  void DeleteWorkerSession(const std::string& session_handle, TimePoint deadline, StatusDone done) override;
  void RegisterGraph(RegisterGraphRequest request, TimePoint deadline,
                     std::function<void(const Status&, std::string graph_handle)> done) override;
  void DeregisterGraph(const std::string& session_handle, const std::string& graph_handle, StatusDone done) override;
  void RunGraph(RunGraphRequest request, CancellationToken* cancellation,
                std::function<void(const Status&, std::vector<Tensor> fetches)> done) override;
  void CleanupGraph(int64_t step_id, StatusDone done) override;
  void CleanupAll(const std::vector<std::string>& containers, TimePoint deadline, StatusDone done) override;
  void RecvTensor(int64_t step_id, const std::string& key, CancellationToken* cancellation,
                  Rendezvous::Done done) override;

  /// For a master in this process, which runs a graph of one task without names and without a rendezvous.
  /// Errors: kAborted for an unknown session or graph.
  Result<std::shared_ptr<RegisteredGraph>> FindGraph(const std::string& session_handle,
                                                     const std::string& graph_handle) const;

  /// Ends all steps with `reason`; later ones end at once. For a task that stops.
  void Stop(const Status& reason);

 private:
  Result<std::shared_ptr<WorkerSession>> FindSession(const std::string& session_handle) const;
  void RunPartial(RegisteredGraph& graph, const std::shared_ptr<WorkerStep>& step, RunGraphRequest request,
                  CancellationToken* cancellation, uint64_t cancel_id,
                  std::function<void(const Status&, std::vector<Tensor> fetches)> done);

  const LocalWorkerOptions options_;
  const std::vector<DeviceAttributes> devices_;
  const std::vector<std::shared_ptr<ResourceManager>>
      resources_;                           // by device, of the sessions that do not isolate their state
  const std::shared_ptr<StepTable> steps_;  // peers that wait keep it
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<WorkerSession>> sessions_;  // by handle; guarded by mutex_
};

}  // namespace headrace
