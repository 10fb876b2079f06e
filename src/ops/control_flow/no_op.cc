// NoOp, ControlTrigger: do nothing, after their control inputs. ControlTrigger runs even when those are dead.
// Abort: fails with kAborted and `error_msg`; with exit_without_error with kCancelled. The process goes on in both cases.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {

namespace {

Status Nothing(KernelContext&) { return OkStatus(); }

class AbortCpu final : public Kernel {
 public:
  explicit AbortCpu(KernelConstruction& c)
      : without_error_(c.attr<bool>("exit_without_error")), message_(c.attr<std::string>("error_msg")) {}
  Status Compute(KernelContext& c) override {
    if (without_error_) return Cancelled("Abort: ", c.node().ToString(), " ends the step");
    return Aborted("Abort: ", message_.empty() ? c.node().ToString() : message_);
  }

 private:
  const bool without_error_;
  const std::string message_;
};

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

OpDefinition Abort() {
  return OpDefinition("Abort() -> () | error_msg: string = '' | exit_without_error: bool = false")
      .Shape(NoOutputs)
      .NoGradient("no outputs")
      .Kernels(AnyType(ClassKernel<AbortCpu>(), /*cheap=*/true));
}

}  // namespace headrace
