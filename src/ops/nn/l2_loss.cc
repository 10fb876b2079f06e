// L2Loss: half the sum of the squares of all elements, a scalar. Float types, any shape.
#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/nn/nn_ops.h"
#include "ops/signature_types.h"

namespace headrace {

namespace {

// dx = x * dy
Status L2LossGradient(GradientContext& c) {
  return c.SetInputGradient(0, c.Op("Mul", {c.input(0), c.output_gradient(0)}));
}

// Blocks are summed in 16 lanes of floats, and the blocks in double: fast, and exact enough for any number of elements.
template <typename T> double SumOfSquares(const T* x, int64_t count) {
  using A = std::conditional_t<std::is_same_v<T, double>, double, float>;
  constexpr int64_t kBlock = 4096;
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(count, begin + kBlock);
    A lanes[16] = {};
    int64_t i = begin;
    for (; i + 16 <= end; i += 16) {
      for (int64_t k = 0; k < 16; ++k) lanes[k] += static_cast<A>(x[i + k]) * static_cast<A>(x[i + k]);
    }
    for (; i < end; ++i) lanes[i % 16] += static_cast<A>(x[i]) * static_cast<A>(x[i]);
    for (A lane : lanes) total += static_cast<double>(lane);
  }
  return total;
}

template <typename T> Status L2LossCpu(KernelContext& c) {
  const double sum = SumOfSquares(c.input(0).data<T>().data(), c.input(0).num_elements());
  return c.SetOutput(0, Tensor::Scalar<T>(static_cast<T>(sum / 2)));
}

}  // namespace

OpDefinition L2Loss() {
  return OpDefinition(StrCat("L2Loss(t: T) -> (output: T) | T: type in ", kFloatTypes))
      .Shape(ScalarShape)
      .Gradient(L2LossGradient)
      .Kernels(
          KernelsFor<float, double, Half, BFloat16>("T", []<typename T>() { return FunctionKernel(L2LossCpu<T>); }));
}

}  // namespace headrace
