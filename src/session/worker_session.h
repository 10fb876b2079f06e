// WorkerSession: what a task keeps of one session: its stateful kernels, its compiled graphs, and its state.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "executor/kernel_cache.h"
#include "session/registered_graph.h"

namespace headrace {

/// Thread-safe.
class WorkerSession {
 public:
  /// `resources` are by device: the task's, or the session's own where it isolates its state.
  WorkerSession(CreateWorkerSessionRequest request, std::vector<DeviceAttributes> devices,
                std::shared_ptr<Runtime> runtime, std::vector<std::shared_ptr<ResourceManager>> resources);

  const std::string& handle() const { return request_.session_handle; }
  const std::string& master_task() const { return request_.master_task; }
  uint64_t master_incarnation() const { return request_.master_incarnation; }

  /// Returns the graph's handle.
  Result<std::string> Register(std::shared_ptr<const Graph> graph);
  void Deregister(const std::string& graph_handle);
  /// Drops the state that only this session has. An iterator holds its device's state, so the two would keep each other.
  void ClearIsolatedState();
  /// Errors: kAborted for an unknown handle.
  Result<std::shared_ptr<RegisteredGraph>> FindGraph(const std::string& graph_handle) const;

 private:
  const CreateWorkerSessionRequest request_;
  const std::vector<DeviceAttributes> devices_;
  const std::shared_ptr<Runtime> runtime_;
  const std::vector<std::shared_ptr<ResourceManager>> resources_;
  KernelCache kernels_;
  mutable std::mutex mutex_;
  uint64_t next_graph_ = 0;                                         // guarded by mutex_
  std::map<std::string, std::shared_ptr<RegisteredGraph>> graphs_;  // by handle; guarded by mutex_
};

}  // namespace headrace
