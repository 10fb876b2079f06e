// Worker: one task's side of a session, as its master sees it: a task in this process (LocalWorker) or behind a channel
// (RemoteWorker in `cluster`). The calls mirror TensorFlow's WorkerService.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "kernel/rendezvous.h"
#include "os/clock.h"
#include "session/step_trace.h"
#include "sync/cancellation.h"

namespace headrace {

/// A device as its task describes it.
struct HR_EXPORT DeviceAttributes {
  std::string name;         // full
  std::string device_type;  // "CPU"
  int64_t memory_limit_bytes = 0;
  uint64_t incarnation = 0;  // random for each start of the task, never 0
  std::string physical_description;
};

struct HR_EXPORT NamedTensor {
  std::string name;
  Tensor tensor;
};

struct HR_EXPORT CreateWorkerSessionRequest {
  std::string session_handle;
  bool isolate_session_state = false;
  std::string master_task;
  uint64_t master_incarnation = 0;
};

struct HR_EXPORT RegisterGraphRequest {
  std::string session_handle;
  /// This task's partition, split further by device on arrival. Shared, not copied, when the worker is in this process.
  std::shared_ptr<const Graph> graph;
};

/// One step of a registered graph.
struct HR_EXPORT RunGraphRequest {
  std::string session_handle;
  std::string graph_handle;
  int64_t step_id = 0;
  std::vector<NamedTensor> feeds;       // by rendezvous key: consumed by `_Recv` nodes with client_terminated
  std::vector<std::string> fetch_keys;  // rendezvous keys of `_Send` nodes with client_terminated
  bool is_partial = false;
  bool is_last_partial_run = false;
  /// Where the step tells what it did, before it answers; null where nobody asks. Not of partial runs.
  std::shared_ptr<StepTrace> trace;
};

/// Thread-safe. Every call answers exactly once, on any thread, maybe before it returns. `deadline` bounds the call:
/// kDeadlineExceeded names the task and its address. Whether a call may be repeated is said for each.
class HR_EXPORT Worker {
 public:
  using StatusDone = std::function<void(const Status&)>;

  virtual ~Worker() = default;
  /// "/job:ps/replica:0/task:0".
  virtual const std::string& task_name() const = 0;

  /// Waits for the task to be reachable, until the deadline. Repeatable.
  virtual void GetStatus(TimePoint deadline,
                         std::function<void(const Status&, std::vector<DeviceAttributes>)> done) = 0;
  virtual void CreateWorkerSession(const CreateWorkerSessionRequest& request, TimePoint deadline, StatusDone done) = 0;
  /// Repeatable. Errors: none for an unknown session.
  virtual void DeleteWorkerSession(const std::string& session_handle, TimePoint deadline, StatusDone done) = 0;
  /// Compiles the partition; answers with its handle. Errors: kAborted for an unknown session; what is wrong with the graph.
  virtual void RegisterGraph(RegisterGraphRequest request, TimePoint deadline,
                             std::function<void(const Status&, std::string graph_handle)> done) = 0;
  virtual void DeregisterGraph(const std::string& session_handle, const std::string& graph_handle, StatusDone done) = 0;
  /// Runs one step; answers with the fetches in the order of fetch_keys. Ends early when `cancellation` is cancelled. Never
  /// repeated.
  virtual void RunGraph(RunGraphRequest request, CancellationToken* cancellation,
                        std::function<void(const Status&, std::vector<Tensor> fetches)> done) = 0;
  /// Drops what is left of a step. Repeatable.
  virtual void CleanupGraph(int64_t step_id, StatusDone done) = 0;
  /// Drops the state in the containers; none named means the default container. Repeatable.
  virtual void CleanupAll(const std::vector<std::string>& containers, TimePoint deadline, StatusDone done) = 0;
  /// Takes a tensor that the task's part of the step sends under `key`. Errors: kAborted when the key's incarnation is not the
  /// device's.
  virtual void RecvTensor(int64_t step_id, const std::string& key, CancellationToken* cancellation,
                          Rendezvous::Done done) = 0;
};

/// Finds the workers of a cluster. Thread-safe.
class HR_EXPORT WorkerDirectory {
 public:
  virtual ~WorkerDirectory() = default;
  /// Task names of all tasks, sorted.
  virtual std::vector<std::string> TaskNames() const = 0;
  /// Errors: kNotFound, naming the task.
  virtual Result<std::shared_ptr<Worker>> Find(const std::string& task_name) = 0;
  /// "host:port" of a task, or "in process".
  virtual std::string AddressOf(const std::string& task_name) const = 0;
};

}  // namespace headrace
