// The definitions of this family, one function for each file of them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

void RegisterStackOps(OpRegistry& registry);

}  // namespace headrace
