// The ops of the family `lookup`, by file; lookup_ops.cc registers them.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

std::vector<OpDefinition> TableOps();          // table_ops.cc
std::vector<OpDefinition> TableAccessOps();    // table_access_ops.cc
std::vector<OpDefinition> TableFromFileOps();  // table_from_file.cc

}  // namespace headrace
