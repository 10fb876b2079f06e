#include "cluster/session_table.h"

namespace headrace {
namespace {

Status NotFoundHere(const std::string& handle) {
  return Aborted("Session handle is not found: '", handle,
                 "'. Possibly this master has restarted, or the session was closed.");
}

}  // namespace

bool ServedSession::HasRun(const std::string& combination) const {
  std::lock_guard lock(mutex_);
  return combinations_.contains(combination);
}

void ServedSession::SetHasRun(std::string combination) {
  std::lock_guard lock(mutex_);
  if (combinations_.size() >= kMaxCombinations)
    combinations_.clear();  // the next run of each is started elsewhere again
  combinations_.insert(std::move(combination));
}

Status ServedSession::Extend(const GraphDef& graph, int64_t current_version, int64_t* new_version) {
  std::lock_guard lock(extend_mutex_);
  if (current_version != graph_version_) {
    return Aborted("ExtendSession: the client's graph has version ", current_version, ", the session's ",
                   graph_version_);
  }
  HR_RETURN_IF_ERROR(session->Extend(graph));
  *new_version = ++graph_version_;
  return OkStatus();
}

bool SessionTable::Add(std::shared_ptr<ServedSession> session) {
  std::lock_guard lock(mutex_);
  if (refuses_) return false;
  const std::string handle = session->session->handle();
  sessions_[handle] = {std::move(session), RealClock().Now()};
  return true;
}

Result<std::shared_ptr<ServedSession>> SessionTable::Find(const std::string& handle) {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(handle);
  if (found == sessions_.end()) return NotFoundHere(handle);
  found->second.last_use = RealClock().Now();
  return found->second.session;
}

Result<std::shared_ptr<ServedSession>> SessionTable::Remove(const std::string& handle) {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(handle);
  if (found == sessions_.end()) return NotFoundHere(handle);
  std::shared_ptr<ServedSession> session = std::move(found->second.session);
  sessions_.erase(found);
  return session;
}

std::vector<std::shared_ptr<ServedSession>> SessionTable::RemoveAll() {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<ServedSession>> removed;
  for (auto& [handle, entry] : sessions_) removed.push_back(std::move(entry.session));
  sessions_.clear();
  return removed;
}

std::vector<std::shared_ptr<ServedSession>> SessionTable::RemoveIdle(TimePoint time) {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<ServedSession>> removed;
  for (auto entry = sessions_.begin(); entry != sessions_.end();) {
    // Calls hold a reference to the session while they run.
    if (entry->second.last_use >= time || entry->second.session.use_count() > 1) {
      ++entry;
      continue;
    }
    removed.push_back(std::move(entry->second.session));
    entry = sessions_.erase(entry);
  }
  return removed;
}

void SessionTable::RefuseMore() {
  std::lock_guard lock(mutex_);
  refuses_ = true;
}

int SessionTable::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(sessions_.size());
}

}  // namespace headrace
