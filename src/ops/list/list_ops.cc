// The list of the family's ops.
#include "ops/list/list_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterListOps(OpRegistry& registry) {
  for (const auto& make : {ListElementOps, ListStackOps, TensorArrayOps, TensorArrayStackOps}) {
    for (OpDefinition& op : make()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
