// The ops of the family `data_flow`, by file; data_flow_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> AccumulatorOps();  // accumulator_ops.cc
std::vector<OpDefinition> QueueHandleOps();  // queue_handle_ops.cc
std::vector<OpDefinition> QueueOps();        // queue_ops.cc

}  // namespace headrace
