// Enter, Exit, NextIteration, LoopCond (and their Ref forms): hand their input on. What they mean, a new frame, its end, the
// next iteration and the loop's condition, is the executor's business.
// Errors: kInvalidArgument when LoopCond's input is not a scalar.
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {

namespace {

Status HandOn(KernelContext& c) {
  if (c.input_variable(0) != nullptr) HR_RETURN_IF_ERROR(c.SetOutputVariable(0, c.input_variable(0)));
  return c.SetOutput(0, c.TakeInput(0));
}

Status LoopCondShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(0));
  return c.SetOutput(0, PartialShape::Scalar());
}

Status LoopCondCpu(KernelContext& c) {
  if (c.input(0).num_elements() != 1) return InvalidArgument("LoopCond: the condition must be a scalar: ", c.input(0));
  return HandOn(c);
}

OpDefinition LoopOp(std::string_view signature) {
  return OpDefinition(signature)
      .Shape(UnchangedShape)
      .Gradient(RefuseGradient)
      .Kernels(AnyType(FunctionKernel(HandOn), /*cheap=*/true));
}

}  // namespace

OpDefinition Enter() {
  return LoopOp(
      "Enter(data: T) -> (output: T) | T: type | frame_name: string | is_constant: bool = false | "
      "parallel_iterations: int = 10");
}
OpDefinition RefEnter() {
  return LoopOp(
      "RefEnter(data: Ref(T)) -> (output: Ref(T)) | T: type | frame_name: string | is_constant: bool = false | "
      "parallel_iterations: int = 10");
}
OpDefinition Exit() { return LoopOp("Exit(data: T) -> (output: T) | T: type"); }
OpDefinition RefExit() { return LoopOp("RefExit(data: Ref(T)) -> (output: Ref(T)) | T: type"); }
OpDefinition NextIteration() { return LoopOp("NextIteration(data: T) -> (output: T) | T: type"); }
OpDefinition RefNextIteration() { return LoopOp("RefNextIteration(data: Ref(T)) -> (output: Ref(T)) | T: type"); }

OpDefinition LoopCond() {
  return OpDefinition("LoopCond(input: bool) -> (output: bool)")
      .Shape(LoopCondShape)
      .NoGradient("not differentiable")
      .Kernels(AnyType(FunctionKernel(LoopCondCpu), /*cheap=*/true));
}

}  // namespace headrace
