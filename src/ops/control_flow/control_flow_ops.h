// The definitions of this family, one function for each op or file.
#pragma once

#include <vector>

#include "graph/op_definition.h"

namespace headrace {

OpDefinition Arg();
OpDefinition Retval();
OpDefinition Send();
OpDefinition HostSend();
OpDefinition Recv();
OpDefinition HostRecv();
OpDefinition Switch();
OpDefinition Merge();
OpDefinition NoOp();
OpDefinition ControlTrigger();
std::vector<OpDefinition> CallOps();
std::vector<OpDefinition> WhileOps();

}  // namespace headrace
