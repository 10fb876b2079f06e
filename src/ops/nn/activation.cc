// Activations, element by element: Relu, Relu6, LeakyRelu, Elu, Selu, Softplus, Softsign, and the ops of their gradients,
// dx = XGrad(dy, x or y). Formulas are in activations.h. Errors: kInvalidArgument when a gradient op's inputs differ in shape.
#include "ops/nn/activations.h"

#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/nn/nn_ops.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

// Calls f(i) for i in [0, count): in groups of a fixed size first, which the compiler makes vectors of, as f writes nothing
// but its own element.
template <typename Function> void ForElements(int64_t count, Function f) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
#pragma GCC ivdep
    for (int64_t k = 0; k < 16; ++k) f(i + k);
  }
  for (; i < count; ++i) f(i);
}

template <typename Formula, typename T> class Activation final : public Kernel {
 public:
  explicit Activation(KernelConstruction& c) : alpha_(c.attr<float>("alpha", 0)), cost_ns_(IsCheap() ? 0.3 : 8) {}

  Status Compute(KernelContext& c) override {
    const T* x = c.input(0).data<T>().data();
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOrReuse(0, {0}, c.input(0).shape()));
    T* y = out->mutable_data<T>().data();
    c.ParallelFor(out->num_elements(), cost_ns_, [x, y, alpha = alpha_](int64_t begin, int64_t end) {
      ForElements(end - begin, [x = x + begin, y = y + begin, alpha](int64_t i) {
        y[i] = static_cast<T>(Formula::Forward(static_cast<ActivationType<T>>(x[i]), alpha));
      });
    });
    return OkStatus();
  }

 private:
  static constexpr bool IsCheap() {
    return std::is_same_v<Formula, ReluFormula> || std::is_same_v<Formula, Relu6Formula> ||
           std::is_same_v<Formula, LeakyReluFormula>;
  }
  const float alpha_;
  const double cost_ns_;
};

template <typename Formula, typename T> class ActivationGrad final : public Kernel {
 public:
  explicit ActivationGrad(KernelConstruction& c) : alpha_(c.attr<float>("alpha", 0)) {}

  Status Compute(KernelContext& c) override {
    if (c.input(0).shape() != c.input(1).shape()) {
      return InvalidArgument("Inputs to operation ", c.node().name(), " of type ", c.node().op(),
                             " must have the same size and shape.  Input 0: ", c.input(0).shape(),
                             " != input 1: ", c.input(1).shape());
    }
    const T* dy = c.input(0).data<T>().data();
    const T* z = c.input(1).data<T>().data();
    HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOrReuse(0, {0, 1}, c.input(0).shape()));
    T* dx = out->mutable_data<T>().data();
    c.ParallelFor(out->num_elements(), 0.5, [dy, z, dx, alpha = alpha_](int64_t begin, int64_t end) {
      ForElements(end - begin, [dy = dy + begin, z = z + begin, dx = dx + begin, alpha](int64_t i) {
        using A = ActivationType<T>;
        dx[i] = static_cast<T>(Formula::Backward(static_cast<A>(dy[i]), static_cast<A>(z[i]), alpha));
      });
    });
    return OkStatus();
  }

 private:
  const float alpha_;
};

Status SameShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.input(0).MergeWith(c.input(1)));
  return c.SetOutput(0, std::move(shape));
}

Endpoint GradOp(GradientContext& c, const char* op, Endpoint dy, Endpoint z) {
  AttrMap attrs;
  if (const auto alpha = c.node().attrs().find("alpha"); alpha != c.node().attrs().end())
    attrs["alpha"] = alpha->second;
  return c.Op(op, {dy, z}, std::move(attrs));
}

// Of an activation: its XGrad from its output, or from its input.
template <const char* kOp> Status FromOutput(GradientContext& c) {
  return c.SetInputGradient(0, GradOp(c, kOp, c.output_gradient(0), c.output(0)));
}
template <const char* kOp> Status FromInput(GradientContext& c) {
  return c.SetInputGradient(0, GradOp(c, kOp, c.output_gradient(0), c.input(0)));
}

// Of a piecewise linear XGrad(dy, z): linear in dy, constant in z.
template <const char* kOp> Status Linear(GradientContext& c) {
  return c.SetInputGradient(0, GradOp(c, kOp, c.output_gradient(0), c.input(1)));
}

// Of EluGrad and SeluGrad: below zero they are dy * (y + constant).
template <const char* kOp> Status ExponentialGrad(GradientContext& c) {
  const Endpoint dy = c.input(0), y = c.input(1), gradient = c.output_gradient(0);
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, c.Op(kOp, {gradient, y})));
  const Endpoint below = c.Op("Less", {y, c.Scalar(0)});
  const Endpoint product = c.Op("Mul", {gradient, dy});
  return c.SetInputGradient(1, c.Op("Select", {below, product, c.Op("ZerosLike", {product})}));
}

// d/dx of dy * sigmoid(x) is dy / (exp(-x) + 2 + exp(x)).
Status SoftplusGradGradient(GradientContext& c) {
  const Endpoint dy = c.input(0), x = c.input(1), gradient = c.output_gradient(0);
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, c.Op("SoftplusGrad", {gradient, x})));
  const Endpoint sum = c.Op("AddV2", {c.Op("Exp", {c.Op("Neg", {x})}), c.Op("AddV2", {c.Op("Exp", {x}), c.Scalar(2)})});
  return c.SetInputGradient(1, c.Op("RealDiv", {c.Op("Mul", {gradient, dy}), sum}));
}

template <template <typename, typename> typename K, typename Formula, typename... Ts>
std::vector<KernelDefinition> Kernels() {
  return KernelsFor<Ts...>("T", []<typename T>() { return ClassKernel<K<Formula, T>>(); });
}

template <template <typename, typename> typename K, typename Formula> std::vector<KernelDefinition> FloatKernels() {
  return Kernels<K, Formula, float, double, Half, BFloat16>();
}

template <template <typename, typename> typename K, typename Formula> std::vector<KernelDefinition> RealKernels() {
  return Kernels<K, Formula, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                 uint32_t, uint64_t>();
}

constexpr char kReluGrad[] = "ReluGrad", kRelu6Grad[] = "Relu6Grad", kLeakyReluGrad[] = "LeakyReluGrad",
               kEluGrad[] = "EluGrad", kSeluGrad[] = "SeluGrad", kSoftplusGrad[] = "SoftplusGrad",
               kSoftsignGrad[] = "SoftsignGrad";

OpDefinition Forward(std::string_view name, std::string_view attrs, GradientFunction gradient,
                     std::vector<KernelDefinition> kernels) {
  return OpDefinition(StrCat(name, "(features: T) -> (activations: T) | ", attrs))
      .Shape(UnchangedShape)
      .Gradient(std::move(gradient))
      .Kernels(std::move(kernels));
}

OpDefinition Backward(std::string_view name, std::string_view second, std::string_view attrs,
                      std::vector<KernelDefinition> kernels) {
  return OpDefinition(StrCat(name, "(gradients: T, ", second, ": T) -> (backprops: T) | ", attrs))
      .Shape(SameShape)
      .Kernels(std::move(kernels));
}

}  // namespace

std::vector<OpDefinition> ActivationOps() {
  const std::string real = StrCat("T: type in ", kRealTypes), floats = StrCat("T: type in ", kFloatTypes);
  const std::string leaky = StrCat("alpha: float = 0.20000000298023224 | T: type = f32 in ", kFloatTypes);
  const std::string relu = "T: type in {f32,f64,i32,u8,i16,i8,i64,bf16,u16,f16,u32,u64,qi8}";
  std::vector<OpDefinition> ops;
  ops.push_back(Forward("Relu", relu, FromOutput<kReluGrad>, RealKernels<Activation, ReluFormula>()));
  ops.push_back(Forward("Relu6", real, FromOutput<kRelu6Grad>, RealKernels<Activation, Relu6Formula>()));
  ops.push_back(Forward("LeakyRelu", leaky, FromInput<kLeakyReluGrad>, FloatKernels<Activation, LeakyReluFormula>()));
  ops.push_back(Forward("Elu", floats, FromOutput<kEluGrad>, FloatKernels<Activation, EluFormula>()));
  ops.push_back(Forward("Selu", floats, FromOutput<kSeluGrad>, FloatKernels<Activation, SeluFormula>()));
  ops.push_back(Forward("Softplus", floats, FromInput<kSoftplusGrad>, FloatKernels<Activation, SoftplusFormula>()));
  ops.push_back(Forward("Softsign", floats, FromInput<kSoftsignGrad>, FloatKernels<Activation, SoftsignFormula>()));
  return ops;
}

std::vector<OpDefinition> ActivationGradOps() {
  const std::string real = StrCat("T: type in ", kRealTypes), floats = StrCat("T: type in ", kFloatTypes);
  const std::string leaky = StrCat("alpha: float = 0.20000000298023224 | T: type = f32 in ", kFloatTypes);
  std::vector<OpDefinition> ops;
  ops.push_back(
      Backward("ReluGrad", "features", real, RealKernels<ActivationGrad, ReluFormula>()).Gradient(Linear<kReluGrad>));
  ops.push_back(Backward("Relu6Grad", "features", real, RealKernels<ActivationGrad, Relu6Formula>())
                    .Gradient(Linear<kRelu6Grad>));
  ops.push_back(Backward("LeakyReluGrad", "features", leaky, FloatKernels<ActivationGrad, LeakyReluFormula>())
                    .Gradient(Linear<kLeakyReluGrad>));
  ops.push_back(Backward("EluGrad", "outputs", floats, FloatKernels<ActivationGrad, EluFormula>())
                    .Gradient(ExponentialGrad<kEluGrad>));
  ops.push_back(Backward("SeluGrad", "outputs", floats, FloatKernels<ActivationGrad, SeluFormula>())
                    .Gradient(ExponentialGrad<kSeluGrad>));
  ops.push_back(Backward("SoftplusGrad", "features", floats, FloatKernels<ActivationGrad, SoftplusFormula>())
                    .Gradient(SoftplusGradGradient));
  ops.push_back(Backward("SoftsignGrad", "features", floats, FloatKernels<ActivationGrad, SoftsignFormula>())
                    .NoGradient("TensorFlow defines none"));
  return ops;
}

}  // namespace headrace
