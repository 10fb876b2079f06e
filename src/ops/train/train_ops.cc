#include "ops/train/train_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterTrainOps(OpRegistry& registry) {
  for (OpDefinition& op : ApplyOps()) registry.Add(std::move(op));
}

}  // namespace headrace
