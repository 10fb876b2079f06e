// SessionTasks: the tasks that a session uses: chosen, contacted, and told of the session.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "session/graph_session.h"

namespace headrace {

struct SessionTask {
  std::string name;
  std::string address;
  std::shared_ptr<Worker> worker;
  std::vector<DeviceAttributes> devices;
};

/// Immutable once open; thread-safe.
class SessionTasks {
 public:
  /// Waits for all tasks that the options name, and creates the session `handle` at each.
  /// Errors: as GraphSession::Create; kInvalidArgument for a malformed filter; kNotFound for an unknown master task.
  static Result<std::shared_ptr<const SessionTasks>> Open(const GraphSessionOptions& options,
                                                          const std::string& handle);

  const std::vector<SessionTask>& tasks() const { return tasks_; }
  const SessionTask& master() const { return tasks_[master_index_]; }
  /// Returns the task, or nullptr.
  const SessionTask* Find(std::string_view task_name) const;
  /// The incarnation of a device, or 0.
  uint64_t IncarnationOf(const std::string& device) const;
  std::vector<DeviceAttributes> Devices() const;
  /// Deletes the session at all tasks; one that is gone has none.
  void Close(const std::string& handle, TimePoint deadline) const;

 private:
  Status Choose(const GraphSessionOptions& options);
  Status Contact(const GraphSessionOptions& options);
  Status CreateSessions(const GraphSessionOptions& options, const std::string& handle) const;

  std::vector<SessionTask> tasks_;  // by name
  size_t master_index_ = 0;
};

}  // namespace headrace
