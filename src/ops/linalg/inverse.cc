// MatrixInverse; MatrixDeterminant; LogMatrixDeterminant: the sign of the determinant and the logarithm of its size, which do not
// overflow. By LU factors with exchanged rows. Errors: kInvalidArgument for matrices that are not square, or have no inverse.
// Source: TensorFlow's ops of the same names.
#include "ops/linalg/factor.h"
#include "ops/linalg/linalg_ops.h"
#include "ops/linalg/matrix_stack.h"
#include "ops/math/elementwise.h"

namespace headrace {
namespace {

template <typename T> class MatrixInverse final : public Kernel {
 public:
  explicit MatrixInverse(KernelConstruction& c) : adjoint_(c.attr<bool>("adjoint")) {}

  Status Compute(KernelContext& c) override {
    using In = ComputeType<T>;
    const Tensor& input = c.input(0);
    HR_ASSIGN_OR_RETURN(const SquareStack stack, SquareStack::Of(input.shape()));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, input.shape()));
    HR_ASSIGN_OR_RETURN(Tensor factors, c.AllocateTemporary(kDTypeOf<In>, input.shape()));
    HR_ASSIGN_OR_RETURN(Tensor inverses, c.AllocateTemporary(kDTypeOf<In>, input.shape()));
    const T* from = input.data<T>().data();
    T* to = output->mutable_data<T>().data();
    In* factor = factors.mutable_data<In>().data();
    In* inverse = inverses.mutable_data<In>().data();
    const int64_t n = stack.n, size = n * n;
    const bool regular = ForMatrices(c, stack.count, 3 * stack.factor_ns(), [&](int64_t i) {
      In *a = factor + i * size, *x = inverse + i * size;
      LoadMatrix(from + i * size, n, adjoint_, a);
      const Lu lu = FactorLu(a, n);
      if (lu.singular) return false;
      std::fill(x, x + size, In(0));
      for (int64_t row = 0; row < n; ++row) x[row * n + lu.order[static_cast<size_t>(row)]] = In(1);
      SolveTriangle(a, n, true, true, x, n);
      SolveTriangle(a, n, false, false, x, n);
      std::transform(x, x + size, to + i * size, [](In value) { return static_cast<T>(value); });
      return true;
    });
    return regular ? OkStatus() : InvalidArgument("Input is not invertible.");
  }

 private:
  const bool adjoint_;
};

// d(a^-1) = -a^-1 da a^-1.
Status InverseGradient(GradientContext& c) {
  const bool adjoint = c.attr<bool>("adjoint");
  const Formula y = OutputFormula(c), dy = OutputGradientFormula(c);
  return c.SetInputGradient(0, -Product(y, !adjoint, Product(dy, adjoint, y, !adjoint), false));
}

template <typename T> struct Determinant {
  T sign = 1;          // 0 where the matrix is singular
  double log_abs = 0;  // then -infinity

  /// Destroys `a`.
  static Determinant Of(T* a, int64_t n) {
    Determinant made;
    made.sign = FactorLu(a, n).odd ? T(-1) : T(1);
    for (int64_t i = 0; i < n; ++i) {
      const T pivot = a[i * n + i];
      made.log_abs += std::log(static_cast<double>(std::abs(pivot)));
      made.sign *= pivot == T(0) ? T(0) : pivot / std::abs(pivot);
    }
    return made;
  }
};

/// Calls write(i, determinant) for each matrix of input 0.
template <typename T, typename Write>
Status ForDeterminants(KernelContext& c, const SquareStack& stack, const Write& write) {
  const Tensor& input = c.input(0);
  HR_ASSIGN_OR_RETURN(Tensor factors, c.AllocateTemporary(kDTypeOf<T>, input.shape()));
  const T* from = input.data<T>().data();
  T* factor = factors.mutable_data<T>().data();
  const int64_t size = stack.n * stack.n;
  ForMatrices(c, stack.count, stack.factor_ns(), [&](int64_t i) {
    std::copy_n(from + i * size, size, factor + i * size);
    write(i, Determinant<T>::Of(factor + i * size, stack.n));
    return true;
  });
  return OkStatus();
}

template <typename T> Status MatrixDeterminantKernel(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const SquareStack stack, SquareStack::Of(c.input(0).shape()));
  HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, stack.stack));
  T* to = output->mutable_data<T>().data();
  return ForDeterminants<T>(c, stack, [to](int64_t i, const Determinant<T>& determinant) {
    using Real = decltype(std::abs(T()));
    to[i] = determinant.sign * static_cast<Real>(std::exp(determinant.log_abs));
  });
}

template <typename T> Status LogMatrixDeterminantKernel(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const SquareStack stack, SquareStack::Of(c.input(0).shape()));
  HR_ASSIGN_OR_RETURN(Tensor * signs, c.AllocateOutput(0, stack.stack));
  HR_ASSIGN_OR_RETURN(Tensor * logs, c.AllocateOutput(1, stack.stack));
  T* sign = signs->mutable_data<T>().data();
  T* log = logs->mutable_data<T>().data();
  return ForDeterminants<T>(c, stack, [sign, log](int64_t i, const Determinant<T>& determinant) {
    sign[i] = determinant.sign;
    log[i] = static_cast<T>(determinant.log_abs);
  });
}

// `scale` times the adjoint inverse of input 0, matrix by matrix.
Formula TimesAdjointInverse(GradientContext& c, const Formula& scale) {
  const Formula last = Formula(c.builder(), c.builder().Const(Tensor::Scalar<int32_t>(-1)));
  const Formula spread = scale.Apply("ExpandDims", {last}).Apply("ExpandDims", {last});
  return spread * InputFormula(c, 0).Apply("MatrixInverse", {}, {{"adjoint", true}});
}
Status DeterminantGradient(GradientContext& c) {
  return c.SetInputGradient(0, TimesAdjointInverse(c, OutputGradientFormula(c) * Conj(OutputFormula(c))));
}
Status LogDeterminantGradient(GradientContext& c) {  // the sign is constant
  return c.SetInputGradient(0, TimesAdjointInverse(c, OutputGradientFormula(c, 1)));
}

}  // namespace

std::vector<OpDefinition> InverseOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("MatrixInverse(input: T) -> (output: T) | adjoint: bool = false | T: type in {f64,f32,f16,c64,c128}")
          .Shape(SquareShape)
          .Gradient(InverseGradient)
          .Kernels(KernelsFor<float, double, Half, std::complex<float>, std::complex<double>>(
              "T", []<typename T>() { return ClassKernel<MatrixInverse<T>>(); })));
  ops.push_back(OpDefinition("MatrixDeterminant(input: T) -> (output: T) | T: type in {f16,f32,f64,c64,c128}")
                    .Shape(OfEachMatrixShape)
                    .Gradient(DeterminantGradient)
                    .Kernels(KernelsFor<float, double, std::complex<float>, std::complex<double>>(
                        "T", []<typename T>() { return FunctionKernel(MatrixDeterminantKernel<T>); })));
  ops.push_back(OpDefinition("LogMatrixDeterminant(input: T) -> (sign: T, log_abs_determinant: T) | T: type in "
                             "{f16,f32,f64,c64,c128}")
                    .Shape(OfEachMatrixShape)
                    .Gradient(LogDeterminantGradient)
                    .Kernels(KernelsFor<float, double, std::complex<float>, std::complex<double>>(
                        "T", []<typename T>() { return FunctionKernel(LogMatrixDeterminantKernel<T>); })));
  return ops;
}

}  // namespace headrace
