// Placement: gives every node the device it runs on, from what the program asked for, what must stay together, and
// where kernels exist.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace headrace {

/// A device that nodes may be placed on.
struct HR_EXPORT PlacementDevice {
  std::string name;         // full
  std::string device_type;  // "CPU"
};

struct HR_EXPORT PlacementOptions {
  /// Conflicting `_class` wishes are ignored, and a node whose device type or number does not exist may go to another
  /// device of the same task. Job and task are never changed.
  bool allow_soft_placement = false;
  /// Writes the table to the log.
  bool log_device_placement = false;
  /// "/job:worker/replica:0/task:0": nodes that may run anywhere run here. Empty: nowhere is preferred.
  std::string local_task;
};

/// Sets the assigned device of every node that has none. One that has keeps it, so that state stays where it is when a
/// graph grows. Together stay: the members of a `_class` group, both ends of a ref edge and of a resource edge, a
/// dataset and what it is made from. Of the possible devices the first is taken: other device types before CPU, the
/// local task before others, then by name; a source node goes with its consumers where they agree, and Shape, Size and
/// Rank go with their input.
/// Errors: kInvalidArgument for a malformed device, wishes that contradict each other (names nodes and values), a
/// device that does not exist (lists those that do), or an op without a kernel for the device.
HR_EXPORT Status Place(Graph* graph, const std::vector<PlacementDevice>& devices, const PlacementOptions& options);

/// The placement as one aligned table: a line for each node, with its name, op and device, in the order of the names.
HR_EXPORT std::string PlacementTable(const Graph& graph);

}  // namespace headrace
