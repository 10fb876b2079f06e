// The ops of the family `state`, one function each; state_ops.cc registers them.
#pragma once

#include <vector>

#include "graph/op_definition.h"

namespace headrace {

OpDefinition VarHandleOp();
OpDefinition VarIsInitializedOp();
OpDefinition ReadVariableOp();
OpDefinition VariableShape();
OpDefinition DestroyResourceOp();

OpDefinition AssignVariableOp();
OpDefinition AssignAddVariableOp();
OpDefinition AssignSubVariableOp();

OpDefinition ResourceGather();
OpDefinition ResourceGatherNd();

/// ResourceScatterAdd, Sub, Mul, Div, Min, Max, Update.
std::vector<OpDefinition> ResourceScatterOps();

OpDefinition VariableV1();
OpDefinition VariableV2();
OpDefinition Assign();
OpDefinition AssignAdd();
OpDefinition AssignSub();
OpDefinition IsVariableInitialized();
/// ScatterAdd, Sub, Mul, Div, Min, Max, Update.
std::vector<OpDefinition> RefScatterOps();
/// CountUpTo, ResourceCountUpTo.
std::vector<OpDefinition> CountUpToOps();
std::vector<OpDefinition> ScatterNdVariableOps();  // scatter_nd.cc
/// StridedSliceAssign, ResourceStridedSliceAssign.
std::vector<OpDefinition> StridedSliceAssignOps();

}  // namespace headrace
