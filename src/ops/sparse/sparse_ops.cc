#include "ops/sparse/sparse_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterSparseOps(OpRegistry& registry) {
  constexpr std::vector<OpDefinition> (*kLists[])() = {
      SparseToDenseOps, SparseArrangeOps, SparseConcatOps, SparseReshapeOps, SparseFillRowsOps,
      SparseSegmentOps, SparseMatMulOps,  SparseDenseOps,  SparseReduceOps,  SparseSerializeOps,
      SparseCrossOps,   SparseAddOps,     EditDistanceOps};
  for (const auto list : kLists) {
    for (OpDefinition& op : list()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
