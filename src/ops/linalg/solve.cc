// MatrixSolve: the x with matrix x = rhs; MatrixTriangularSolve: the same of one triangle of the matrix, where the stacks are broadcast,
// and a 0 on the diagonal gives infinities. `adjoint`: of the adjoint (transposed, conjugated) matrix.
// Errors: kInvalidArgument for shapes that do not fit, and for a matrix that has no inverse. Source: TensorFlow's ops of the same names.
#include "kernel/broadcast.h"
#include "ops/linalg/factor.h"
#include "ops/linalg/linalg_ops.h"
#include "ops/linalg/matrix_stack.h"

namespace headrace {
namespace {

// Checks both shapes as far as they are known; the solution's is `stack`, rows, columns.
Result<PartialShape> SolutionShape(ShapeContext& c,
                                   Result<PartialShape> (*join)(const PartialShape&, const PartialShape&)) {
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(0, 2));
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(1, 2));
  const PartialShape &matrix = c.input(0), &rhs = c.input(1);
  if (!matrix.has_rank() || !rhs.has_rank()) return PartialShape();
  HR_ASSIGN_OR_RETURN(int64_t n, MergeDims(matrix.dim(matrix.rank() - 2), matrix.dim(matrix.rank() - 1)));
  HR_ASSIGN_OR_RETURN(n, MergeDims(n, rhs.dim(rhs.rank() - 2)));
  HR_ASSIGN_OR_RETURN(PartialShape shape, join(StackOf(matrix), StackOf(rhs)));
  shape.AppendDim(n);
  shape.AppendDim(rhs.dim(rhs.rank() - 1));
  return shape;
}
Status SolveShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape,
                      SolutionShape(c, [](const PartialShape& a, const PartialShape& b) { return a.MergeWith(b); }));
  return c.SetOutput(0, std::move(shape));
}
Status TriangularSolveShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, SolutionShape(c, BroadcastShapes));
  return c.SetOutput(0, std::move(shape));
}

// Errors: with TensorFlow's texts.
Result<SquareStack> CheckSolve(const Shape& matrix, const Shape& rhs) {
  const int rank = matrix.rank();
  if (rank < 2) return InvalidArgument("Input tensor 0 must have rank >= 2, got ", rank);
  if (rhs.rank() != rank) return InvalidArgument("All input tensors must have the same rank.");
  if (StackOf(matrix) != StackOf(rhs)) {
    return InvalidArgument("All input tensors must have the same outer dimensions.");
  }
  if (matrix.dim(rank - 1) != matrix.dim(rank - 2)) {
    return InvalidArgument("First input (lhs) must be a square matrix.");
  }
  if (rhs.dim(rank - 2) != matrix.dim(rank - 1)) return InvalidArgument("Input matrix and rhs are incompatible.");
  return SquareStack::Of(matrix);
}

template <typename T> class MatrixSolve final : public Kernel {
 public:
  explicit MatrixSolve(KernelConstruction& c) : adjoint_(c.attr<bool>("adjoint")) {}

  Status Compute(KernelContext& c) override {
    const Tensor &matrix = c.input(0), &rhs = c.input(1);
    HR_ASSIGN_OR_RETURN(const SquareStack stack, CheckSolve(matrix.shape(), rhs.shape()));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, rhs.shape()));
    if (output->num_elements() == 0) return OkStatus();
    HR_ASSIGN_OR_RETURN(Tensor factors, c.AllocateTemporary(kDTypeOf<T>, matrix.shape()));
    const T *from = matrix.data<T>().data(), *right = rhs.data<T>().data();
    T *factor = factors.mutable_data<T>().data(), *to = output->mutable_data<T>().data();
    const int64_t n = stack.n, columns = rhs.dim(rhs.rank() - 1);
    const bool regular = ForMatrices(c, stack.count, 2 * stack.factor_ns(), [&](int64_t i) {
      T *a = factor + i * n * n, *x = to + i * n * columns;
      LoadMatrix(from + i * n * n, n, adjoint_, a);
      const Lu lu = FactorLu(a, n);
      if (lu.singular) return false;
      for (int64_t row = 0; row < n; ++row) {
        std::copy_n(right + (i * n + lu.order[static_cast<size_t>(row)]) * columns, columns, x + row * columns);
      }
      SolveTriangle(a, n, true, true, x, columns);
      SolveTriangle(a, n, false, false, x, columns);
      return true;
    });
    return regular ? OkStatus() : InvalidArgument("Input matrix is not invertible.");
  }

 private:
  const bool adjoint_;
};

/// The stacks of a triangular system, read together.
struct TriangularProblem {
  int64_t n = 0, columns = 0;
  Broadcast stack;
  Shape shape;  // the solution's

  /// Errors: with TensorFlow's texts.
  static Result<TriangularProblem> Make(const Shape& matrix, const Shape& rhs) {
    for (int i = 0; i < 2; ++i) {
      const int rank = (i == 0 ? matrix : rhs).rank();
      if (rank < 2) return InvalidArgument("In[", i, "] ndims must be >= 2: ", rank);
    }
    const int64_t n = matrix.dim(matrix.rank() - 1), rows = matrix.dim(matrix.rank() - 2);
    HR_ASSIGN_OR_RETURN(const Shape matrices, StackOf(matrix).ToShape());
    HR_ASSIGN_OR_RETURN(const Shape right_sides, StackOf(rhs).ToShape());
    Result<Broadcast> stack = Broadcast::Make({&matrices, &right_sides});
    if (!stack.ok()) {
      return InvalidArgument("In[0] and In[1] must have compatible batch dimensions: ", matrix, " vs. ", rhs);
    }
    if (rows != n) {
      return InvalidArgument("In[0] matrices in the last dimensions must be square (", n, " =/= ", rows, ")");
    }
    if (rhs.dim(rhs.rank() - 2) != n) {
      return InvalidArgument("In[0] mismatch In[1] shape: ", n, " vs. ", rhs.dim(rhs.rank() - 2), ": ", matrix, " ",
                             rhs);
    }
    std::vector<int64_t> dims(stack->output().dims().begin(), stack->output().dims().end());
    const int64_t columns = rhs.dim(rhs.rank() - 1);
    dims.insert(dims.end(), {n, columns});
    HR_ASSIGN_OR_RETURN(Shape shape, Shape::Make(dims));
    return TriangularProblem{n, columns, *std::move(stack), std::move(shape)};
  }
};

template <typename T> class MatrixTriangularSolve final : public Kernel {
 public:
  explicit MatrixTriangularSolve(KernelConstruction& c)
      : lower_(c.attr<bool>("lower", true)), adjoint_(c.attr<bool>("adjoint")) {}

  Status Compute(KernelContext& c) override {
    const Tensor &matrix = c.input(0), &rhs = c.input(1);
    HR_ASSIGN_OR_RETURN(const TriangularProblem problem, TriangularProblem::Make(matrix.shape(), rhs.shape()));
    HR_ASSIGN_OR_RETURN(Tensor * output, c.AllocateOutput(0, problem.shape));
    if (output->num_elements() == 0) return OkStatus();
    const int64_t n = problem.n, size = n * n, x_size = n * problem.columns;
    const T *a = matrix.data<T>().data(), *right = rhs.data<T>().data();
    Tensor adjoint;
    if (adjoint_) {
      HR_ASSIGN_OR_RETURN(adjoint, c.AllocateTemporary(kDTypeOf<T>, matrix.shape()));
      T* to = adjoint.mutable_data<T>().data();
      for (int64_t i = 0; i < matrix.num_elements() / size; ++i) LoadMatrix(a + i * size, n, true, to + i * size);
      a = to;
    }
    T* x = output->mutable_data<T>().data();
    const double cost_ns = 20 + 0.3 * static_cast<double>(n) * static_cast<double>(x_size);
    c.ParallelFor(problem.stack.output().num_elements(), cost_ns, [&](int64_t begin, int64_t end) {
      problem.stack.ForRuns(begin, end, [&](const Broadcast::Offsets& from, int64_t to, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
          T* solution = x + (to + i) * x_size;
          std::copy_n(right + (from[1] + i * problem.stack.step(1)) * x_size, x_size, solution);
          SolveTriangle(a + (from[0] + i * problem.stack.step(0)) * size, n, lower_ != adjoint_, false, solution,
                        problem.columns);
        }
      });
    });
    return OkStatus();
  }

 private:
  const bool lower_;
  const bool adjoint_;
};

// d(rhs) solves the adjoint system; d(matrix) = -d(rhs) x*, or its adjoint.
Formula MatrixGradient(const GradientContext& c, const Formula& d_rhs) {
  const Formula x = OutputFormula(c);
  return c.attr<bool>("adjoint") ? -Product(x, false, d_rhs, true) : -Product(d_rhs, false, x, true);
}
Status SolveGradient(GradientContext& c) {
  const Formula d_rhs =
      InputFormula(c, 0).Apply("MatrixSolve", {c.output_gradient(0)}, {{"adjoint", !c.attr<bool>("adjoint")}});
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, MatrixGradient(c, d_rhs)));
  return c.SetInputGradient(1, d_rhs);
}
Status TriangularSolveGradient(GradientContext& c) {
  const bool lower = c.attr<bool>("lower", true);
  const Formula matrix = InputFormula(c, 0);
  const Formula d_rhs = matrix.Apply("MatrixTriangularSolve", {c.output_gradient(0)},
                                     {{"lower", lower}, {"adjoint", !c.attr<bool>("adjoint")}});
  const Formula d_matrix = Band(MatrixGradient(c, d_rhs), lower ? -1 : 0, lower ? 0 : -1);
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, SumToShapeOf(d_matrix, matrix)));
  return c.SetInputGradient(1, SumToShapeOf(d_rhs, c.input(1)));
}

}  // namespace

std::vector<OpDefinition> SolveOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("MatrixSolve(matrix: T, rhs: T) -> (output: T) | adjoint: bool = false | T: type in "
                             "{f64,f32,f16,c64,c128}")
                    .Shape(SolveShape)
                    .Gradient(SolveGradient)
                    .Kernels(KernelsFor<float, double, std::complex<float>, std::complex<double>>(
                        "T", []<typename T>() { return ClassKernel<MatrixSolve<T>>(); })));
  ops.push_back(
      OpDefinition("MatrixTriangularSolve(matrix: T, rhs: T) -> (output: T) | lower: bool = true | adjoint: bool = "
                   "false | T: type in {bf16,f64,f32,f16,c64,c128}")
          .Shape(TriangularSolveShape)
          .Gradient(TriangularSolveGradient)
          .Kernels(KernelsFor<float, double, std::complex<float>, std::complex<double>>(
              "T", []<typename T>() { return ClassKernel<MatrixTriangularSolve<T>>(); })));
  return ops;
}

}  // namespace headrace
