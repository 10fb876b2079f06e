#include "cluster/cluster_workers.h"

#include "cluster/remote_worker.h"

namespace headrace {

ClusterWorkers::ClusterWorkers(const ClusterSpec& spec, ChannelMaker make_channel)
    : make_channel_(std::move(make_channel)) {
  for (const auto& [job, tasks] : spec.jobs()) {
    for (const auto& [index, address] : tasks) addresses_.emplace(TaskName(job, index), address);
  }
}

void ClusterWorkers::SetLocal(std::shared_ptr<Worker> worker) {
  local_task_ = worker->task_name();
  std::lock_guard lock(mutex_);
  workers_[local_task_] = std::move(worker);
}

std::vector<std::string> ClusterWorkers::TaskNames() const {
  std::vector<std::string> names;
  for (const auto& [name, address] : addresses_) names.push_back(name);
  return names;
}

Result<std::shared_ptr<Worker>> ClusterWorkers::Find(const std::string& task_name) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<Worker>& worker = workers_[task_name];
  if (worker != nullptr) return worker;
  const auto address = addresses_.find(task_name);
  if (address == addresses_.end()) {
    workers_.erase(task_name);
    return NotFound("the cluster has no task ", task_name, "; it has: ", StrJoin(TaskNames(), ", "));
  }
  worker = MakeRemoteWorker(task_name, make_channel_(address->second, task_name));
  return worker;
}

std::string ClusterWorkers::AddressOf(const std::string& task_name) const {
  const auto address = addresses_.find(task_name);
  if (task_name == local_task_ || address == addresses_.end()) return "in process";
  return address->second;
}

}  // namespace headrace
