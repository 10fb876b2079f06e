// Complex numbers taken apart and put together: Conj, Real, Imag, Complex, ComplexAbs, Angle.
// Source: TensorFlow's ops of the same names.
#include <cmath>

#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

struct ConjFunctor {
  template <typename T> T operator()(T x) const { return std::conj(x); }
};
struct RealFunctor {
  template <typename T> auto operator()(T x) const { return x.real(); }
};
struct ImagFunctor {
  template <typename T> auto operator()(T x) const { return x.imag(); }
};
struct AbsFunctor {
  template <typename T> auto operator()(T x) const { return std::abs(x); }
};
struct AngleFunctor {
  template <typename T> auto operator()(T x) const { return std::arg(x); }
};

template <typename T>
void ComplexRun(const void* real_data, const void* imag_data, void* out_data, int64_t count, int64_t real_step,
                int64_t imag_step) {
  const T* real = static_cast<const T*>(real_data);
  const T* imag = static_cast<const T*>(imag_data);
  std::complex<T>* out = static_cast<std::complex<T>*>(out_data);
  for (int64_t i = 0; i < count; ++i) out[i] = {real[i * real_step], imag[i * imag_step]};
}

// The attribute that makes a value's parts: Tout of Real is f32 where T is c64.
Formula WithParts(const Formula& real, const Formula& imag) {
  const bool wide = real.endpoint() && real.endpoint().dtype() == DType::kDouble;
  return real.Apply("Complex", {imag}, {{"Tout", wide ? DType::kComplex128 : DType::kComplex64}});
}
AttrMap PartType(const Formula& value) {
  const bool wide = value.endpoint() && value.endpoint().dtype() == DType::kComplex128;
  return {{"Tout", wide ? DType::kDouble : DType::kFloat}};
}
Formula Part(const Formula& value, std::string_view op) { return value.Apply(op, {}, PartType(value)); }

Status ConjGradient(GradientContext& c) { return c.SetInputGradient(0, OutputGradientFormula(c).Apply("Conj")); }
Status RealGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c);
  return c.SetInputGradient(0, WithParts(dy, ZerosLike(dy)));
}
Status ImagGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c);
  return c.SetInputGradient(0, WithParts(ZerosLike(dy), dy));
}
// dx = dy * x / |x|
Status ComplexAbsGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c);
  return c.SetInputGradient(0, WithParts(dy, ZerosLike(dy)) * InputFormula(c, 0).Apply("Sign"));
}
Status ComplexGradient(GradientContext& c) {
  const Formula dz = OutputGradientFormula(c);
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, SumToShapeOf(Part(dz, "Real"), c.input(0))));
  return c.SetInputGradient(1, SumToShapeOf(Part(dz, "Imag"), c.input(1)));
}

// The kernel must not read types that its node does not promise: Tout is fixed by T.
KernelDefinition For(KernelDefinition kernel, DType out) {
  kernel.types["Tout"] = {out};
  return kernel;
}

template <typename F> std::vector<KernelDefinition> PartKernels() {
  return {For(UnaryKernel(DType::kComplex64, UnaryRun<F, std::complex<float>>, 1), DType::kFloat),
          For(UnaryKernel(DType::kComplex128, UnaryRun<F, std::complex<double>>, 1), DType::kDouble)};
}

OpDefinition PartOp(const std::string& head, std::vector<KernelDefinition> kernels) {
  return OpDefinition(StrCat(head, " | T: type = c64 in {c64,c128} | Tout: type = f32 in {f32,f64}"))
      .Shape(UnchangedShape)
      .Kernels(std::move(kernels));
}

}  // namespace

std::vector<OpDefinition> ComplexOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Conj(input: T) -> (output: T) | T: type = c64 in {c64,c128,variant}")
                    .Shape(UnchangedShape)
                    .Gradient(ConjGradient)
                    .Kernels(UnaryKernels<ConjFunctor>(ComplexTypes())));
  ops.push_back(PartOp("Real(input: T) -> (output: Tout)", PartKernels<RealFunctor>()).Gradient(RealGradient));
  ops.push_back(PartOp("Imag(input: T) -> (output: Tout)", PartKernels<ImagFunctor>()).Gradient(ImagGradient));
  ops.push_back(PartOp("ComplexAbs(x: T) -> (y: Tout)", PartKernels<AbsFunctor>()).Gradient(ComplexAbsGradient));
  ops.push_back(
      PartOp("Angle(input: T) -> (output: Tout)", PartKernels<AngleFunctor>()).NoGradient("not implemented yet"));
  ops.push_back(OpDefinition("Complex(real: T, imag: T) -> (out: Tout) | T: type = f32 in {f32,f64} | "
                             "Tout: type = c64 in {c64,c128}")
                    .Shape(BroadcastBinaryShape)
                    .Gradient(ComplexGradient)
                    .Kernels({For(BinaryKernel(DType::kFloat, ComplexRun<float>, nullptr, 1), DType::kComplex64),
                              For(BinaryKernel(DType::kDouble, ComplexRun<double>, nullptr, 1), DType::kComplex128)}));
  return ops;
}

}  // namespace headrace
