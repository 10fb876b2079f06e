// The definitions of this family, one function for each file of them; data_flow_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> AccumulatorOps();  // accumulator_ops.cc
std::vector<OpDefinition> QueueHandleOps();  // queue_handle_ops.cc
std::vector<OpDefinition> QueueOps();        // queue_ops.cc
std::vector<OpDefinition> StagingOps();      // staging_ops.cc
std::vector<OpDefinition> StackOps();        // stack.cc

}  // namespace headrace
