// MatMul: product = a x b of two matrices, either transposed first where its attribute says so.
// Errors: kInvalidArgument for ranks other than 2 or inner dimensions that differ. Float runs on oneDNN, rows split over the
// pool. Source: TensorFlow's op `MatMul`.
#include "graph/shape_context.h"
#include "kernel/gemm.h"
#include "kernel/kernel.h"
#include "ops/formula.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

Status MatMulShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape a, c.InputOfRank(0, 2));
  HR_ASSIGN_OR_RETURN(const PartialShape b, c.InputOfRank(1, 2));
  const bool transpose_a = c.attr<bool>("transpose_a"), transpose_b = c.attr<bool>("transpose_b");
  const int64_t a_inner = a.dim(transpose_a ? 0 : 1), b_inner = b.dim(transpose_b ? 1 : 0);
  if (a_inner >= 0 && b_inner >= 0 && a_inner != b_inner) {
    return InvalidArgument("MatMul: inner dimensions differ: a=", c.input_type(0), a, " b=", c.input_type(1), b,
                           transpose_a ? " transpose_a" : "", transpose_b ? " transpose_b" : "");
  }
  return c.SetOutput(0, PartialShape({a.dim(transpose_a ? 1 : 0), b.dim(transpose_b ? 0 : 1)}));
}

// With dy for the product: da = dy x b', db = a' x dy, where ' transposes (and conjugates), and both sides swap for operands that
// were transposed.
Status MatMulGradient(GradientContext& c) {
  const bool transpose_a = c.attr<bool>("transpose_a"), transpose_b = c.attr<bool>("transpose_b");
  const Formula a = Conj(InputFormula(c, 0)), b = Conj(InputFormula(c, 1)), dy = OutputGradientFormula(c);
  const auto product = [](const Formula& left, bool transpose_left, const Formula& right, bool transpose_right) {
    return left.Apply("MatMul", {right}, {{"transpose_a", transpose_left}, {"transpose_b", transpose_right}});
  };
  HR_RETURN_IF_ERROR(
      c.SetInputGradient(0, transpose_a ? product(b, transpose_b, dy, true) : product(dy, false, b, !transpose_b)));
  return c.SetInputGradient(1, transpose_b ? product(dy, true, a, transpose_a) : product(a, !transpose_a, dy, false));
}

template <typename T> class MatMulKernel final : public Kernel {
 public:
  explicit MatMulKernel(KernelConstruction& construction)
      : transpose_a_(construction.attr<bool>("transpose_a")), transpose_b_(construction.attr<bool>("transpose_b")) {}

  Status Compute(KernelContext& context) override {
    const Tensor& a = context.input(0);
    const Tensor& b = context.input(1);
    if (a.rank() != 2 || b.rank() != 2)
      return InvalidArgument("MatMul: both operands must be matrices: a=", a, " b=", b);
    Gemm gemm{.transpose_a = transpose_a_, .transpose_b = transpose_b_};
    gemm.m = a.dim(transpose_a_ ? 1 : 0);
    gemm.k = a.dim(transpose_a_ ? 0 : 1);
    gemm.n = b.dim(transpose_b_ ? 0 : 1);
    if (gemm.k != b.dim(transpose_b_ ? 1 : 0)) {
      return InvalidArgument("MatMul: inner dimensions differ: a=", a, " b=", b, transpose_a_ ? " transpose_a" : "",
                             transpose_b_ ? " transpose_b" : "");
    }
    const int64_t dims[] = {gemm.m, gemm.n};
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor * product, context.AllocateOutput(0, shape));
    Run(context, gemm, a.data<T>().data(), b.data<T>().data(), product->mutable_data<T>().data());
    return OkStatus();
  }

 private:
  static void Run(const KernelContext& context, const Gemm& gemm, const T* a, const T* b, T* c) {
    const double total_ns = static_cast<double>(gemm.m) * gemm.row_cost_ns();
    if (total_ns < 200'000) return gemm.Rows(a, b, c, 0, gemm.m);
    if constexpr (std::is_same_v<T, float>) {
      if (gemm.n > 4 * gemm.m) {
        return context.ParallelFor(gemm.n, total_ns / static_cast<double>(gemm.n),
                                   [&](int64_t begin, int64_t end) { gemm.FloatColumns(a, b, c, begin, end); });
      }
    }
    context.ParallelFor(gemm.m, gemm.row_cost_ns(),
                        [&](int64_t begin, int64_t end) { gemm.Rows(a, b, c, begin, end); });
  }

  const bool transpose_a_;
  const bool transpose_b_;
};

}  // namespace

std::vector<OpDefinition> MatMulOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("MatMul(a: T, b: T) -> (product: T) | transpose_a: bool = false | transpose_b: bool = false | "
                   "T: type in {bf16,f16,f32,f64,i32,i64,u8,u16,u32,u64,c64,c128} | grad_a: bool = false | "
                   "grad_b: bool = false")
          .Shape(MatMulShape)
          .Gradient(MatMulGradient)
          .Kernels(KernelsFor<float, double, Half, BFloat16, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
                              std::complex<float>, std::complex<double>>(
              "T", []<typename T>() { return ClassKernel<MatMulKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
