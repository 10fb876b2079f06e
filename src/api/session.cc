// See session.h. A combination of feeds, fetches and targets is prepared once; the following runs only look it up.
#include "api/session.h"

#include <map>
#include <mutex>

#include "api/scope_state.h"
#include "api/session_target.h"
#include "cluster/remote_session.h"
#include "graph/import.h"

namespace headrace::api {

struct Session::Impl {
  // Feeds, fetches and targets as (node, output) numbers, separated by -1, and the timeout.
  using Combination = std::vector<int64_t>;

  Result<int64_t> Prepare(const Combination& combination, const std::vector<Output>& fetches,
                          const RunOptions& options);
  Result<std::vector<Tensor>> RunTraced(const std::vector<Output>& fetches, const RunOptions& options);
  Status SendNewNodes();
  Status CheckBelongs(const Scope& scope, const std::string& name) const;

  std::shared_ptr<GraphState> graph;
  std::shared_ptr<GraphSession> session;
  std::mutex mutex;
  int num_sent_ids = 0;                     // node ids below are at the master; guarded by mutex
  std::map<Combination, int64_t> prepared;  // guarded by mutex
};

namespace {

constexpr int64_t kSeparator = -1;

GraphDef NodesFrom(const Graph& graph, int first_id) {
  GraphDef def;
  if (first_id == 0) return ExportGraphDef(graph);
  for (const Node* node : graph.Nodes()) {
    if (node->id() >= first_id) def.nodes.push_back(ExportNode(*node));
  }
  for (const auto& [name, function] : graph.functions().functions()) def.functions.push_back(*function);
  def.versions = graph.versions();
  return def;
}

void AppendEndpoint(std::vector<int64_t>& combination, const Endpoint& endpoint) {
  combination.push_back(endpoint.node->id());
  combination.push_back(endpoint.index);
}

}  // namespace

Status Session::Impl::CheckBelongs(const Scope& scope, const std::string& name) const {
  if (!scope.valid() || Access::GraphOf(scope) == nullptr)
    return InvalidArgument("Session: a feed, fetch or target is empty");
  if (Access::GraphOf(scope) == graph) return OkStatus();
  return InvalidArgument("Session: '", name, "' belongs to another graph");
}

Status Session::Impl::SendNewNodes() {
  HR_RETURN_IF_ERROR(graph->status);
  const int num_ids = graph->graph.num_ids();
  if (num_ids == num_sent_ids) return OkStatus();
  HR_RETURN_IF_ERROR(session->Extend(NodesFrom(graph->graph, num_sent_ids)));
  num_sent_ids = num_ids;
  return OkStatus();
}

Result<int64_t> Session::Impl::Prepare(const Combination& combination, const std::vector<Output>& fetches,
                                       const RunOptions& options) {
  std::lock_guard lock(mutex);
  HR_RETURN_IF_ERROR(SendNewNodes());
  const auto found = prepared.find(combination);
  if (found != prepared.end()) return found->second;
  CallableSpec spec;
  for (const Feed& feed : options.feeds) spec.feeds.push_back(feed.output.name());
  for (const Output& fetch : fetches) spec.fetches.push_back(fetch.name());
  for (const Operation& target : options.targets) spec.targets.push_back(target.name());
  spec.options.timeout_ms = options.timeout_ms;
  HR_ASSIGN_OR_RETURN(const int64_t callable, session->MakeCallable(spec));
  prepared.emplace(combination, callable);
  return callable;
}

Result<std::vector<Tensor>> Session::Impl::RunTraced(const std::vector<Output>& fetches, const RunOptions& options) {
  {
    std::lock_guard lock(mutex);
    HR_RETURN_IF_ERROR(SendNewNodes());
  }
  std::vector<NamedTensor> feeds;
  for (const Feed& feed : options.feeds) feeds.push_back({feed.output.name(), feed.value});
  std::vector<std::string> fetch_names, target_names;
  for (const Output& fetch : fetches) fetch_names.push_back(fetch.name());
  for (const Operation& target : options.targets) target_names.push_back(target.name());
  headrace::RunOptions traced;
  traced.timeout_ms = options.timeout_ms;
  traced.trace = std::make_shared<StepTrace>(StepTraceWishes{.step_stats = true});
  HR_ASSIGN_OR_RETURN(std::vector<Tensor> values, session->Run(feeds, fetch_names, target_names, traced));
  *options.run_metadata = traced.trace->run_metadata();
  return values;
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&& other) noexcept {
  if (this != &other) {
    (void)Close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Session::~Session() { (void)Close(); }

Result<Session> Session::Open(const std::string& target, const Scope& scope, const SessionOptions& options) {
  HR_RETURN_IF_ERROR(scope.status());
  auto impl = std::make_unique<Impl>();
  impl->graph = Access::GraphOf(scope);
  impl->num_sent_ids = impl->graph->graph.num_ids();
  HR_ASSIGN_OR_RETURN(impl->session, OpenTarget(target, ExportGraphDef(impl->graph->graph), options));
  return Session(std::move(impl));
}

Result<std::vector<Tensor>> Session::Run(const std::vector<Output>& fetches, const RunOptions& options) {
  if (impl_ == nullptr) return FailedPrecondition("Session: it is closed");
  Impl::Combination combination;
  std::vector<Tensor> feeds;
  for (const Feed& feed : options.feeds) {
    if (!feed.output.valid()) return InvalidArgument("Session: a fed output is empty");
    HR_RETURN_IF_ERROR(impl_->CheckBelongs(feed.output.scope(), "a feed"));
    AppendEndpoint(combination, Access::EndpointOf(feed.output));
    feeds.push_back(feed.value);
  }
  combination.push_back(kSeparator);
  for (const Output& fetch : fetches) {
    HR_RETURN_IF_ERROR(impl_->graph->status);
    if (!fetch.valid()) return InvalidArgument("Session: a fetched output is empty");
    HR_RETURN_IF_ERROR(impl_->CheckBelongs(fetch.scope(), "a fetch"));
    AppendEndpoint(combination, Access::EndpointOf(fetch));
  }
  combination.push_back(kSeparator);
  for (const Operation& target : options.targets) {
    HR_RETURN_IF_ERROR(impl_->graph->status);
    if (!target.valid()) return InvalidArgument("Session: a target is empty");
    HR_RETURN_IF_ERROR(impl_->CheckBelongs(target.scope(), "a target"));
    combination.push_back(Access::NodeOf(target)->id());
  }
  combination.push_back(kSeparator);
  combination.push_back(options.timeout_ms);
  if (options.run_metadata != nullptr) return impl_->RunTraced(fetches, options);
  HR_ASSIGN_OR_RETURN(const int64_t callable, impl_->Prepare(combination, fetches, options));
  return impl_->session->RunCallable(callable, feeds);
}

Result<Tensor> Session::Run(const Output& fetch, const RunOptions& options) {
  HR_ASSIGN_OR_RETURN(std::vector<Tensor> values, Run(std::vector<Output>{fetch}, options));
  return std::move(values.front());
}

Status Session::Run(const std::vector<Operation>& targets, const RunOptions& options) {
  RunOptions all = options;
  all.targets.insert(all.targets.end(), targets.begin(), targets.end());
  return Run(std::vector<Output>(), all).status();
}

Status Session::Run(const Operation& target, const RunOptions& options) {
  return Run(std::vector<Operation>{target}, options);
}

Result<std::vector<Tensor>> Session::RunByName(const std::vector<std::pair<std::string, Tensor>>& feeds,
                                               const std::vector<std::string>& fetches,
                                               const std::vector<std::string>& targets, int64_t timeout_ms) {
  if (impl_ == nullptr) return FailedPrecondition("Session: it is closed");
  {
    std::lock_guard lock(impl_->mutex);
    HR_RETURN_IF_ERROR(impl_->SendNewNodes());
  }
  std::vector<NamedTensor> named;
  for (const auto& [name, value] : feeds) named.push_back({name, value});
  headrace::RunOptions options;
  options.timeout_ms = timeout_ms;
  return impl_->session->Run(named, fetches, targets, options);
}

Status ResetTarget(const std::string& target, const std::vector<std::string>& containers) {
  return headrace::ResetTarget(target, containers);
}

Status Session::Close() {
  if (impl_ == nullptr) return OkStatus();
  const Status closed = impl_->session->Close();
  impl_.reset();
  return closed;
}

}  // namespace headrace::api
