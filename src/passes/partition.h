// Partitioning: cuts a placed graph into one graph for each task or device, with a `_Send`/`_Recv` pair where an edge
// crosses.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "graph/graph.h"
#include "graph/node_def.h"

namespace headrace {

struct HR_EXPORT PartitionOptions {
  /// The incarnation of a device's task, by the device's full name.
  std::function<uint64_t(const std::string& device)> incarnation_of;
  /// One graph for each device instead of one for each task.
  bool by_device = false;
};

/// Returns the graphs by task name ("/job:ps/replica:0/task:0") or device name. Every node must be placed. One pair of
/// nodes carries an output to all its consumers in another partition, under the tensor name `edge_<number>_<source>`; a
/// control edge sends an empty f32 vector and ends in an Identity, unless a tensor of the same node goes there anyway.
/// Small constants are repeated instead of sent. Every partition gets the whole function library.
/// A v1 loop may span partitions: each then turns its own part of it, in step by the loop's condition.
/// Errors: kInvalidArgument for a node without a device, a ref edge that crosses, or a loop that has no condition.
HR_EXPORT Result<std::map<std::string, Graph>> PartitionByTask(const Graph& graph, const PartitionOptions& options);

/// A partition with the devices that its nodes were assigned, in place of those that the program asked for.
GraphDef ExportPartition(const Graph& partition);

}  // namespace headrace
