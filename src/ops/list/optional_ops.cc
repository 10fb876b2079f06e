// OptionalFromValue, OptionalNone make a value that may be there; OptionalHasValue, OptionalGetValue read it. TensorFlow's conds hand
// what a branch computed to the gradient with them. Source: TensorFlow's ops of the same names.
#include "ops/list/list_ops.h"
#include "ops/list/tensor_list.h"

namespace headrace {
namespace {

class Optional final : public VariantObject {
 public:
  Optional() = default;
  explicit Optional(std::vector<Tensor> components) : has_value_(true), components_(std::move(components)) {}
  std::string TypeName() const override { return "tensorflow::data::Optional"; }
  bool has_value() const { return has_value_; }
  const std::vector<Tensor>& components() const { return components_; }

 private:
  const bool has_value_ = false;
  const std::vector<Tensor> components_;
};

Status FromValue(KernelContext& context) {
  std::vector<Tensor> components;
  for (int i = 0; i < context.num_inputs(); ++i) components.push_back(context.TakeInput(i));
  return context.SetOutput(0, Tensor::Scalar(Variant(std::make_shared<const Optional>(std::move(components)))));
}

Status None(KernelContext& context) {
  return context.SetOutput(0, Tensor::Scalar(Variant(std::make_shared<const Optional>())));
}

Result<std::shared_ptr<const Optional>> OptionalInput(const KernelContext& context) {
  const Tensor& input = context.input(0);
  std::shared_ptr<const Optional> optional;
  if (input.num_elements() == 1) optional = input.data<Variant>()[0].As<Optional>();
  if (optional != nullptr) return optional;
  return InvalidArgument("Input to ", context.node().op(), " must be an object encapsulating a tensor, it is ", input);
}

Status HasValue(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<const Optional> optional, OptionalInput(context));
  return context.SetOutput(0, Tensor::Scalar(optional->has_value()));
}

Status GetValue(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<const Optional> optional, OptionalInput(context));
  if (!optional->has_value()) return InvalidArgument("The given optional does not have a value.");
  const std::vector<Tensor>& components = optional->components();
  if (std::ssize(components) != context.num_outputs()) {
    return InvalidArgument("The given optional has ", components.size(), " components, expected ",
                           context.num_outputs(), ".");
  }
  for (size_t i = 0; i < components.size(); ++i) {
    HR_RETURN_IF_ERROR(context.SetOutput(static_cast<int>(i), components[i]));
  }
  return OkStatus();
}

Status GetValueShape(ShapeContext& c) {
  const auto shapes = c.attr<std::vector<PartialShape>>("output_shapes");
  for (int i = 0; i < c.num_outputs() && i < std::ssize(shapes); ++i) {
    HR_RETURN_IF_ERROR(c.SetOutput(i, shapes[static_cast<size_t>(i)]));
  }
  return OkStatus();
}

OpDefinition OptionalOp(std::string_view signature, ShapeFunction shape, KernelFunction kernel,
                        GradientFunction gradient = nullptr) {
  OpDefinition op = OpDefinition(signature).Shape(std::move(shape)).Kernels(AnyType(FunctionKernel(kernel), true));
  if (gradient != nullptr) return std::move(op).Gradient(std::move(gradient));
  return std::move(op).NoGradient("not differentiable: about the optional, not its components");
}

// The gradient of an optional is an optional of the components' gradients.
Status FromValueGradient(GradientContext& c) {
  if (!c.has_output_gradient(0)) return OkStatus();
  std::vector<PartialShape> shapes;
  for (int i = 0; i < c.num_inputs(); ++i) shapes.push_back(c.input(i).shape());
  Node* components = c.builder().AddNode(
      "OptionalGetValue", {c.output_gradient(0)},
      {{"output_types", c.attr<std::vector<DType>>("Toutput_types")}, {"output_shapes", std::move(shapes)}});
  for (int i = 0; components != nullptr && i < c.num_inputs(); ++i) {
    HR_RETURN_IF_ERROR(c.SetInputGradient(i, Endpoint{components, i}));
  }
  return c.builder().status();
}

Status GetValueGradient(GradientContext& c) {
  std::vector<Endpoint> gradients;
  for (int i = 0; i < c.node().num_outputs(); ++i) gradients.push_back(c.output_gradient(i));
  return c.SetInputGradient(0, c.Op("OptionalFromValue", std::move(gradients)));
}

}  // namespace

std::vector<OpDefinition> OptionalOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OptionalOp(
      "OptionalFromValue(components: list(Toutput_types)) -> (optional: variant) | Toutput_types: list(type) >= 1",
      ScalarShape, FromValue, FromValueGradient));
  ops.push_back(OptionalOp("OptionalNone() -> (optional: variant)", ScalarShape, None));
  ops.push_back(OptionalOp("OptionalHasValue(optional: variant) -> (has_value: bool)", ScalarShape, HasValue));
  ops.push_back(
      OptionalOp("OptionalGetValue(optional: variant) -> (components: list(output_types)) | "
                 "output_types: list(type) >= 1 | output_shapes: list(shape) >= 1",
                 GetValueShape, GetValue, GetValueGradient));
  return ops;
}

}  // namespace headrace
