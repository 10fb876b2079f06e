#include "ops/summary/summary_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterSummaryOps(OpRegistry& registry) {
  constexpr std::vector<OpDefinition> (*kLists[])() = {ValueSummaryOps, ImageSummaryOps, AudioSummaryOps};
  for (const auto list : kLists) {
    for (OpDefinition& op : list()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
