// Ops that pass their input on: Identity, IdentityN, StopGradient, PreventGradient, EnsureShape; DisableCopyOnRead does nothing.
// Source: TensorFlow's ops of the same names.
#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"

namespace headrace {
namespace {

// Slices stay slices.
Status ForwardGradients(GradientContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i) HR_RETURN_IF_ERROR(c.SetInputGradient(i, c.raw_output_gradient(i)));
  return OkStatus();
}

Status ForwardShapes(ShapeContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, c.input(i)));
  return OkStatus();
}

Status ForwardInputs(KernelContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) HR_RETURN_IF_ERROR(context.SetOutput(i, context.TakeInput(i)));
  return OkStatus();
}

Status RefuseGradient(GradientContext& c) {
  return InvalidArgument("Gradient explicitly disabled. Reason: ", c.attr<std::string>("message"));
}

Status EnsureShapeShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.input(0).MergeWith(c.attr<PartialShape>("shape")));
  return c.SetOutput(0, std::move(shape));
}

class EnsureShapeKernel final : public Kernel {
 public:
  explicit EnsureShapeKernel(KernelConstruction& construction) : shape_(construction.attr<PartialShape>("shape")) {}

  Status Compute(KernelContext& context) override {
    const Tensor& input = context.input(0);
    if (!shape_.IsCompatibleWith(input.shape())) {
      return InvalidArgument("Shape of tensor ", context.node().input(0).node->name(), " ", input.shape(),
                             " is not compatible with expected shape ", shape_, ".");
    }
    return context.SetOutput(0, context.TakeInput(0));
  }

 private:
  const PartialShape shape_;
};

Status DoNothing(KernelContext&) { return OkStatus(); }

std::vector<KernelDefinition> Forward() { return AnyType(FunctionKernel(ForwardInputs), /*cheap=*/true); }

}  // namespace

std::vector<OpDefinition> IdentityOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Identity(input: T) -> (output: T) | T: type")
                    .Shape(ForwardShapes)
                    .Gradient(ForwardGradients)
                    .Kernels(Forward()));
  ops.push_back(OpDefinition("IdentityN(input: list(T)) -> (output: list(T)) | T: list(type) >= 1")
                    .Shape(ForwardShapes)
                    .Gradient(ForwardGradients)
                    .Kernels(Forward()));
  ops.push_back(OpDefinition("StopGradient(input: T) -> (output: T) | T: type")
                    .Shape(ForwardShapes)
                    .NoGradient("its purpose")
                    .Kernels(Forward()));
  ops.push_back(OpDefinition("PreventGradient(input: T) -> (output: T) | T: type | message: string = ''")
                    .Shape(ForwardShapes)
                    .Gradient(RefuseGradient)
                    .Kernels(Forward()));
  ops.push_back(OpDefinition("EnsureShape(input: T) -> (output: T) | shape: shape | T: type")
                    .Shape(EnsureShapeShape)
                    .Gradient(ForwardGradients)
                    .Kernels(AnyType(ClassKernel<EnsureShapeKernel>(), /*cheap=*/true)));
  ops.push_back(OpDefinition("DisableCopyOnRead(resource: resource) -> () | stateful")
                    .Shape(NoOutputs)
                    .NoGradient("stateful")
                    .Kernels(AnyType(FunctionKernel(DoNothing), /*cheap=*/true)));
  return ops;
}

}  // namespace headrace
