#include "session/worker_session.h"

#include "executor/function_runner.h"

namespace headrace {

WorkerSession::WorkerSession(CreateWorkerSessionRequest request, std::vector<DeviceAttributes> devices,
                             std::shared_ptr<Runtime> runtime, std::vector<std::shared_ptr<ResourceManager>> resources)
    : request_(std::move(request)),
      devices_(std::move(devices)),
      runtime_(std::move(runtime)),
      resources_(std::move(resources)) {}

Result<std::string> WorkerSession::Register(std::shared_ptr<const Graph> graph) {
  std::vector<PlanEnvironment> environments;
  for (size_t i = 0; i < devices_.size(); ++i) {
    PlanEnvironment environment;
    environment.device = devices_[i].name;
    environment.runtime = runtime_;
    environment.resources = resources_[i];
    environment.functions = MakeFunctionRunner(
        {.library = graph->functions(), .device = devices_[i].name, .runtime = runtime_, .resources = resources_[i]});
    environment.kernels = &kernels_;
    environments.push_back(std::move(environment));
  }
  HR_ASSIGN_OR_RETURN(std::shared_ptr<RegisteredGraph> compiled,
                      RegisteredGraph::Compile(std::move(graph), std::move(environments), devices_[0].incarnation));
  std::lock_guard lock(mutex_);
  std::string graph_handle = Hex16(next_graph_++);
  graphs_.emplace(graph_handle, std::move(compiled));
  return graph_handle;
}

void WorkerSession::Deregister(const std::string& graph_handle) {
  std::shared_ptr<RegisteredGraph> dropped;  // ends after the lock
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(graph_handle);
  if (found == graphs_.end()) return;
  dropped = std::move(found->second);
  graphs_.erase(found);
}

void WorkerSession::ClearIsolatedState() {
  if (!request_.isolate_session_state) return;
  for (const auto& resources : resources_) resources->ClearAll();
}

Result<std::shared_ptr<RegisteredGraph>> WorkerSession::FindGraph(const std::string& graph_handle) const {
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(graph_handle);
  if (found == graphs_.end()) {
    return Aborted("Graph handle is not found: ", graph_handle, ". Possibly, this worker just restarted.");
  }
  return found->second;
}

}  // namespace headrace
