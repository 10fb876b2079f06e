// PartialRuns: steps that the client runs in several calls, each of which adds feeds and takes fetches.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "session/session_step.h"

namespace headrace {

/// One such step. Thread-safe; one call at a time runs.
class PartialRun {
 public:
  /// `pruned` is the graph of `prepared` before it was cut.
  PartialRun(std::shared_ptr<const PreparedGraph> prepared, Graph pruned, int64_t step_id, std::string session_handle,
             std::shared_ptr<ActiveStep> active, std::shared_ptr<ActiveSteps> active_steps);

  /// As GraphSession::PartialRun. Sets `*ended` when the step is over.
  Result<std::vector<Tensor>> Run(const std::vector<NamedTensor>& feeds, const std::vector<std::string>& fetches,
                                  CancellationToken* cancellation, bool* ended);

 private:
  struct Call;

  Status Accept(Call* call);
  Status CheckFetch(const std::string& fetch, const std::set<std::string>& fed) const;
  Status RunParts(const Call& call, std::vector<Tensor>* fetched);

  const std::shared_ptr<const PreparedGraph> prepared_;
  const Graph pruned_;
  const int64_t step_id_;
  const std::string session_handle_;
  const std::shared_ptr<ActiveSteps> active_steps_;

  std::mutex mutex_;                    // held while a call runs
  std::shared_ptr<ActiveStep> active_;  // null once the step is over; guarded by mutex_, as is all below
  bool begun_ = false;
  std::set<std::string> fed_;
  std::set<std::string> fetched_;
};

/// The partial runs of a session, by handle. Thread-safe.
class PartialRuns {
 public:
  std::string Add(std::shared_ptr<PartialRun> run);
  /// Errors: kInvalidArgument for an unknown handle.
  Result<std::shared_ptr<PartialRun>> Find(const std::string& handle) const;
  void Remove(const std::string& handle);
  void Clear();

 private:
  mutable std::mutex mutex_;
  uint64_t next_ = 1;                                        // guarded by mutex_
  std::map<std::string, std::shared_ptr<PartialRun>> runs_;  // guarded by mutex_
};

}  // namespace headrace
