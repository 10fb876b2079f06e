// The list of the family's ops.
#include "ops/data/data_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterDataOps(OpRegistry& registry) {
  for (auto ops :
       {DatasetSourceOps, DatasetTransformOps, DatasetFunctionOps, DatasetGeneratorOps, DatasetGroupingOps,
        DatasetInterleaveOps, DatasetMemoryOps, DatasetResultOps, IteratorOps, IteratorHandleOps, OptionalOps}) {
    for (OpDefinition& op : ops()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
