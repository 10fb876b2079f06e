// Softmax: y[i,j] = exp(x[i,j]) / sum_k exp(x[i,k]), along the last dimension. LogSoftmax: its logarithm.
// Float types, rank >= 1. Errors: kInvalidArgument for a scalar.
#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/nn/nn_ops.h"
#include "ops/nn/softmax_rows.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

Status SoftmaxShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 1));
  return c.SetOutput(0, c.input(0));
}

Endpoint RowSum(const GradientContext& c, Endpoint x) {
  return c.Op("Sum", {x, c.builder().Const(Tensor::Vector<int32_t>({-1}))}, {{"keep_dims", true}});
}

// dx = (dy - sum(dy * y)) * y
Status SoftmaxGradient(GradientContext& c) {
  const Endpoint y = c.output(0), dy = c.output_gradient(0);
  const Endpoint inner = c.Op("Sub", {dy, RowSum(c, c.Op("Mul", {dy, y}))});
  return c.SetInputGradient(0, c.Op("Mul", {inner, y}));
}

// dx = dy - sum(dy) * exp(y)
Status LogSoftmaxGradient(GradientContext& c) {
  const Endpoint dy = c.output_gradient(0);
  const Endpoint scaled = c.Op("Mul", {RowSum(c, dy), c.Op("Exp", {c.output(0)})});
  return c.SetInputGradient(0, c.Op("Sub", {dy, scaled}));
}

template <typename T, bool kLog> void TransformRow(const T* x, T* y, int64_t count, std::vector<RowType<T>>& wide) {
  if constexpr (std::is_same_v<T, RowType<T>>) {
    if constexpr (kLog) {
      LogSoftmaxRow(x, y, count);
    } else {
      SoftmaxRow(x, y, count);
    }
  } else {
    wide.assign(x, x + count);
    TransformRow<RowType<T>, kLog>(wide.data(), wide.data(), count, wide);
    for (int64_t i = 0; i < count; ++i) y[i] = static_cast<T>(wide[static_cast<size_t>(i)]);
  }
}

template <typename T, bool kLog> Status SoftmaxCpu(KernelContext& c) {
  const Tensor& logits = c.input(0);
  if (logits.rank() < 1) return InvalidArgument("logits must have >= 1 dimension, got ", logits.shape());
  const int64_t columns = logits.dim(logits.rank() - 1);
  const T* x = logits.data<T>().data();
  HR_ASSIGN_OR_RETURN(Tensor * out, c.AllocateOrReuse(0, {0}, logits.shape()));
  if (out->num_elements() == 0) return OkStatus();
  T* y = out->mutable_data<T>().data();
  c.ParallelFor(out->num_elements() / columns, 3.0 * static_cast<double>(columns),
                [x, y, columns](int64_t begin, int64_t end) {
                  std::vector<RowType<T>> wide;
                  for (int64_t row = begin; row < end; ++row)
                    TransformRow<T, kLog>(x + row * columns, y + row * columns, columns, wide);
                });
  return OkStatus();
}

template <bool kLog> std::vector<KernelDefinition> SoftmaxKernels() {
  return KernelsFor<float, double, Half, BFloat16>("T",
                                                   []<typename T>() { return FunctionKernel(SoftmaxCpu<T, kLog>); });
}

}  // namespace

OpDefinition Softmax() {
  return OpDefinition(StrCat("Softmax(logits: T) -> (softmax: T) | T: type in ", kFloatTypes))
      .Shape(SoftmaxShape)
      .Gradient(SoftmaxGradient)
      .Kernels(SoftmaxKernels<false>());
}

OpDefinition LogSoftmax() {
  return OpDefinition(StrCat("LogSoftmax(logits: T) -> (logsoftmax: T) | T: type in ", kFloatTypes))
      .Shape(SoftmaxShape)
      .Gradient(LogSoftmaxGradient)
      .Kernels(SoftmaxKernels<true>());
}

}  // namespace headrace
