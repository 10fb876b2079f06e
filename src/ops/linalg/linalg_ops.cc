#include "ops/linalg/linalg_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterLinalgOps(OpRegistry& registry) {
  for (const auto list : {BandPartOps, CholeskyOps, InverseOps, SolveOps}) {
    for (OpDefinition& op : list()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
