// z = f(x, y) with broadcasting: sums, products, extrema. A row for each op: signature, kernels, derivatives.
// Integers wrap on overflow; a NaN operand wins in Maximum and Minimum. Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/binary.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

struct SubFunctor {
  template <typename T> T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<Wrapping<T>>(x) - static_cast<Wrapping<T>>(y));
    else
      return x - y;
  }
};
struct MulNoNanFunctor {  // 0 where y is 0, whatever x is
  template <typename T> T operator()(T x, T y) const { return y == T(0) ? T(0) : x * y; }
};
struct MaximumFunctor {
  template <typename T> T operator()(T x, T y) const { return y != y ? y : x < y ? y : x; }
};
struct MinimumFunctor {
  template <typename T> T operator()(T x, T y) const { return y != y ? y : y < x ? y : x; }
};
struct SquaredDifferenceFunctor {
  template <typename T> T operator()(T x, T y) const {
    const T difference = SubFunctor()(x, y);
    if constexpr (kIsComplex<T>)
      return std::conj(difference) * difference;
    else
      return MulFunctor()(difference, difference);
  }
};

void ConcatenateRun(const void* x_data, const void* y_data, void* z_data, int64_t count, int64_t x_step,
                    int64_t y_step) {
  const std::string* x = static_cast<const std::string*>(x_data);
  const std::string* y = static_cast<const std::string*>(y_data);
  std::string* z = static_cast<std::string*>(z_data);
  for (int64_t i = 0; i < count; ++i) z[i] = StrCat(x[i * x_step], y[i * y_step]);
}

// The gradient of Maximum and Minimum goes where the operand was chosen: `x_chosen` compares x and y.
Status ExtremumGradient(GradientContext& c, std::string_view x_chosen) {
  const Formula x = InputFormula(c, 0), y = InputFormula(c, 1), dz = OutputGradientFormula(c);
  const Formula chosen = x.Apply(x_chosen, {y});
  const Formula zero = dz.Number(0);
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, SumToShapeOf(chosen.Apply("SelectV2", {dz, zero}), x)));
  return c.SetInputGradient(1, SumToShapeOf(chosen.Apply("SelectV2", {zero, dz}), y));
}
Status MaximumGradient(GradientContext& c) { return ExtremumGradient(c, "GreaterEqual"); }
Status MinimumGradient(GradientContext& c) { return ExtremumGradient(c, "LessEqual"); }

template <typename F> std::vector<KernelDefinition> Numbers(BinaryLoop float_loop) {
  std::vector<KernelDefinition> kernels = BinaryKernels<F>(FloatTypes(), 0.3, float_loop);
  kernels = Join(std::move(kernels), BinaryKernels<F>(SignedTypes(), 0.5));
  kernels = Join(std::move(kernels), BinaryKernels<F>(UnsignedTypes(), 0.5));
  return Join(std::move(kernels), BinaryKernels<F>(ComplexTypes(), 2));
}
template <typename F> std::vector<KernelDefinition> RealNumbers(BinaryLoop float_loop) {
  std::vector<KernelDefinition> kernels = BinaryKernels<F>(FloatTypes(), 0.3, float_loop);
  return Join(Join(std::move(kernels), BinaryKernels<F>(SignedTypes(), 0.5)), BinaryKernels<F>(UnsignedTypes(), 0.5));
}

// Add is older than the wider unsigned types, and joins strings.
std::vector<KernelDefinition> AddKernels(BinaryLoop float_loop) {
  std::vector<KernelDefinition> kernels = BinaryKernels<AddFunctor>(FloatTypes(), 0.3, float_loop);
  kernels = Join(std::move(kernels), BinaryKernels<AddFunctor>(SignedTypes(), 0.5));
  kernels = Join(std::move(kernels), BinaryKernels<AddFunctor>(Types<uint8_t>(), 0.5));
  kernels = Join(std::move(kernels), BinaryKernels<AddFunctor>(ComplexTypes(), 2));
  kernels.push_back(BinaryKernel(DType::kString, ConcatenateRun, nullptr, 50));
  return kernels;
}

std::vector<OpDefinition> SumsAndProducts() {
  const FloatLoops& loops = GetFloatLoops();
  std::vector<OpDefinition> ops;
  ops.push_back(BinaryOp("Add(x: T, y: T) -> (z: T) | T: type in {bf16,f16,f32,f64,u8,i8,i16,i32,i64,c64,c128,str}",
                         AddKernels(loops.add), HR_PARTIAL(dz), HR_PARTIAL(dz)));
  ops.push_back(
      BinaryOp("AddV2(x: T, y: T) -> (z: T) | T: type in {bf16,f16,f32,f64,u8,u16,u32,u64,i8,i16,i32,i64,c64,c128} "
               "| commutative | aggregate",
               Numbers<AddFunctor>(loops.add), HR_PARTIAL(dz), HR_PARTIAL(dz)));
  ops.push_back(
      BinaryOp("Sub(x: T, y: T) -> (z: T) | T: type in {bf16,f16,f32,f64,u8,i8,u16,i16,i32,i64,c64,c128,u32,u64}",
               Numbers<SubFunctor>(loops.sub), HR_PARTIAL(dz), HR_PARTIAL(-dz)));
  ops.push_back(
      BinaryOp("Mul(x: T, y: T) -> (z: T) | T: type in {bf16,f16,f32,f64,u8,i8,u16,i16,i32,u32,u64,i64,c64,c128} "
               "| commutative",
               Numbers<MulFunctor>(loops.mul), HR_PARTIAL(dz * Conj(y)), HR_PARTIAL(dz * Conj(x))));
  ops.push_back(
      BinaryOp("MulNoNan(x: T, y: T) -> (z: T) | T: type in {bf16,f16,f32,f64,c64,c128}",
               Join(BinaryKernels<MulNoNanFunctor>(FloatTypes()), BinaryKernels<MulNoNanFunctor>(ComplexTypes(), 2)),
               HR_PARTIAL(dz.Apply("MulNoNan", {y})), HR_PARTIAL(x.Apply("MulNoNan", {dz}))));
  return ops;
}

std::vector<OpDefinition> Differences() {
  const FloatLoops& loops = GetFloatLoops();
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("Maximum(x: T, y: T) -> (z: T) | T: type in {bf16,f16,f32,f64,i8,u8,i16,u16,i32,u32,i64,u64}")
          .Shape(BroadcastBinaryShape)
          .Gradient(MaximumGradient)
          .Kernels(RealNumbers<MaximumFunctor>(loops.maximum)));
  ops.push_back(
      OpDefinition("Minimum(x: T, y: T) -> (z: T) | T: type in {bf16,f16,f32,f64,i8,u8,i16,u16,i32,u32,i64,u64}")
          .Shape(BroadcastBinaryShape)
          .Gradient(MinimumGradient)
          .Kernels(RealNumbers<MinimumFunctor>(loops.minimum)));
  std::vector<KernelDefinition> squared =
      BinaryKernels<SquaredDifferenceFunctor>(FloatTypes(), 0.3, loops.squared_difference);
  squared = Join(std::move(squared), BinaryKernels<SquaredDifferenceFunctor>(Types<int32_t, int64_t>()));
  ops.push_back(
      BinaryOp("SquaredDifference(x: T, y: T) -> (z: T) | T: type in {bf16,f16,f32,f64,i32,i64,c64,c128} | commutative",
               Join(std::move(squared), BinaryKernels<SquaredDifferenceFunctor>(ComplexTypes(), 3)),
               HR_PARTIAL(2.0 * (dz * (x - y))), HR_PARTIAL(-2.0 * (dz * (x - y)))));
  return ops;
}

}  // namespace

std::vector<OpDefinition> ArithmeticOps() {
  std::vector<OpDefinition> ops = SumsAndProducts();
  for (OpDefinition& op : Differences()) ops.push_back(std::move(op));
  return ops;
}

}  // namespace headrace
