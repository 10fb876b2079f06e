// The ops of the family `random`; random_ops.cc registers them.
#pragma once

#include <vector>

#include "graph/op_definition.h"

namespace headrace {

OpDefinition RandomUniform();
OpDefinition RandomUniformInt();
OpDefinition RandomStandardNormal();
OpDefinition RandomTruncatedNormal();
OpDefinition RandomShuffle();
OpDefinition Multinomial();
/// UniformCandidateSampler, LogUniformCandidateSampler, ComputeAccidentalHits.
std::vector<OpDefinition> CandidateSamplerOps();
/// StatelessRandomUniform and its like, and what makes their keys.
std::vector<OpDefinition> StatelessRandomOps();

}  // namespace headrace
