// BatchMatMul, -V2, -V3: products of the matrices in the last two dimensions, adjoint (transposed, conjugated) first where adj_x or
// adj_y says so. The other dimensions are a batch: equal in the first version, broadcast in the later ones.
// Errors: kInvalidArgument for ranks below 2, inner dimensions that differ, batches that do not fit. Source: TensorFlow's ops.
#include "graph/shape_context.h"
#include "kernel/broadcast.h"
#include "kernel/gemm.h"
#include "kernel/kernel.h"
#include "ops/formula.h"
#include "ops/math/math_ops.h"

namespace headrace {
namespace {

Status BatchMatMulShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 2));
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(1, 2));
  const PartialShape &x = c.input(0), &y = c.input(1);
  if (!x.has_rank() || !y.has_rank()) return c.SetOutput(0, PartialShape());
  const bool adj_x = c.attr<bool>("adj_x"), adj_y = c.attr<bool>("adj_y");
  const int64_t x_inner = x.dim(x.rank() - (adj_x ? 2 : 1)), y_inner = y.dim(y.rank() - (adj_y ? 1 : 2));
  if (x_inner >= 0 && y_inner >= 0 && x_inner != y_inner) {
    return InvalidArgument(c.node().op(), ": inner dimensions differ: x=", c.input_type(0), x, " y=", c.input_type(1),
                           y);
  }
  const auto batch = [](const PartialShape& shape) {
    return PartialShape(std::vector<int64_t>(shape.dims().begin(), shape.dims().end() - 2));
  };
  HR_ASSIGN_OR_RETURN(PartialShape shape, BroadcastShapes(batch(x), batch(y)));
  shape.AppendDim(x.dim(x.rank() - (adj_x ? 1 : 2)));
  shape.AppendDim(y.dim(y.rank() - (adj_y ? 2 : 1)));
  return c.SetOutput(0, std::move(shape));
}

// As MatMul's, then summed over the dimensions in which an operand was broadcast.
Status BatchMatMulGradient(GradientContext& c) {
  const bool adj_x = c.attr<bool>("adj_x"), adj_y = c.attr<bool>("adj_y");
  const Formula x = InputFormula(c, 0), y = InputFormula(c, 1), dz = OutputGradientFormula(c);
  const auto product = [](const Formula& left, bool adj_left, const Formula& right, bool adj_right) {
    return left.Apply("BatchMatMulV2", {right}, {{"adj_x", adj_left}, {"adj_y", adj_right}});
  };
  const Formula dx = adj_x ? product(y, adj_y, dz, true) : product(dz, false, y, !adj_y);
  const Formula dy = adj_y ? product(dz, true, x, adj_x) : product(x, !adj_x, dz, false);
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, SumToShapeOf(dx, x)));
  return c.SetInputGradient(1, SumToShapeOf(dy, y));
}

/// What is the same for all types: the sizes of one product, and the batches.
struct Problem {
  Gemm gemm;
  Broadcast batch;
  Shape shape;

  static Result<Problem> Make(const std::string& op, const Tensor& x, const Tensor& y, bool adj_x, bool adj_y) {
    if (x.rank() < 2 || y.rank() < 2)
      return InvalidArgument(op, ": both operands must have rank 2 at least: x=", x, " y=", y);
    Gemm gemm{.transpose_a = adj_x, .transpose_b = adj_y, .conjugate_a = adj_x, .conjugate_b = adj_y};
    gemm.m = x.dim(x.rank() - (adj_x ? 1 : 2));
    gemm.k = x.dim(x.rank() - (adj_x ? 2 : 1));
    gemm.n = y.dim(y.rank() - (adj_y ? 2 : 1));
    if (gemm.k != y.dim(y.rank() - (adj_y ? 1 : 2))) {
      return InvalidArgument(op, ": inner dimensions differ: x=", x, " y=", y, adj_x ? " adj_x" : "",
                             adj_y ? " adj_y" : "");
    }
    const auto batch_of = [](const Tensor& t) {
      return Shape(t.shape().dims().first(static_cast<size_t>(t.rank() - 2)));
    };
    const Shape x_batch = batch_of(x), y_batch = batch_of(y);
    if (op == "BatchMatMul" && x_batch != y_batch) return InvalidArgument(op, ": batches differ: x=", x, " y=", y);
    HR_ASSIGN_OR_RETURN(Broadcast batch, Broadcast::Make({&x_batch, &y_batch}));
    std::vector<int64_t> dims(batch.output().dims().begin(), batch.output().dims().end());
    dims.push_back(gemm.m);
    dims.push_back(gemm.n);
    HR_ASSIGN_OR_RETURN(Shape shape, Shape::Make(dims));
    return Problem{gemm, std::move(batch), std::move(shape)};
  }
};

template <typename T> class BatchMatMulKernel final : public Kernel {
 public:
  explicit BatchMatMulKernel(KernelConstruction& construction)
      : op_(construction.node().op()),
        adj_x_(construction.attr<bool>("adj_x")),
        adj_y_(construction.attr<bool>("adj_y")) {}

  Status Compute(KernelContext& context) override {
    const Tensor& x = context.input(0);
    const Tensor& y = context.input(1);
    HR_ASSIGN_OR_RETURN(const Problem problem, Problem::Make(op_, x, y, adj_x_, adj_y_));
    HR_ASSIGN_OR_RETURN(Tensor * z, context.AllocateOutput(0, problem.shape));
    const Gemm& gemm = problem.gemm;
    const T* a = x.data<T>().data();
    const T* b = y.data<T>().data();
    T* c = z->mutable_data<T>().data();
    const int64_t batches = problem.batch.output().num_elements();
    if (batches == 1) {
      context.ParallelFor(gemm.m, gemm.row_cost_ns(),
                          [&](int64_t begin, int64_t end) { gemm.Rows(a, b, c, begin, end); });
      return OkStatus();
    }
    const double cost_ns = 20 + static_cast<double>(gemm.m) * gemm.row_cost_ns();
    context.ParallelFor(batches, cost_ns, [&](int64_t begin, int64_t end) {
      problem.batch.ForRuns(begin, end, [&](const Broadcast::Offsets& from, int64_t to, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
          gemm.Rows(a + (from[0] + i * problem.batch.step(0)) * gemm.m * gemm.k,
                    b + (from[1] + i * problem.batch.step(1)) * gemm.k * gemm.n, c + (to + i) * gemm.m * gemm.n, 0,
                    gemm.m);
        }
      });
    });
    return OkStatus();
  }

 private:
  const std::string op_;
  const bool adj_x_;
  const bool adj_y_;
};

template <typename... Ts> std::vector<KernelDefinition> Kernels(const std::vector<std::string>& attrs) {
  std::vector<KernelDefinition> kernels;
  const auto add = [&](DType type, KernelFactory factory) {
    KernelDefinition& kernel = kernels.emplace_back(KernelDefinition{.factory = std::move(factory)});
    for (const std::string& attr : attrs) kernel.types[attr] = {type};
  };
  (add(kDTypeOf<Ts>, ClassKernel<BatchMatMulKernel<Ts>>()), ...);
  return kernels;
}

constexpr std::string_view kFlags =
    " | adj_x: bool = false | adj_y: bool = false | grad_x: bool = false | grad_y: bool = false";

OpDefinition BatchMatMulOp(std::string_view head, std::vector<KernelDefinition> kernels) {
  return OpDefinition(StrCat(head, kFlags))
      .Shape(BatchMatMulShape)
      .Gradient(BatchMatMulGradient)
      .Kernels(std::move(kernels));
}

using C64 = std::complex<float>;
using C128 = std::complex<double>;

}  // namespace

std::vector<OpDefinition> BatchMatMulOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(BatchMatMulOp("BatchMatMul(x: T, y: T) -> (output: T) | T: type in {bf16,f16,f32,f64,i32,i64,c64,c128}",
                              Kernels<float, double, Half, BFloat16, int32_t, int64_t, C64, C128>({"T"})));
  ops.push_back(BatchMatMulOp(
      "BatchMatMulV2(x: T, y: T) -> (output: T) | T: type in {bf16,f16,f32,f64,i16,i32,i64,u8,u16,u32,u64,c64,c128}",
      Kernels<float, double, Half, BFloat16, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, C64,
              C128>({"T"})));
  ops.push_back(BatchMatMulOp(
      "BatchMatMulV3(x: Ta, y: Tb) -> (output: Tout) | Ta: type in {bf16,f16,f32,f64,u8,i8,i16,i32,i64,c64,c128} | Tb: "
      "type in "
      "{bf16,f16,f32,f64,u8,i8,i16,i32,i64,c64,c128} | Tout: type in {bf16,f16,f32,f64,i16,i32,i64,c64,c128}",
      Kernels<float, double, Half, BFloat16, int16_t, int32_t, int64_t, C64, C128>({"Ta", "Tb", "Tout"})));
  return ops;
}

}  // namespace headrace
