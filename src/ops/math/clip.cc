// ClipByValue: t limited to [clip_value_min, clip_value_max]; the limits are scalars or have t's shape.
// Source: TensorFlow's op `ClipByValue`.
#include "graph/shape_context.h"
#include "ops/formula.h"
#include "ops/math/elementwise.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

// dy where t was inside; what fell below goes to the lower limit, what rose above to the upper one.
Status ClipGradient(GradientContext& c) {
  const Formula t = InputFormula(c, 0), low = InputFormula(c, 1), high = InputFormula(c, 2),
                dy = OutputGradientFormula(c);
  const Formula zero = dy.Number(0);
  const Formula below = t.Apply("Less", {low}), above = t.Apply("Greater", {high});
  const Formula outside = below.Apply("LogicalOr", {above});
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, SumToShapeOf(outside.Apply("SelectV2", {zero, dy}), t)));
  HR_RETURN_IF_ERROR(c.SetInputGradient(1, SumToShapeOf(below.Apply("SelectV2", {dy, zero}), low)));
  return c.SetInputGradient(2, SumToShapeOf(above.Apply("SelectV2", {dy, zero}), high));
}

template <typename T> class ClipKernel final : public Kernel {
 public:
  Status Compute(KernelContext& context) override {
    const Tensor& t = context.input(0);
    const Tensor& low = context.input(1);
    const Tensor& high = context.input(2);
    for (const Tensor* limit : {&low, &high}) {
      if (limit->num_elements() != 1 && limit->shape() != t.shape()) {
        return InvalidArgument(
            "clip_value_min and clip_value_max must be either of the same shape as input, or a scalar. input shape: ",
            t.shape(), " clip_value_min shape: ", low.shape(), " clip_value_max shape: ", high.shape());
      }
    }
    const T* x = t.data<T>().data();
    const T* lows = low.data<T>().data();
    const T* highs = high.data<T>().data();
    const int64_t low_step = low.shape() == t.shape(), high_step = high.shape() == t.shape();
    const int64_t count = t.num_elements();
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOrReuse(0, {0}, t.shape()));
    T* y = output->mutable_data<T>().data();
    ForRange(context, count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = Clip(x[i], lows[i * low_step], highs[i * high_step]);
    });
    return OkStatus();
  }

 private:
  static T Clip(T x, T low, T high) {
    using C = ComputeType<T>;
    const C limited = static_cast<C>(x) < static_cast<C>(low) ? static_cast<C>(low) : static_cast<C>(x);
    return static_cast<C>(high) < limited ? high : static_cast<T>(limited);
  }
};

}  // namespace

std::vector<OpDefinition> ClipOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "ClipByValue(t: T, clip_value_min: T, clip_value_max: T) -> (output: T) | T: type in {f32,f64,i32,u8,i16,i8,"
          "c64,i64,qi8,qu8,qi32,bf16,qi16,qu16,u16,c128,f16,u32,u64}")
          .Shape(UnchangedShape)
          .Gradient(ClipGradient)
          .Kernels(KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                              uint32_t, uint64_t>("T", []<typename T>() { return ClassKernel<ClipKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
