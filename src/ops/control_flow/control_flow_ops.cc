// The list of the family's ops.
#include "ops/control_flow/control_flow_ops.h"

#include "ops/register.h"

namespace headrace {

void RegisterControlFlowOps(OpRegistry& registry) {
  registry.Add(Arg());
  registry.Add(Retval());
  registry.Add(Send());
  registry.Add(HostSend());
  registry.Add(Recv());
  registry.Add(HostRecv());
  registry.Add(Switch());
  registry.Add(SwitchN());
  registry.Add(Merge());
  registry.Add(RefSwitch());
  registry.Add(RefMerge());
  registry.Add(Enter());
  registry.Add(RefEnter());
  registry.Add(Exit());
  registry.Add(RefExit());
  registry.Add(NextIteration());
  registry.Add(RefNextIteration());
  registry.Add(LoopCond());
  registry.Add(NoOp());
  registry.Add(ControlTrigger());
  registry.Add(Abort());
  for (const auto& make : {CallOps, PyFuncOps, WhileOps}) {
    for (OpDefinition& op : make()) registry.Add(std::move(op));
  }
}

}  // namespace headrace
