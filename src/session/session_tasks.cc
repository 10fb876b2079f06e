#include "session/session_tasks.h"

#include <algorithm>

#include "graph/device_name.h"
#include "os/log.h"
#include "session/call_group.h"
#include "session/step_table.h"

namespace headrace {

namespace {

constexpr auto kLogEvery = std::chrono::seconds(10);

TimePoint DeadlineAfter(const GraphSessionOptions& options, int64_t timeout_ms) {
  return timeout_ms <= 0 ? TimePoint::max() : options.runtime->clock->Now() + std::chrono::milliseconds(timeout_ms);
}

/// Waits for ever in steps of kLogEvery, so that the log says who is missing.
void WaitNamingTheMissing(CallGroup* calls, const std::vector<SessionTask>& tasks, Clock* clock) {
  while (!calls->WaitUntil(clock->Now() + kLogEvery)) {
    for (const size_t missing : calls->Missing()) {
      LogInfo("session", "creating the session: still waiting for ", tasks[missing].name, " at ",
              tasks[missing].address);
    }
  }
}

}  // namespace

Result<std::shared_ptr<const SessionTasks>> SessionTasks::Open(const GraphSessionOptions& options,
                                                               const std::string& handle) {
  auto tasks = std::make_shared<SessionTasks>();
  HR_RETURN_IF_ERROR(tasks->Choose(options));
  HR_RETURN_IF_ERROR(tasks->Contact(options));
  HR_RETURN_IF_ERROR(tasks->CreateSessions(options, handle));
  return std::shared_ptr<const SessionTasks>(std::move(tasks));
}

Status SessionTasks::Choose(const GraphSessionOptions& options) {
  std::vector<DeviceName> filters;
  for (const std::string& text : options.device_filters) {
    HR_ASSIGN_OR_RETURN(DeviceName filter, DeviceName::Parse(text));
    filters.push_back(std::move(filter));
  }
  bool has_master = false;
  for (const std::string& name : options.workers->TaskNames()) {
    HR_ASSIGN_OR_RETURN(const DeviceName task, DeviceName::Parse(name));
    const bool is_master = name == options.master_task;
    const bool matches = filters.empty() || std::ranges::any_of(filters, [&](const DeviceName& filter) {
                           return filter.IsCompatibleWith(task);
                         });
    if (!is_master && !matches) continue;
    HR_ASSIGN_OR_RETURN(std::shared_ptr<Worker> worker, options.workers->Find(name));
    if (is_master) master_index_ = tasks_.size();
    has_master = has_master || is_master;
    tasks_.push_back(SessionTask{name, options.workers->AddressOf(name), std::move(worker), {}});
  }
  if (!has_master)
    return NotFound("The cluster has no task ", options.master_task, ", which is to be the session's master");
  return OkStatus();
}

Status SessionTasks::Contact(const GraphSessionOptions& options) {
  const TimePoint deadline = DeadlineAfter(options, options.creation_timeout_ms);
  auto calls = std::make_shared<CallGroup>(tasks_.size());
  auto found = std::make_shared<std::vector<std::vector<DeviceAttributes>>>(tasks_.size());
  for (size_t i = 0; i < tasks_.size(); ++i) {
    tasks_[i].worker->GetStatus(deadline,
                                [calls, found, i](const Status& status, std::vector<DeviceAttributes> devices) {
                                  (*found)[i] = std::move(devices);
                                  calls->Answer(i, status);
                                });
  }
  WaitNamingTheMissing(calls.get(), tasks_, options.runtime->clock);
  std::string missing;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const Status& status = calls->statuses()[i];
    tasks_[i].devices = std::move((*found)[i]);
    if (status.ok()) continue;
    if (status.code() != Code::kDeadlineExceeded && status.code() != Code::kUnavailable) {
      return Status(status.code(), StrCat("creating the session: ", tasks_[i].name, " at ", tasks_[i].address, ": ",
                                          status.message()));
    }
    missing += StrCat(missing.empty() ? "" : "; ", tasks_[i].name, " at ", tasks_[i].address, ": ", status.message());
  }
  if (missing.empty()) return OkStatus();
  return DeadlineExceeded("creating the session: waited ", static_cast<double>(options.creation_timeout_ms) / 1000,
                          " s for ", missing);
}

Status SessionTasks::CreateSessions(const GraphSessionOptions& options, const std::string& handle) const {
  CreateWorkerSessionRequest request;
  request.session_handle = handle;
  request.isolate_session_state = options.isolate_session_state;
  request.master_task = options.master_task;
  request.master_incarnation = options.master_incarnation;
  auto calls = std::make_shared<CallGroup>(tasks_.size());
  const TimePoint deadline = DeadlineAfter(options, options.creation_timeout_ms);
  for (size_t i = 0; i < tasks_.size(); ++i) {
    tasks_[i].worker->CreateWorkerSession(request, deadline,
                                          [calls, i](const Status& status) { calls->Answer(i, status); });
  }
  calls->Wait();
  const Status status = calls->RootCause();
  if (!status.ok()) Close(handle, deadline);
  return status;
}

const SessionTask* SessionTasks::Find(std::string_view task_name) const {
  const auto found = std::ranges::find(tasks_, task_name, &SessionTask::name);
  return found == tasks_.end() ? nullptr : &*found;
}

uint64_t SessionTasks::IncarnationOf(const std::string& device) const {
  const SessionTask* task = Find(TaskOf(device));
  if (task == nullptr) return 0;
  for (const DeviceAttributes& attributes : task->devices) {
    if (attributes.name == device) return attributes.incarnation;
  }
  return 0;
}

std::vector<DeviceAttributes> SessionTasks::Devices() const {
  std::vector<DeviceAttributes> devices;
  for (const SessionTask& task : tasks_) devices.insert(devices.end(), task.devices.begin(), task.devices.end());
  return devices;
}

void SessionTasks::Close(const std::string& handle, TimePoint deadline) const {
  auto calls = std::make_shared<CallGroup>(tasks_.size());
  for (size_t i = 0; i < tasks_.size(); ++i) {
    tasks_[i].worker->DeleteWorkerSession(handle, deadline,
                                          [calls, i](const Status& status) { calls->Answer(i, status); });
  }
  calls->Wait();
}

}  // namespace headrace
