// The ops of the linalg family, file by file; linalg_ops.cc registers them.
#pragma once

#include <vector>

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> BandPartOps();
std::vector<OpDefinition> CholeskyOps();
std::vector<OpDefinition> InverseOps();
std::vector<OpDefinition> SolveOps();

}  // namespace headrace
