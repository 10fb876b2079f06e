// The ops of the family `train`; train_ops.cc registers them.
#pragma once

#include <vector>

#include "graph/op_definition.h"

namespace headrace {

/// The optimizers' updates, each on resource variables and on ref variables.
std::vector<OpDefinition> ApplyOps();

}  // namespace headrace
