#include "ops/lookup/lookup_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterLookupOps(OpRegistry& registry) {
  for (const auto list : {TableOps, TableAccessOps, TableFromFileOps}) {
    for (OpDefinition& op : list()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
