#include "ops/state/state_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterStateOps(OpRegistry& registry) {
  for (OpDefinition (*make)() :
       {VarHandleOp, VarIsInitializedOp, ReadVariableOp, VariableShape, DestroyResourceOp, AssignVariableOp,
        AssignAddVariableOp, AssignSubVariableOp, ResourceGather, ResourceGatherNd, VariableV1, VariableV2, Assign,
        AssignAdd, AssignSub, IsVariableInitialized}) {
    registry.Add(make());
  }
  for (OpDefinition& op : ResourceScatterOps()) registry.Add(std::move(op));
  for (OpDefinition& op : RefScatterOps()) registry.Add(std::move(op));
  for (OpDefinition& op : CountUpToOps()) registry.Add(std::move(op));
  for (OpDefinition& op : ScatterNdVariableOps()) registry.Add(std::move(op));
  for (OpDefinition& op : StridedSliceAssignOps()) registry.Add(std::move(op));
}

}  // namespace headrace
