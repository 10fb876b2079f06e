// Switch: passes `data` on to output_true or output_false, as `pred` says; the other output is dead. _SwitchN: to one of many, an index
// that names none to the last one.
// Merge: passes on the one input that is alive, and its index. The Ref forms pass the variable on.
// Errors: kInvalidArgument when `pred` or the index is not a scalar.
#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {

namespace {

Status SwitchShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  HR_RETURN_IF_ERROR(c.SetOutput(0, c.input(0)));
  return c.SetOutput(1, c.input(0));
}

Status SwitchCpu(KernelContext& c) {
  const Tensor& pred = c.input(1);
  if (pred.num_elements() != 1) return InvalidArgument("Switch: pred must be a scalar, it is ", pred);
  const int taken = pred.data<bool>()[0] ? 1 : 0;
  if (c.input_variable(0) != nullptr) HR_RETURN_IF_ERROR(c.SetOutputVariable(taken, c.input_variable(0)));
  return c.SetOutput(taken, c.TakeInput(0));
}

Status SwitchNShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(1));
  for (int i = 0; i < c.num_outputs(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, c.input(0)));
  return OkStatus();
}

Status SwitchNCpu(KernelContext& c) {
  const Tensor& index = c.input(1);
  if (index.num_elements() != 1) return InvalidArgument("_SwitchN: output_index must be a scalar, it is ", index);
  const int taken = index.data<int32_t>()[0];
  const bool is_one = taken >= 0 && taken < c.num_outputs();
  return c.SetOutput(is_one ? taken : c.num_outputs() - 1, c.TakeInput(0));
}

/// What all inputs have in common.
PartialShape CommonShape(const PartialShape& a, const PartialShape& b) {
  if (!a.has_rank() || !b.has_rank() || a.rank() != b.rank()) return PartialShape();
  PartialShape common = a;
  for (int i = 0; i < a.rank(); ++i) {
    if (a.dim(i) != b.dim(i)) common.SetDim(i, PartialShape::kUnknownDim);
  }
  return common;
}

/// Of a loop's merge, whose back edge is not there yet, nothing is said: the value may change its shape on the way.
Status MergeShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.SetOutput(1, PartialShape::Scalar()));
  const auto is_loop = [](const Endpoint& input) {
    return !input || input.node->op() == "NextIteration" || input.node->op() == "RefNextIteration";
  };
  if (std::ranges::any_of(c.node().inputs(), is_loop)) return c.SetOutput(0, PartialShape());
  PartialShape common = c.input(0);
  for (int i = 1; i < c.num_inputs(); ++i) common = CommonShape(common, c.input(i));
  return c.SetOutput(0, std::move(common));
}

Status MergeCpu(KernelContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i) {
    const std::shared_ptr<Variable>& variable = c.input_variable(i);
    if (!c.input(i).valid() && variable == nullptr) continue;
    if (variable != nullptr) HR_RETURN_IF_ERROR(c.SetOutputVariable(0, variable));
    HR_RETURN_IF_ERROR(c.SetOutput(0, c.TakeInput(i)));
    return c.SetOutput(1, Tensor::Scalar<int32_t>(i));
  }
  return Internal("Merge: no input is alive");
}

OpDefinition SwitchOp(std::string_view signature) {
  return OpDefinition(signature)
      .Shape(SwitchShape)
      .Gradient(RefuseGradient)
      .Kernels(AnyType(FunctionKernel(SwitchCpu), /*cheap=*/true));
}

OpDefinition MergeOp(std::string_view signature) {
  return OpDefinition(signature)
      .Shape(MergeShape)
      .Gradient(RefuseGradient)
      .Kernels(AnyType(FunctionKernel(MergeCpu), /*cheap=*/true));
}

}  // namespace

Status RefuseGradient(GradientContext& c) {
  return Unimplemented("Gradients: node '", c.node().name(), "' (", c.node().op(),
                       ") is part of a v1 condition or loop");
}

OpDefinition Switch() { return SwitchOp("Switch(data: T, pred: bool) -> (output_false: T, output_true: T) | T: type"); }
OpDefinition RefSwitch() {
  return SwitchOp(
      "RefSwitch(data: Ref(T), pred: bool) -> (output_false: Ref(T), output_true: Ref(T)) | T: type | "
      "allows_uninitialized_input");
}
OpDefinition SwitchN() {
  return OpDefinition("_SwitchN(data: T, output_index: i32) -> (outputs: num_outs * T) | num_outs: int >= 1 | T: type")
      .Shape(SwitchNShape)
      .Gradient(RefuseGradient)
      .Kernels(AnyType(FunctionKernel(SwitchNCpu), /*cheap=*/true));
}
OpDefinition Merge() {
  return MergeOp("Merge(inputs: N * T) -> (output: T, value_index: i32) | T: type | N: int >= 1");
}
OpDefinition RefMerge() {
  return MergeOp("RefMerge(inputs: Ref(N * T)) -> (output: Ref(T), value_index: i32) | T: type | N: int >= 1");
}

}  // namespace headrace
