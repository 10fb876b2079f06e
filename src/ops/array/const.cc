// Const: the tensor in its attribute. Placeholder: a value that must be fed. PlaceholderWithDefault: one that may be fed.
// Source: TensorFlow's ops of the same names.
#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"

namespace headrace {
namespace {

Status ConstShape(ShapeContext& c) {
  Tensor value;
  HR_RETURN_IF_ERROR(c.node().GetAttr("value", &value));
  return c.SetOutput(0, value.shape());
}

class ConstKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& construction) {
    Tensor value;
    DType dtype = DType::kInvalid;
    HR_RETURN_IF_ERROR(construction.GetAttr("value", &value));
    HR_RETURN_IF_ERROR(construction.GetAttr("dtype", &dtype));
    if (value.dtype() != dtype)
      return InvalidArgument("Const: the attribute dtype is ", dtype, ", the value is ", value);
    return std::unique_ptr<Kernel>(std::make_unique<ConstKernel>(std::move(value)));
  }
  explicit ConstKernel(Tensor value) : value_(std::move(value)) {}

  Status Compute(KernelContext& context) override { return context.SetOutput(0, value_); }

 private:
  const Tensor value_;
};

Status ShapeAttrShape(ShapeContext& c) { return c.SetOutput(0, c.attr<PartialShape>("shape")); }

// TensorFlow's C++ spelling, which its messages use: "float", "half".
std::string_view TypeWord(DType type) {
  switch (type) {
    case DType::kFloat:
      return "float";
    case DType::kDouble:
      return "double";
    case DType::kHalf:
      return "half";
    default:
      return DTypeName(type);
  }
}

// A placeholder that runs was not fed.
class PlaceholderKernel final : public Kernel {
 public:
  explicit PlaceholderKernel(KernelConstruction& construction) : shape_(construction.attr<PartialShape>("shape")) {}

  Status Compute(KernelContext& context) override {
    const std::string shape = shape_.has_rank() && shape_.rank() > 0 ? StrCat(" and shape ", shape_) : "";
    return InvalidArgument("You must feed a value for placeholder tensor '", context.node().name(), "' with dtype ",
                           TypeWord(context.node().output_types()[0]), shape);
  }

 private:
  const PartialShape shape_;
};

Status ForwardGradient(GradientContext& c) { return c.SetInputGradient(0, c.raw_output_gradient(0)); }

Status ForwardInput(KernelContext& context) { return context.SetOutput(0, context.TakeInput(0)); }

}  // namespace

std::vector<OpDefinition> ConstOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Const() -> (output: dtype) | value: tensor | dtype: type")
                    .Shape(ConstShape)
                    .NoGradient("has no inputs")
                    .Kernels(AnyType(ClassKernel<ConstKernel>(), /*cheap=*/true)));
  ops.push_back(OpDefinition("Placeholder() -> (output: dtype) | dtype: type | shape: shape = <unknown>")
                    .Shape(ShapeAttrShape)
                    .NoGradient("has no inputs")
                    .Kernels(AnyType(ClassKernel<PlaceholderKernel>(), /*cheap=*/true)));
  ops.push_back(OpDefinition("PlaceholderWithDefault(input: dtype) -> (output: dtype) | dtype: type | shape: shape")
                    .Shape(ShapeAttrShape)
                    .Gradient(ForwardGradient)
                    .Kernels(AnyType(FunctionKernel(ForwardInput), /*cheap=*/true)));
  return ops;
}

}  // namespace headrace
