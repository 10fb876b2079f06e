// The ops of the list family, file by file; list_ops.cc registers them.
#pragma once

#include <vector>

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> ListElementOps();
std::vector<OpDefinition> ListStackOps();
std::vector<OpDefinition> TensorArrayOps();
std::vector<OpDefinition> TensorArrayStackOps();

}  // namespace headrace
