// The definitions of this family, one function for each op or file.
#pragma once

#include <vector>

#include "graph/gradient_context.h"
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
/// The gradient of the nodes of a v1 condition or loop: kUnimplemented, as one passes there and is not built. (An op without gradient
/// would count as a constant.)
Status RefuseGradient(GradientContext& c);
std::vector<OpDefinition> CallOps();
std::vector<OpDefinition> PyFuncOps();
std::vector<OpDefinition> WhileOps();

}  // namespace headrace
