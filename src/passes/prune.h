// Pruning: cuts a graph down to what one combination of feeds, fetches and targets needs, and puts the ends in place
// through which the client's tensors enter and leave.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace headrace {

/// How feeds enter and fetches leave.
struct HR_EXPORT ClientEnds {
  /// True: nodes `_Arg` and `_Retval`, numbered in the order of the feeds and fetches. False: nodes `_Recv` and `_Send`
  /// with client_terminated set, whose tensor_name is the text of the feed or fetch.
  bool local = false;
  /// Where the ends are placed; may be empty when `local`.
  std::string client_device;
  uint64_t client_incarnation = 0;
};

/// Replaces each fed tensor by a node `_recv_<node>_<index>` (`_arg_...` when local), adds `_send_<node>_<index>`
/// (`_retval_...`) for each fetch, and removes every node that neither a fetch nor a target needs. Feeds and fetches
/// are "name:k" or "name", targets are node names. A control edge from a fed placeholder is moved to its replacement.
/// Errors: kNotFound for an unknown name; kInvalidArgument for an index that the node does not have, a tensor fed
/// twice, or both fed and fetched. After an error the graph is in an unspecified state.
HR_EXPORT Status PruneToFetches(Graph* graph, const std::vector<std::string>& feeds,
                                const std::vector<std::string>& fetches, const std::vector<std::string>& targets,
                                const ClientEnds& ends);

}  // namespace headrace
