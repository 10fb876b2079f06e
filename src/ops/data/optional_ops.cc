// Optionals: an element that may be missing, as a variant. OptionalFromValue, OptionalNone, OptionalHasValue, OptionalGetValue, and
// IteratorGetNextAsOptional, whose optional is empty at the iterator's end. TensorFlow's conds hand what a branch computed to the
// gradient with them.
#include "graph/gradient_context.h"
#include "ops/data/data_ops.h"
#include "ops/data/iterator_kernel.h"

namespace headrace {

namespace {

class Optional final : public VariantObject {
 public:
  Optional() = default;
  explicit Optional(Element element) : element_(std::move(element)) {}
  bool has_value() const { return !element_.empty(); }
  const Element& element() const { return element_; }
  std::string TypeName() const override { return "tensorflow::data::Optional"; }

 private:
  const Element element_;  // empty: none
};

Tensor OptionalTensor(Element element) {
  return Tensor::Scalar<Variant>(Variant(std::make_shared<const Optional>(std::move(element))));
}

Result<std::shared_ptr<const Optional>> OptionalInput(const KernelContext& c) {
  const Tensor& tensor = c.input(0);
  if (tensor.dtype() != DType::kVariant || tensor.rank() != 0) {
    return InvalidArgument("Input to ", c.node().op(), " must be a scalar tensor containing an OptionalVariant, got ",
                           tensor);
  }
  std::shared_ptr<const Optional> optional = tensor.scalar<Variant>().As<Optional>();
  if (optional == nullptr) {
    return InvalidArgument("Input to ", c.node().op(), " must be an OptionalVariant, the variant holds something else");
  }
  return optional;
}

Status FromValueCpu(KernelContext& c) { return c.SetOutput(0, OptionalTensor(InputsFrom(c, 0, c.num_inputs()))); }

Status NoneCpu(KernelContext& c) { return c.SetOutput(0, OptionalTensor({})); }

Status HasValueCpu(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(std::shared_ptr<const Optional> optional, OptionalInput(c));
  return c.SetOutput(0, Tensor::Scalar<bool>(optional->has_value()));
}

class GetValueCpu final : public Kernel {
 public:
  explicit GetValueCpu(KernelConstruction& c)
      : types_(c.attr<std::vector<DType>>("output_types")),
        shapes_(c.attr<std::vector<PartialShape>>("output_shapes")) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const Optional> optional, OptionalInput(c));
    if (!optional->has_value()) return InvalidArgument("The given optional does not have a value.");
    const Element& element = optional->element();
    if (element.size() != types_.size()) {
      return InvalidArgument("The given optional has ", element.size(), " components, expected ", types_.size(), ".");
    }
    for (size_t i = 0; i < element.size(); ++i) {
      if (element[i].dtype() != types_[i]) {
        return InvalidArgument("The given optional does not match the expected type for component ", i,
                               ". Expected: ", DTypeName(types_[i]), ". Actual: ", DTypeName(element[i].dtype()), ".");
      }
      if (i < shapes_.size() && !shapes_[i].IsCompatibleWith(element[i].shape())) {
        return InvalidArgument("The given optional does not match the expected shape for component ", i,
                               ". Expected: ", shapes_[i], ". Actual: ", element[i].shape(), ".");
      }
    }
    return SetElementOutputs(c, element, types_);
  }

 private:
  const std::vector<DType> types_;
  const std::vector<PartialShape> shapes_;
};

class GetNextAsOptionalCpu final : public AsyncKernel {
 public:
  void ComputeAsync(KernelContext& c, Done done) override { ComputeWithNext(c, 0, std::move(done), Give); }

 private:
  static Status Give(KernelContext& c, Element element, bool end) {
    if (end) element.clear();
    return c.SetOutput(0, OptionalTensor(std::move(element)));
  }
};

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

OpDefinition OptionalOp(std::string_view signature, ShapeFunction shape, KernelFactory kernel,
                        GradientFunction gradient = nullptr) {
  OpDefinition op = OpDefinition(signature).Shape(std::move(shape)).Kernels(AnyType(std::move(kernel)));
  if (gradient != nullptr) return std::move(op).Gradient(std::move(gradient));
  return std::move(op).NoGradient("not differentiable: about the optional, not its components");
}

}  // namespace

std::vector<OpDefinition> OptionalOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OptionalOp(
      "OptionalFromValue(components: list(Toutput_types)) -> (optional: variant) | Toutput_types: list(type) >= 1",
      ScalarShape, FunctionKernel(FromValueCpu), FromValueGradient));
  ops.push_back(OptionalOp("OptionalNone() -> (optional: variant)", ScalarShape, FunctionKernel(NoneCpu)));
  ops.push_back(
      OptionalOp("OptionalHasValue(optional: variant) -> (has_value: bool)", ScalarShape, FunctionKernel(HasValueCpu)));
  ops.push_back(
      OptionalOp(StrCat("OptionalGetValue(optional: variant) -> (components: list(output_types))", kDatasetSpec),
                 ElementShapes, ClassKernel<GetValueCpu>(), GetValueGradient));
  ops.push_back(OptionalOp(
      StrCat("IteratorGetNextAsOptional(iterator: resource) -> (optional: variant)", kDatasetSpec, " | stateful"),
      ScalarShape, ClassKernel<GetNextAsOptionalCpu>()));
  return ops;
}

}  // namespace headrace
