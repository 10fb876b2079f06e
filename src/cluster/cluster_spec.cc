#include "cluster/cluster_spec.h"

#include <cctype>

#include "rpc/address.h"

namespace headrace {
namespace {

Status CheckJobName(const std::string& job) {
  const auto legal = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  bool fits = !job.empty() && std::isalpha(static_cast<unsigned char>(job[0]));
  for (const char c : job) fits = fits && legal(c);
  if (fits) return OkStatus();
  return InvalidArgument("cluster: job name '", job, "' is not a letter followed by letters, digits and '_'");
}

}  // namespace

Result<ClusterSpec> ClusterSpec::FromJobs(const std::map<std::string, std::vector<std::string>>& jobs) {
  Jobs numbered;
  for (const auto& [job, addresses] : jobs) {
    Tasks& tasks = numbered[job];
    for (const std::string& address : addresses) tasks.emplace(static_cast<int>(tasks.size()), address);
  }
  return FromSparseJobs(std::move(numbered));
}

Result<ClusterSpec> ClusterSpec::FromSparseJobs(Jobs jobs) {
  std::map<std::string, std::string> task_by_address;
  for (auto& [job, tasks] : jobs) {
    HR_RETURN_IF_ERROR(CheckJobName(job));
    if (tasks.empty()) return InvalidArgument("cluster: job '", job, "' has no tasks");
    for (auto& [index, address] : tasks) {
      if (index < 0) return InvalidArgument("cluster: job '", job, "' has a negative task index: ", index);
      const Result<HostPort> parsed = HostPort::Parse(address);
      if (!parsed.ok()) return InvalidArgument("cluster: ", TaskName(job, index), ": ", parsed.status().message());
      const auto [other, is_new] = task_by_address.emplace(parsed->ToString(), TaskName(job, index));
      if (!is_new) {
        return InvalidArgument("cluster: two tasks have the address ", address, ": ", other->second, " and ",
                               TaskName(job, index));
      }
    }
  }
  ClusterSpec spec;
  spec.jobs_ = std::move(jobs);
  return spec;
}

int ClusterSpec::num_tasks() const {
  size_t count = 0;
  for (const auto& [job, tasks] : jobs_) count += tasks.size();
  return static_cast<int>(count);
}

Result<std::string> ClusterSpec::AddressOf(const std::string& job, int task) const {
  const auto tasks = jobs_.find(job);
  if (tasks == jobs_.end()) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : jobs_) names.push_back(name);
    return InvalidArgument("cluster: there is no job '", job, "'; there are: ", StrJoin(names, ", "));
  }
  const auto address = tasks->second.find(task);
  if (address != tasks->second.end()) return address->second;
  std::vector<int> indices;
  for (const auto& [index, unused] : tasks->second) indices.push_back(index);
  return InvalidArgument("cluster: job '", job, "' has no task ", task, "; it has: ", StrJoin(indices, ", "));
}

std::string TaskName(std::string_view job, int task) { return StrCat("/job:", job, "/replica:0/task:", task); }

}  // namespace headrace
