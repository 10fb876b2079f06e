// The ops of the array family, file by file; array_ops.cc registers them.
#pragma once

#include <vector>

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> ConstOps();
std::vector<OpDefinition> IdentityOps();
std::vector<OpDefinition> CastOps();
std::vector<OpDefinition> BitcastOps();
std::vector<OpDefinition> ShapeOps();
std::vector<OpDefinition> ReshapeOps();
std::vector<OpDefinition> TransposeOps();
std::vector<OpDefinition> ConcatOps();
std::vector<OpDefinition> PackOps();
std::vector<OpDefinition> SplitOps();
std::vector<OpDefinition> SliceOps();
std::vector<OpDefinition> StridedSliceOps();
std::vector<OpDefinition> TileOps();
std::vector<OpDefinition> BroadcastOps();
std::vector<OpDefinition> PadOps();
std::vector<OpDefinition> GatherOps();
std::vector<OpDefinition> GatherNdOps();
std::vector<OpDefinition> WhereOps();
std::vector<OpDefinition> SelectOps();
std::vector<OpDefinition> OneHotOps();
std::vector<OpDefinition> UniqueOps();
std::vector<OpDefinition> DynamicPartitionOps();
std::vector<OpDefinition> DynamicStitchOps();
std::vector<OpDefinition> FillOps();
std::vector<OpDefinition> RangeOps();
std::vector<OpDefinition> ReverseOps();
std::vector<OpDefinition> AssertOps();
std::vector<OpDefinition> StringOps();

}  // namespace headrace
