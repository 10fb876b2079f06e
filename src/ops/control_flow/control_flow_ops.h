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
OpDefinition SwitchN();
OpDefinition Merge();
OpDefinition RefSwitch();
OpDefinition RefMerge();
OpDefinition Enter();
OpDefinition RefEnter();
OpDefinition Exit();
OpDefinition RefExit();
OpDefinition NextIteration();
OpDefinition RefNextIteration();
OpDefinition LoopCond();
OpDefinition NoOp();
OpDefinition ControlTrigger();
OpDefinition Abort();
std::vector<OpDefinition> CallOps();
std::vector<OpDefinition> PyFuncOps();
std::vector<OpDefinition> WhileOps();

}  // namespace headrace
