// Colocation: which nodes of a graph must be on one device, and what is asked for each such group. The first half of
// placement.
#pragma once

#include <string>
#include <vector>

#include "graph/device_name.h"
#include "graph/graph.h"

namespace headrace {

/// Whether a function's call (function_ops.h) is to be where the resources, lists and datasets are that it takes or returns.
enum class CallEdges { kTogether, kFree };

/// Union-find over a graph's nodes. Each group knows what its members together ask for.
class ColocationGroups {
 public:
  explicit ColocationGroups(const Graph& graph);

  /// Joins by ref, resource and dataset edges, then by `_class`. Errors: as Place.
  Status Build(bool allow_soft_placement, CallEdges call_edges = CallEdges::kTogether);

  int RootOf(int node_id) const;
  /// REQUIRES: `root` is a root.
  const DeviceName& WishOf(int root) const { return groups_[static_cast<size_t>(root)].wish; }
  int SizeOf(int root) const { return groups_[static_cast<size_t>(root)].size; }

 private:
  struct Group {
    int parent = 0;
    int size = 1;
    DeviceName wish;
    DeviceName state_wish;  // of those members that hold the state itself: it prevails over their users' wishes
  };

  Status ReadWishes();
  Status JoinEdges(bool allow_soft_placement, CallEdges call_edges);
  Status JoinClasses(bool allow_soft_placement);
  /// Lets the place of the state overrule what `user`, which takes it through an edge, asks for.
  void OverruleByState(int source, int user);
  /// Errors: kInvalidArgument, naming the field and both values, when the wishes contradict each other.
  Status Join(int a, int b, bool relax_type);

  const Graph& graph_;
  const std::vector<Node*> nodes_;
  mutable std::vector<Group> groups_;  // by node id; parents are shortened while looking up
};

}  // namespace headrace
