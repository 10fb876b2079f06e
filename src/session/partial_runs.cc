#include "session/partial_runs.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "session/call_group.h"

namespace headrace {

namespace {

std::optional<size_t> IndexOf(const std::vector<std::string>& sorted, const std::string& name) {
  const auto found = std::ranges::lower_bound(sorted, name);
  if (found == sorted.end() || *found != name) return std::nullopt;
  return static_cast<size_t>(found - sorted.begin());
}

}  // namespace

/// What one call asks of the workers.
struct PartialRun::Call {
  std::vector<NamedTensor> feeds;    // names as in the signature
  std::vector<std::string> fetches;  // names as in the signature
  bool is_last = false;
};

PartialRun::PartialRun(std::shared_ptr<const PreparedGraph> prepared, Graph pruned, int64_t step_id,
                       std::string session_handle, std::shared_ptr<ActiveStep> active,
                       std::shared_ptr<ActiveSteps> active_steps)
    : prepared_(std::move(prepared)),
      pruned_(std::move(pruned)),
      step_id_(step_id),
      session_handle_(std::move(session_handle)),
      active_steps_(std::move(active_steps)),
      active_(std::move(active)) {}

Result<std::vector<Tensor>> PartialRun::Run(const std::vector<NamedTensor>& feeds,
                                            const std::vector<std::string>& fetches, CancellationToken* cancellation,
                                            bool* ended) {
  std::lock_guard lock(mutex_);
  *ended = active_ == nullptr;
  if (*ended) return FailedPrecondition("The partial run is over.");
  Call call;
  for (const NamedTensor& feed : feeds) call.feeds.push_back({CanonicalName(feed.name), feed.tensor});
  for (const std::string& fetch : fetches) call.fetches.push_back(CanonicalName(fetch));
  HR_RETURN_IF_ERROR(Accept(&call));

  active_->Follow(cancellation);
  std::vector<Tensor> results(call.fetches.size());
  Status status = RunParts(call, &results);
  if (!status.ok() && !call.is_last) {
    // The root cause may be with a part that had nothing to do in this call.
    active_->cancellation().Cancel(status.AsDerived());
    std::vector<Tensor> none;
    const Status rest = RunParts(Call{.is_last = true}, &none);
    KeepRootCause(&status, rest);
  }
  active_->Unfollow();
  if (!status.ok()) status = OutcomeOf(status, *active_);
  *ended = call.is_last || !status.ok();
  if (*ended) {
    CleanupStep(*prepared_, step_id_, active_steps_);
    active_ = nullptr;
  }
  if (!status.ok()) return status;
  return results;
}

/// Checks the call against what was declared and used before; then its feeds and fetches count as used.
Status PartialRun::Accept(Call* call) {
  const Signature& signature = prepared_->signature();
  std::set<std::string> fed = fed_;
  for (const NamedTensor& feed : call->feeds) {
    const std::optional<size_t> index = IndexOf(signature.feeds, feed.name);
    if (!index) return InvalidArgument("The feed ", feed.name, " was not specified in partial_run_setup.");
    if (!fed.insert(feed.name).second) return InvalidArgument("The feed ", feed.name, " has already been fed.");
    HR_RETURN_IF_ERROR(CheckFeedShape(*prepared_, *index, feed.tensor));
  }
  std::set<std::string> fetched = fetched_;
  for (const std::string& fetch : call->fetches) {
    if (!IndexOf(signature.fetches, fetch)) {
      return InvalidArgument("The fetch ", fetch, " was not specified in partial_run_setup.");
    }
    if (!fetched.insert(fetch).second) return InvalidArgument("The fetch ", fetch, " has already been fetched.");
    HR_RETURN_IF_ERROR(CheckFetch(fetch, fed));
  }
  fed_ = std::move(fed);
  fetched_ = std::move(fetched);
  call->is_last = fed_.size() == signature.feeds.size() && fetched_.size() == signature.fetches.size();
  return OkStatus();
}

/// Goes back from the fetch: what it needs must not come from a feed that is still to be fed.
Status PartialRun::CheckFetch(const std::string& fetch, const std::set<std::string>& fed) const {
  std::vector<const Node*> stack;
  std::unordered_set<const Node*> seen;
  std::string name;
  for (const Node* node : pruned_.Nodes()) {
    if (IsClientEnd(*node, &name) && node->num_outputs() == 0 && name == fetch) stack.push_back(node);
  }
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    if (!seen.insert(node).second) continue;
    if (IsClientEnd(*node, &name) && node->num_outputs() > 0 && !fed.contains(name)) {
      return InvalidArgument("Fetch ", fetch, " can't be computed from the feeds that have been fed so far.");
    }
    for (const Endpoint& input : node->inputs()) stack.push_back(input.node);
    for (const Node* input : node->control_inputs()) stack.push_back(input);
  }
  return OkStatus();
}

Status PartialRun::RunParts(const Call& call, std::vector<Tensor>* fetched) {
  const std::vector<PreparedPart>& parts = prepared_->parts();
  const Signature& signature = prepared_->signature();
  auto calls = std::make_shared<CallGroup>(parts.size());
  auto answers = std::make_shared<std::vector<std::vector<Tensor>>>(parts.size());
  std::vector<std::vector<size_t>> positions(parts.size());  // by part: where its fetches are in the call
  for (size_t i = 0; i < parts.size(); ++i) {
    const PreparedPart& part = parts[i];
    RunGraphRequest request{.session_handle = session_handle_,
                            .graph_handle = part.graph_handle,
                            .step_id = step_id_,
                            .is_partial = true,
                            .is_last_partial_run = call.is_last};
    for (const PreparedEnd& end : part.feeds) {
      const auto found = std::ranges::find(call.feeds, signature.feeds[end.index], &NamedTensor::name);
      if (found != call.feeds.end()) request.feeds.push_back({end.key, found->tensor});
    }
    for (const PreparedEnd& end : part.fetches) {
      const auto found = std::ranges::find(call.fetches, signature.fetches[end.index]);
      if (found == call.fetches.end()) continue;
      request.fetch_keys.push_back(end.key);
      positions[i].push_back(static_cast<size_t>(found - call.fetches.begin()));
    }
    if (begun_ && !call.is_last && request.feeds.empty() && request.fetch_keys.empty()) {
      calls->Answer(i, OkStatus());
      continue;
    }
    part.worker->RunGraph(std::move(request), &active_->cancellation(),
                          [calls, answers, i, task = part.task](const Status& status, std::vector<Tensor> fetches) {
                            (*answers)[i] = std::move(fetches);
                            calls->Answer(i, status.ok() ? status : WithTaskName(status, task));
                          });
  }
  begun_ = true;
  calls->Wait();
  for (size_t i = 0; i < parts.size(); ++i) {
    for (size_t j = 0; j < (*answers)[i].size() && j < positions[i].size(); ++j) {
      (*fetched)[positions[i][j]] = std::move((*answers)[i][j]);
    }
  }
  return calls->RootCause();
}

std::string PartialRuns::Add(std::shared_ptr<PartialRun> run) {
  std::lock_guard lock(mutex_);
  std::string handle = StrCat("partial_run_", next_++);
  runs_.emplace(handle, std::move(run));
  return handle;
}

Result<std::shared_ptr<PartialRun>> PartialRuns::Find(const std::string& handle) const {
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(handle);
  if (found == runs_.end()) return InvalidArgument("Must run 'setup' before performing partial runs!");
  return found->second;
}

void PartialRuns::Remove(const std::string& handle) {
  std::shared_ptr<PartialRun> removed;  // ends after the lock
  std::lock_guard lock(mutex_);
  const auto found = runs_.find(handle);
  if (found == runs_.end()) return;
  removed = std::move(found->second);
  runs_.erase(found);
}

void PartialRuns::Clear() {
  std::map<std::string, std::shared_ptr<PartialRun>> removed;  // ends after the lock
  std::lock_guard lock(mutex_);
  removed.swap(runs_);
}

}  // namespace headrace
