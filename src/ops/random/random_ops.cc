#include "ops/random/random_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterRandomOps(OpRegistry& registry) {
  for (OpDefinition (*make)() :
       {RandomUniform, RandomUniformInt, RandomStandardNormal, RandomTruncatedNormal, RandomShuffle, Multinomial}) {
    registry.Add(make());
  }
  for (OpDefinition& op : CandidateSamplerOps()) registry.Add(std::move(op));
  for (OpDefinition& op : StatelessRandomOps()) registry.Add(std::move(op));
}

}  // namespace headrace
