#include "ops/array/array_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterArrayOps(OpRegistry& registry) {
  constexpr std::vector<OpDefinition> (*kLists[])() = {
      ConstOps,    IdentityOps, CastOps,   BitcastOps,      ShapeOps,  ReshapeOps,          TransposeOps,     ConcatOps,
      PackOps,     SplitOps,    SliceOps,  StridedSliceOps, TileOps,   BroadcastOps,        PadOps,           GatherOps,
      GatherNdOps, WhereOps,    SelectOps, OneHotOps,       UniqueOps, DynamicPartitionOps, DynamicStitchOps, FillOps,
      RangeOps,    ReverseOps,  AssertOps, StringOps};
  for (const auto list : kLists) {
    for (OpDefinition& op : list()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
