// Assert: fails with the data when the condition is false. CheckNumerics: passes its input on, and fails when that holds NaN or
// infinity. Source: TensorFlow's ops of the same names.
#include <cmath>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/tensor_text.h"

namespace headrace {
namespace {

class AssertKernel final : public Kernel {
 public:
  explicit AssertKernel(KernelConstruction& construction) : summarize_(construction.attr<int64_t>("summarize", 3)) {}

  Status Compute(KernelContext& context) override {
    const Tensor& condition = context.input(0);
    if (condition.num_elements() != 1) return InvalidArgument("In[0] should be a scalar: ", condition.shape());
    if (condition.scalar<bool>()) return OkStatus();
    std::string message = "assertion failed:";
    for (int i = 1; i < context.num_inputs(); ++i) {
      message += StrCat(" [", FirstValuesText(context.input(i), summarize_), "]");
    }
    return Status(Code::kInvalidArgument, std::move(message));
  }

 private:
  const int64_t summarize_;
};

Status CheckNumericsGradient(GradientContext& c) {
  const std::string message =
      StrCat("Not a number (NaN) or infinity (Inf) values detected in gradient. ", c.attr<std::string>("message"));
  return c.SetInputGradient(0, OutputGradientFormula(c).Apply("CheckNumerics", {}, {{"message", message}}));
}

template <typename T> class CheckNumericsKernel final : public Kernel {
 public:
  explicit CheckNumericsKernel(KernelConstruction& construction)
      : message_(construction.attr<std::string>("message")) {}

  Status Compute(KernelContext& context) override {
    bool has_nan = false, has_infinity = false;
    for (const T& element : context.input(0).data<T>()) {
      const auto value = static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(element);
      has_nan |= std::isnan(value);
      has_infinity |= std::isinf(value);
    }
    if (has_nan || has_infinity) {
      return InvalidArgument(message_, " : Tensor had ", has_infinity ? "Inf" : "",
                             has_nan && has_infinity ? " and " : "", has_nan ? "NaN" : "", " values");
    }
    return context.SetOutput(0, context.TakeInput(0));
  }

 private:
  const std::string message_;
};

}  // namespace

std::vector<OpDefinition> AssertOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("Assert(condition: bool, data: list(T)) -> () | T: list(type) >= 1 | summarize: int = 3 | stateful")
          .Shape(NoOutputs)
          .NoGradient("has no outputs")
          .Kernels(AnyType(ClassKernel<AssertKernel>(), /*cheap=*/true)));
  ops.push_back(
      OpDefinition(
          "CheckNumerics(tensor: T) -> (output: T) | T: type in {bf16,f16,f32,f64} | message: string | stateful")
          .Shape(UnchangedShape)
          .Gradient(CheckNumericsGradient)
          .Kernels(KernelsFor<float, double, Half, BFloat16>(
              "T", []<typename T>() { return ClassKernel<CheckNumericsKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
