// NoOp, ControlTrigger: do nothing, after their control inputs. ControlTrigger runs even when those are dead.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {

namespace {

Status Nothing(KernelContext&) { return OkStatus(); }

}  // namespace

OpDefinition NoOp() {
  return OpDefinition("NoOp() -> ()")
      .Shape(NoOutputs)
      .NoGradient("no outputs")
      .Kernels(AnyType(FunctionKernel(Nothing), /*cheap=*/true));
}

OpDefinition ControlTrigger() {
  return OpDefinition("ControlTrigger() -> ()")
      .Shape(NoOutputs)
      .NoGradient("no outputs")
      .Kernels(AnyType(FunctionKernel(Nothing), /*cheap=*/true));
}

}  // namespace headrace
