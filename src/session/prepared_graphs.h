// PreparedGraphs: the graph of a session, and everything that was prepared from it, found by exact names.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "session/session_step.h"

namespace headrace {

/// Thread-safe. Preparing one signature holds up neither steps nor the preparing of others.
class PreparedGraphs {
 public:
  PreparedGraphs(const GraphSessionOptions& options, std::shared_ptr<const SessionTasks> tasks,
                 std::string session_handle)
      : options_(options), tasks_(std::move(tasks)), session_handle_(std::move(session_handle)) {}

  /// Adds to the graph and places what is new. On error the graph stays as it was.
  Status Extend(const GraphDef& def);
  /// The placed graph as it is now; null before the first Extend.
  std::shared_ptr<const Graph> graph() const;

  /// Returns what was prepared for these names, prepared now where it was not. Errors: as OrderSignature and Prepare.
  Result<std::shared_ptr<const StepBinding>> Find(const std::vector<std::string>& feeds,
                                                  const std::vector<std::string>& fetches,
                                                  const std::vector<std::string>& targets);
  /// The same with the feeds' names inside `feeds`.
  Result<std::shared_ptr<const StepBinding>> Find(const std::vector<NamedTensor>& feeds,
                                                  const std::vector<std::string>& fetches,
                                                  const std::vector<std::string>& targets);

 private:
  /// One signature; made before it is prepared.
  struct Slot {
    std::mutex mutex;  // held while preparing
    std::shared_ptr<const PreparedGraph> prepared;
  };

  std::shared_ptr<const StepBinding> FindExact(const std::string& key) const;
  Result<std::shared_ptr<const StepBinding>> PrepareExact(const std::string& key, const std::vector<std::string>& feeds,
                                                          const std::vector<std::string>& fetches,
                                                          const std::vector<std::string>& targets);

  const GraphSessionOptions& options_;
  const std::shared_ptr<const SessionTasks> tasks_;
  const std::string session_handle_;

  std::mutex extend_mutex_;  // held while the graph is extended
  mutable std::mutex graph_mutex_;
  std::shared_ptr<const Graph> graph_;  // guarded by graph_mutex_

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const StepBinding>>
      exact_;                                                     // by names in the caller's order; guarded by mutex_
  std::unordered_map<std::string, std::shared_ptr<Slot>> slots_;  // by Signature::Key; guarded by mutex_
};

}  // namespace headrace
