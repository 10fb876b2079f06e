// The list of the family's ops.
#include "ops/data_flow/data_flow_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterDataFlowOps(OpRegistry& registry) {
  for (auto make : {AccumulatorOps, QueueHandleOps, QueueOps, StackOps, StagingOps}) {
    for (OpDefinition& op : make()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
