// PreparedGraph: a graph cut for one signature and registered at the workers that take part.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "session/registered_graph.h"
#include "session/session_tasks.h"
#include "session/signature.h"

namespace headrace {

/// Which tensor of the signature enters or leaves a part, and under what key.
struct PreparedEnd {
  size_t index;
  std::string key;
};

/// One task's part.
struct PreparedPart {
  std::string task;
  std::shared_ptr<Worker> worker;
  std::string graph_handle;
  std::vector<PreparedEnd> feeds;
  std::vector<PreparedEnd> fetches;
};

/// Immutable once prepared; thread-safe.
class PreparedGraph {
 public:
  /// Prunes a copy of the placed `graph`, partitions it, and registers the parts. Blocks.
  /// Errors: those of PruneToFetches, PartitionByTask and Worker::RegisterGraph.
  static Result<std::shared_ptr<const PreparedGraph>> Prepare(const Graph& graph, const Signature& signature,
                                                              const SessionTasks& tasks,
                                                              const std::string& session_handle);

  const Signature& signature() const { return signature_; }
  /// What the graph says of the feeds; constants were folded with these shapes. By index in the signature.
  const std::vector<PartialShape>& feed_shapes() const { return feed_shapes_; }
  /// The master's own part, if any, is last: it runs on the thread that starts the step.
  const std::vector<PreparedPart>& parts() const { return parts_; }

  /// The one plan that the whole step is, in this process; null where there are several, or the only task is elsewhere.
  const StepPlan* local_plan() const { return local_graph_ == nullptr ? nullptr : local_graph_->only_plan(); }
  /// By index in the signature: the plan's feed, or -1 for a feed that nothing needs.
  const std::vector<int>& local_feeds() const { return local_feeds_; }
  /// By index in the signature: the plan's fetch.
  const std::vector<int>& local_fetches() const { return local_fetches_; }

 private:
  Status Register(std::map<std::string, Graph> parts, const SessionTasks& tasks, const std::string& session_handle);
  Status BindLocalPlan(const SessionTasks& tasks, const std::string& session_handle);

  Signature signature_;
  std::vector<PartialShape> feed_shapes_;
  std::vector<PreparedPart> parts_;
  std::shared_ptr<RegisteredGraph> local_graph_;
  std::vector<int> local_feeds_;
  std::vector<int> local_fetches_;
};

/// A copy of `graph` cut for the signature, with client-terminated `_Recv` and `_Send` at the master's device.
Result<Graph> PruneForClient(const Graph& graph, const Signature& signature, const SessionTasks& tasks);

/// True for a `_Recv` or `_Send` at the client; sets the feed or fetch that it stands for.
bool IsClientEnd(const Node& node, std::string* tensor_name);

}  // namespace headrace
