// The ops of the family `random`; random_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

OpDefinition RandomUniform();
OpDefinition RandomUniformInt();
OpDefinition RandomStandardNormal();
OpDefinition RandomTruncatedNormal();
OpDefinition RandomShuffle();

}  // namespace headrace
