// Cholesky: the lower triangular L with L L* = the input, of which the lower triangle is read. Errors: kInvalidArgument for matrices
// that are not square or not positive definite. Source: TensorFlow's op of the same name.
#include "ops/linalg/factor.h"
#include "ops/linalg/linalg_ops.h"
#include "ops/linalg/matrix_stack.h"

namespace headrace {
namespace {

template <typename T> Status CholeskyKernel(KernelContext& c) {
  const Tensor& input = c.input(0);
  HR_ASSIGN_OR_RETURN(const SquareStack stack, SquareStack::Of(input.shape()));
  HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, input.shape()));
  const T* from = input.data<T>().data();
  T* to = output->mutable_data<T>().data();
  const int64_t size = stack.n * stack.n;
  const bool definite = ForMatrices(c, stack.count, stack.factor_ns(), [&](int64_t i) {
    std::copy_n(from + i * size, size, to + i * size);
    return FactorCholesky(to + i * size, stack.n);
  });
  return definite ? OkStatus()
                  : InvalidArgument("Cholesky decomposition was not successful. The input might not be valid.");
}

// da = (s + s*) / 2 where s = L^-* phi(L* dL) L^-1 and phi keeps the lower triangle, and half of the diagonal (I. Murray,
// "Differentiation of the Cholesky decomposition", 2016).
Status CholeskyGradient(GradientContext& c) {
  const Formula l = OutputFormula(c), dl = OutputGradientFormula(c);
  const Formula identity = Band(l.Apply("OnesLike"), 0, 0);
  const Formula inverse = l.Apply("MatrixTriangularSolve", {identity});
  const Formula product = Product(l, true, dl, false);
  const Formula middle = Band(product, -1, 0) - 0.5 * Band(product, 0, 0);
  const Formula left = Product(inverse, true, middle, false), left_of_adjoint = Product(inverse, true, middle, true);
  return c.SetInputGradient(
      0, 0.5 * (Product(left, false, inverse, false) + Product(left_of_adjoint, false, inverse, false)));
}

}  // namespace

std::vector<OpDefinition> CholeskyOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Cholesky(input: T) -> (output: T) | T: type in {f64,f32,f16,c64,c128}")
                    .Shape(SquareShape)
                    .Gradient(CholeskyGradient)
                    .Kernels(KernelsFor<float, double, std::complex<float>, std::complex<double>>(
                        "T", []<typename T>() { return FunctionKernel(CholeskyKernel<T>); })));
  return ops;
}

}  // namespace headrace
