// SessionTable: a master's open sessions by handle, with what is known of each beside its graph.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "os/clock.h"
#include "session/graph_session.h"

namespace headrace {

/// One session of a client. Thread-safe.
class ServedSession {
 public:
  ServedSession(std::shared_ptr<GraphSession> session, int64_t operation_timeout_ms)
      : session(std::move(session)), operation_timeout_ms(operation_timeout_ms) {}

  /// Whether the combination has run before: then starting it takes no time to speak of.
  bool HasRun(const std::string& combination) const;
  void SetHasRun(std::string combination);

  /// Runs one extension at a time. Errors: kAborted when the client's version is not the current one; as GraphSession::Extend.
  Status Extend(const GraphDef& graph, int64_t current_version, int64_t* new_version);

  const std::shared_ptr<GraphSession> session;
  const int64_t operation_timeout_ms;

 private:
  static constexpr size_t kMaxCombinations = 10'000;

  std::mutex extend_mutex_;
  int64_t graph_version_ = 0;  // guarded by extend_mutex_
  mutable std::mutex mutex_;
  std::unordered_set<std::string> combinations_;  // guarded by mutex_
};

/// Thread-safe.
class SessionTable {
 public:
  /// False once the table is stopped.
  bool Add(std::shared_ptr<ServedSession> session);
  /// Notes that the session is in use. Errors: kAborted when it is not here.
  Result<std::shared_ptr<ServedSession>> Find(const std::string& handle);
  Result<std::shared_ptr<ServedSession>> Remove(const std::string& handle);
  /// Takes out all sessions.
  std::vector<std::shared_ptr<ServedSession>> RemoveAll();
  /// Takes out those that were not used since `time` and that nobody uses now.
  std::vector<std::shared_ptr<ServedSession>> RemoveIdle(TimePoint time);
  void RefuseMore();
  int size() const;

 private:
  struct Entry {
    std::shared_ptr<ServedSession> session;
    TimePoint last_use;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> sessions_;  // guarded by mutex_, as is the next
  bool refuses_ = false;
};

}  // namespace headrace
