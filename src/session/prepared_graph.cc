#include "session/prepared_graph.h"

#include <algorithm>

#include "passes/fold.h"
#include "passes/partition.h"
#include "passes/pipeline.h"
#include "passes/prune.h"
#include "passes/tensor_name.h"
#include "passes/unread.h"
#include "session/call_group.h"
#include "session/local_worker.h"

namespace headrace {

namespace {

size_t IndexOf(const std::vector<std::string>& sorted, const std::string& name) {
  return static_cast<size_t>(std::ranges::lower_bound(sorted, name) - sorted.begin());
}

int IndexOf(const std::vector<PlanEnd>& ends, const std::string& key) {
  const auto found = std::ranges::find(ends, key, &PlanEnd::name);
  return found == ends.end() ? -1 : static_cast<int>(found - ends.begin());
}

/// REQUIRES: the graph was pruned for the feed, so the name is right.
PartialShape ShapeOf(const Graph& graph, const std::string& feed) {
  const std::optional<TensorName> name = TensorName::Parse(feed);
  return Endpoint{graph.Find(name->node), name->index}.shape();
}

void FindEnds(const Graph& graph, const Signature& signature, PreparedPart* part) {
  for (const Node* node : graph.Nodes()) {
    std::string name;
    if (!IsClientEnd(*node, &name)) continue;
    if (node->num_outputs() > 0) {
      part->feeds.push_back({IndexOf(signature.feeds, name), KeyOfTransfer(*node)});
    } else {
      part->fetches.push_back({IndexOf(signature.fetches, name), KeyOfTransfer(*node)});
    }
  }
}

}  // namespace

bool IsClientEnd(const Node& node, std::string* tensor_name) {
  if (!GetAttrOr<bool>(node.attrs(), "client_terminated", false)) return false;
  *tensor_name = GetAttrOr<std::string>(node.attrs(), "tensor_name", "");
  return node.op() == "_Recv" || node.op() == "_Send";
}

Result<Graph> PruneForClient(const Graph& graph, const Signature& signature, const SessionTasks& tasks) {
  Graph pruned = graph.Clone();
  const DeviceAttributes& client = tasks.master().devices[0];
  const ClientEnds ends{.client_device = client.name, .client_incarnation = client.incarnation};
  HR_RETURN_IF_ERROR(RunPasses(&pruned, {{"prune", [&](Graph* g) {
                                            return PruneToFetches(g, signature.feeds, signature.fetches,
                                                                  signature.targets, ends);
                                          }}}));
  return pruned;
}

Result<std::shared_ptr<const PreparedGraph>> PreparedGraph::Prepare(const Graph& graph, const Signature& signature,
                                                                    const SessionTasks& tasks,
                                                                    const std::string& session_handle) {
  HR_ASSIGN_OR_RETURN(Graph pruned, PruneForClient(graph, signature, tasks));
  HR_RETURN_IF_ERROR(RunPasses(&pruned, {{"unread", [&](Graph* g) { return DropUnread(g, signature.targets); }},
                                         {"fold", [](Graph* g) { return FoldConstants(g); }}}));
  PartitionOptions options;
  options.incarnation_of = [&tasks](const std::string& device) { return tasks.IncarnationOf(device); };
  HR_ASSIGN_OR_RETURN(auto parts, PartitionByTask(pruned, options));
  auto prepared = std::make_shared<PreparedGraph>();
  prepared->signature_ = signature;
  for (const std::string& feed : signature.feeds) prepared->feed_shapes_.push_back(ShapeOf(graph, feed));
  HR_RETURN_IF_ERROR(prepared->Register(std::move(parts), tasks, session_handle));
  HR_RETURN_IF_ERROR(prepared->BindLocalPlan(tasks, session_handle));
  return std::shared_ptr<const PreparedGraph>(std::move(prepared));
}

Status PreparedGraph::Register(std::map<std::string, Graph> parts, const SessionTasks& tasks,
                               const std::string& session_handle) {
  std::vector<std::shared_ptr<const Graph>> graphs;
  for (auto& [task_name, graph] : parts) {
    const SessionTask* task = tasks.Find(task_name);
    if (task == nullptr) return Internal("The graph has a part for ", task_name, ", which is no task of the session");
    PreparedPart part{.task = task_name, .worker = task->worker};
    FindEnds(graph, signature_, &part);
    parts_.push_back(std::move(part));
    graphs.push_back(std::make_shared<const Graph>(std::move(graph)));
  }
  auto calls = std::make_shared<CallGroup>(parts_.size());
  auto handles = std::make_shared<std::vector<std::string>>(parts_.size());
  for (size_t i = 0; i < parts_.size(); ++i) {
    RegisterGraphRequest request{.session_handle = session_handle, .graph = std::move(graphs[i])};
    parts_[i].worker->RegisterGraph(std::move(request), TimePoint::max(),
                                    [calls, handles, i](const Status& status, std::string graph_handle) {
                                      (*handles)[i] = std::move(graph_handle);
                                      calls->Answer(i, status);
                                    });
  }
  calls->Wait();
  for (size_t i = 0; i < parts_.size(); ++i) parts_[i].graph_handle = std::move((*handles)[i]);
  std::stable_partition(parts_.begin(), parts_.end(),
                        [&](const PreparedPart& part) { return part.task != tasks.master().name; });
  return calls->RootCause();
}

Status PreparedGraph::BindLocalPlan(const SessionTasks& tasks, const std::string& session_handle) {
  if (parts_.size() != 1 || parts_[0].task != tasks.master().name) return OkStatus();
  const auto* worker = dynamic_cast<const LocalWorker*>(parts_[0].worker.get());
  if (worker == nullptr) return OkStatus();
  HR_ASSIGN_OR_RETURN(local_graph_, worker->FindGraph(session_handle, parts_[0].graph_handle));
  const StepPlan* plan = local_plan();
  if (plan == nullptr) return OkStatus();
  local_feeds_.assign(signature_.feeds.size(), -1);
  local_fetches_.assign(signature_.fetches.size(), -1);
  for (const PreparedEnd& end : parts_[0].feeds) local_feeds_[end.index] = IndexOf(plan->feeds(), end.key);
  for (const PreparedEnd& end : parts_[0].fetches) local_fetches_[end.index] = IndexOf(plan->fetches(), end.key);
  return OkStatus();
}

}  // namespace headrace
