// SparseTensorDenseMatMul: a x b of a sparse matrix and a dense one, either replaced by its adjoint first. Entries may come in
// any order and repeat.
#include <algorithm>
#include <complex>

#include "kernel/float_loops.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/math/elementwise.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

Status ProductShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 2));
  HR_RETURN_IF_ERROR(c.RequireRank(1, 1));
  HR_ASSIGN_OR_RETURN(const PartialShape a, c.ShapeFromInput(2));
  HR_ASSIGN_OR_RETURN(const PartialShape b, c.InputOfRank(3, 2));
  if (a.has_rank() && a.rank() != 2) return InvalidArgument("Tensor 'a_shape' must have 2 elements");
  const bool adjoint_a = c.attr<bool>("adjoint_a"), adjoint_b = c.attr<bool>("adjoint_b");
  const auto dim = [](const PartialShape& s, int i) { return s.has_rank() ? s.dim(i) : PartialShape::kUnknownDim; };
  const int64_t inner_a = dim(a, adjoint_a ? 0 : 1), inner_b = b.dim(adjoint_b ? 1 : 0);
  if (inner_a >= 0 && inner_b >= 0 && inner_a != inner_b) {
    return InvalidArgument("SparseTensorDenseMatMul: inner dimensions differ: a=", a, " b=", b,
                           adjoint_a ? " adjoint_a" : "", adjoint_b ? " adjoint_b" : "");
  }
  return c.SetOutput(0, PartialShape({dim(a, adjoint_a ? 1 : 0), b.dim(adjoint_b ? 0 : 1)}));
}

// With dy for the product: da[i, k] = dy[i] . conj(b[:, k]) for each entry; db = a' x dy, where ' is the adjoint.
Status ProductGradient(GradientContext& c) {
  const GraphBuilder& builder = c.builder();
  const bool adjoint_a = c.attr<bool>("adjoint_a"), adjoint_b = c.attr<bool>("adjoint_b");
  const Formula dy = OutputGradientFormula(c), b = InputFormula(c, 3), indices = InputFormula(c, 0);
  const Endpoint permutation = IntVector(builder, {1, 0}), zero = builder.Scalar<int32_t>(0);
  const auto adjoint = [&](const Formula& x) { return Conj(x).Apply("Transpose", {permutation}); };
  const Formula product = indices.Apply("SparseTensorDenseMatMul", {c.input(1), c.input(2), dy},
                                        {{"adjoint_a", !adjoint_a}, {"adjoint_b", false}});
  HR_RETURN_IF_ERROR(c.SetInputGradient(3, adjoint_b ? adjoint(product) : product));
  const auto column = [&](int64_t i) {
    return indices.Apply("StridedSlice",
                         {IntVector(builder, {0, i}), IntVector(builder, {0, i + 1}), IntVector(builder, {1, 1})},
                         {{"begin_mask", int64_t{1}}, {"end_mask", int64_t{1}}, {"shrink_axis_mask", int64_t{2}}});
  };
  const Formula rows = column(adjoint_a ? 1 : 0), columns = column(adjoint_a ? 0 : 1);
  const Formula of_dy = dy.Apply("GatherV2", {rows, zero});
  const Formula of_b = (adjoint_b ? adjoint(b) : b).Apply("GatherV2", {columns, zero});
  const Formula da = (of_dy * Conj(of_b)).Apply("Sum", {IntVector(builder, {1})});
  return c.SetInputGradient(1, adjoint_a ? Conj(da) : da);
}

/// The inputs' extents, checked.
struct Product {
  int64_t entries = 0, m = 0, k = 0, n = 0;
  int row = 0, column = 1;  // of an entry's index

  static Result<Product> Read(const KernelContext& c, bool adjoint_a, bool adjoint_b) {
    const Tensor &indices = c.input(0), &values = c.input(1), &shape = c.input(2), &b = c.input(3);
    if (b.rank() != 2) return InvalidArgument("Tensor 'b' is not a matrix");
    if (shape.rank() != 1) return InvalidArgument("Tensor 'a_shape' is not a vector");
    if (shape.dim(0) != 2) return InvalidArgument("Tensor 'a_shape' must have 2 elements");
    if (values.rank() != 1) return InvalidArgument("Tensor 'a_values' is not a vector");
    if (indices.rank() != 2) return InvalidArgument("Tensor 'a_indices' is not a matrix");
    if (indices.dim(0) != values.dim(0))
      return InvalidArgument("Number of rows of a_indices does not match number of entries in a_values");
    if (indices.dim(1) != 2)
      return InvalidArgument("Number of columns of a_indices does not match number of entries in a_shape");
    const std::span<const int64_t> a = shape.data<int64_t>();
    const Product product{.entries = values.dim(0),
                          .m = a[adjoint_a ? 1 : 0],
                          .k = a[adjoint_a ? 0 : 1],
                          .n = b.dim(adjoint_b ? 0 : 1),
                          .row = adjoint_a ? 1 : 0,
                          .column = adjoint_a ? 0 : 1};
    if (product.k != b.dim(adjoint_b ? 1 : 0)) {
      return InvalidArgument("Cannot multiply A and B because inner dimension does not match: ", product.k, " vs. ",
                             b.dim(adjoint_b ? 1 : 0), ".  Did you forget a transpose?  Dimensions of A: [", product.m,
                             ", ", product.k, ").  Dimensions of B: ", b.shape());
    }
    return product;
  }
};

template <typename T> class SparseMatMulKernel final : public Kernel {
 public:
  explicit SparseMatMulKernel(KernelConstruction& c)
      : adjoint_a_(c.attr<bool>("adjoint_a")), adjoint_b_(c.attr<bool>("adjoint_b")) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const Product p, Product::Read(c, adjoint_a_, adjoint_b_));
    std::vector<int64_t> widened;
    if (c.input(0).dtype() == DType::kInt32) widened = IntegersOf(c.input(0));
    const std::span<const int64_t> indices = widened.empty() && c.input(0).dtype() == DType::kInt64
                                                 ? c.input(0).data<int64_t>()
                                                 : std::span<const int64_t>(widened);
    for (int64_t i = 0; i < p.entries; ++i) {
      const int64_t row = indices[static_cast<size_t>(2 * i + p.row)];
      const int64_t column = indices[static_cast<size_t>(2 * i + p.column)];
      if (row < 0 || row >= p.m)
        return InvalidArgument("m (", row, ") from index[", i, ",", p.row, "] out of bounds (>=", p.m, ")");
      if (column < 0 || column >= p.k)
        return InvalidArgument("k (", column, ") from index[", i, ",", p.column, "] out of bounds (>=", p.k, ")");
    }
    const int64_t dims[] = {p.m, p.n};
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
    C* sum = nullptr;
    Tensor wide;
    if constexpr (std::is_same_v<T, C>) {
      sum = output->mutable_data<T>().data();
    } else {  // 16-bit floats add up in float
      HR_ASSIGN_OR_RETURN(wide, c.AllocateTemporary(kDTypeOf<C>, shape));
      sum = wide.mutable_data<C>().data();
    }
    std::fill_n(sum, shape.num_elements(), C{});
    // Each thread takes columns of the product: no two write the same element, and the order of sums is fixed.
    const double column_ns = 0.3 * static_cast<double>(p.entries) * (adjoint_b_ ? 4 : 1);
    c.ParallelFor(p.n, column_ns, [&](int64_t begin, int64_t end) { Columns(c, p, indices.data(), sum, begin, end); });
    if constexpr (!std::is_same_v<T, C>) {
      for (int64_t i = 0; i < shape.num_elements(); ++i)
        output->mutable_data<T>()[static_cast<size_t>(i)] = static_cast<T>(sum[i]);
    }
    return OkStatus();
  }

 private:
  using C = ComputeType<T>;

  void Columns(const KernelContext& c, const Product& p, const int64_t* indices, C* sum, int64_t begin,
               int64_t end) const {
    const T* values = c.input(1).data<T>().data();
    const T* b = c.input(3).data<T>().data();
    for (int64_t i = 0; i < p.entries; ++i) {
      const int64_t column = indices[2 * i + p.column];
      C* to = sum + indices[2 * i + p.row] * p.n;
      C value = static_cast<C>(values[i]);
      if constexpr (kIsComplex<C>) value = adjoint_a_ ? std::conj(value) : value;
      if (adjoint_b_) {
        for (int64_t j = begin; j < end; ++j) {
          C other = static_cast<C>(b[j * p.k + column]);
          if constexpr (kIsComplex<C>) other = std::conj(other);
          to[j] = AddFunctor()(to[j], MulFunctor()(value, other));
        }
      } else if constexpr (std::is_same_v<T, float>) {
        GetFloatLoops().add_scaled(value, b + column * p.n + begin, to + begin, end - begin);
      } else {
        for (int64_t j = begin; j < end; ++j)
          to[j] = AddFunctor()(to[j], MulFunctor()(value, static_cast<C>(b[column * p.n + j])));
      }
    }
  }

  const bool adjoint_a_;
  const bool adjoint_b_;
};

}  // namespace

std::vector<OpDefinition> SparseMatMulOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("SparseTensorDenseMatMul(a_indices: Tindices, a_values: T, a_shape: i64, b: T) -> (product: "
                   "T) | T: type | Tindices: type = i64 in {i32,i64} | adjoint_a: bool = false | adjoint_b: "
                   "bool = false")
          .Shape(ProductShape)
          .Gradient(ProductGradient)
          .Kernels(
              KernelsFor<float, double, Half, BFloat16, int32_t, int64_t, std::complex<float>, std::complex<double>>(
                  "T", []<typename T>() { return ClassKernel<SparseMatMulKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
