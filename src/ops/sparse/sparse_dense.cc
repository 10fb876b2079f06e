// Sparse and dense together. SparseDenseCwiseAdd, Mul, Div: the sparse tensor's values with the dense tensor's at their places;
// the dense one is broadcast to the sparse one's shape, never the reverse. SparseTensorDenseAdd: a dense tensor with the sparse
// values added.
#include <algorithm>

#include "kernel/elements.h"
#include "ops/formula.h"
#include "ops/integers.h"
#include "ops/math/elementwise.h"
#include "ops/signature_types.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

struct QuotientFunctor {
  template <typename T> T operator()(T x, T y) const {
    if constexpr (std::is_integral_v<T>) {
      // The smallest integer divided by -1 does not fit, and would trap.
      if constexpr (std::is_signed_v<T>) {
        if (y == T(-1)) return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(x));
      }
      return static_cast<T>(x / y);
    } else {
      return x / y;
    }
  }
};

Status CwiseShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape indices, c.InputOfRank(0, 2));
  return c.SetOutput(0, PartialShape({indices.dim(0)}));
}

/// Indices of the sparse tensor's entries in the dense tensor, in the graph: dimensions that dense lacks are cut off, others
/// are 0 where dense has one element.
Formula IndicesInDense(const GradientContext& c) {
  const GraphBuilder& b = c.builder();
  const Formula dense_shape(b, c.Op("Shape", {c.input(3)}, {{"out_type", DType::kInt64}}));
  const Formula shape = InputFormula(c, 2), indices = InputFormula(c, 0);
  const Formula missing = Formula(b, c.Op("Size", {shape})) - Formula(b, c.Op("Size", {dense_shape}));
  const Formula lead = missing.Apply("Reshape", {IntVector(b, {1})});
  const Formula ones = lead.Apply("Fill", {b.Scalar<int64_t>(1)});
  const Endpoint full = c.Op("ConcatV2", {ones, dense_shape, b.Scalar<int32_t>(0)});
  const Formula scaled = indices.Apply("FloorDiv", {shape.Apply("FloorDiv", {full})});
  const Endpoint begin = c.Op("ConcatV2", {IntVector(b, {0}), lead, b.Scalar<int32_t>(0)});
  return scaled.Apply("Slice", {begin, IntVector(b, {-1, -1})});
}

template <bool kMultiply> Status ProductGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c), values = InputFormula(c, 1), dense = InputFormula(c, 3);
  const Formula indices = IndicesInDense(c);
  const Formula at = dense.Apply("GatherNd", {indices});
  HR_RETURN_IF_ERROR(c.SetInputGradient(1, kMultiply ? dy * at : dy / at));
  const Formula to_dense = kMultiply ? dy * values : -(dy * values) / at / at;
  const Endpoint shape = c.Op("Shape", {dense}, {{"out_type", DType::kInt64}});
  return c.SetInputGradient(3, indices.Apply("ScatterNd", {to_dense, shape}));
}

// The number of the dense element that belongs to an entry.
int64_t DensePlace(std::span<const int64_t> index, std::span<const int64_t> dense) {
  const std::span<const int64_t> own = index.subspan(index.size() - dense.size());
  int64_t place = 0;
  for (size_t d = 0; d < dense.size(); ++d) place = place * dense[d] + (dense[d] == 1 ? 0 : own[d]);
  return place;
}

Status CheckBroadcast(std::span<const int64_t> sparse, const Shape& dense) {
  bool fits = static_cast<size_t>(dense.rank()) <= sparse.size();
  for (int d = 1; fits && d <= dense.rank(); ++d) {
    const int64_t extent = dense.dim(dense.rank() - d);
    fits = extent == 1 || extent == sparse[sparse.size() - static_cast<size_t>(d)];
  }
  if (fits) return OkStatus();
  return InvalidArgument("SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: ",
                         IndexText(sparse), " vs. ", dense);
}

template <typename F, typename T> Status Cwise(KernelContext& c) {
  using C = ComputeType<T>;
  HR_ASSIGN_OR_RETURN(const SparseView sparse, ReadSparse(c, 0));
  const Tensor& dense = c.input(3);
  HR_RETURN_IF_ERROR(CheckBroadcast(sparse.shape, dense.shape()));
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, sparse.values->shape()));
  const T* x = sparse.values->data<T>().data();
  const std::span<const T> y = dense.data<T>();
  T* out = output->mutable_data<T>().data();
  for (int64_t i = 0; i < sparse.size(); ++i) {
    const std::span<const int64_t> index = sparse.row(i);
    for (size_t d = 0; d < index.size(); ++d) {
      if (index[d] < 0 || index[d] >= sparse.shape[d]) return OutOfBounds(i, index, sparse.shape);
    }
    const T other = y[static_cast<size_t>(DensePlace(index, dense.shape().dims()))];
    if constexpr (std::is_same_v<F, QuotientFunctor> && std::is_integral_v<T>) {
      if (other == T(0)) return InvalidArgument("Integer division by zero");
    }
    out[i] = static_cast<T>(F()(static_cast<C>(x[i]), static_cast<C>(other)));
  }
  return OkStatus();
}

Status AddShape(ShapeContext& c) { return c.SetOutput(0, c.input(3)); }

Status AddGradient(GradientContext& c) {
  HR_RETURN_IF_ERROR(c.SetInputGradient(1, c.Op("GatherNd", {c.output_gradient(0), c.input(0)})));
  return c.SetInputGradient(3, c.raw_output_gradient(0));
}

template <typename T> Status DenseAdd(KernelContext& c) {
  using C = ComputeType<T>;
  const Tensor &indices = c.input(0), &values = c.input(1), &shape = c.input(2), &dense = c.input(3);
  if (indices.rank() != 2)
    return InvalidArgument("Input a_indices should be a matrix but received shape: ", indices.shape());
  if (values.rank() != 1 || shape.rank() != 1) {
    return InvalidArgument("Inputs a_values and a_shape should be vectors but received shapes: ", values.shape(),
                           " and ", shape.shape());
  }
  if (values.dim(0) != indices.dim(0) || shape.dim(0) != indices.dim(1)) {
    return InvalidArgument("SparseTensorDenseAdd: sizes do not fit: a_indices=", indices, " a_values=", values,
                           " a_shape=", shape);
  }
  const std::vector<int64_t> extents = IntegersOf(shape), flat = IntegersOf(indices);
  if (!std::ranges::equal(extents, dense.shape().dims())) {
    return InvalidArgument("Dimensions of a and b must be equal: a=", IndexText(extents), " b=", dense.shape());
  }
  const bool reuse = dense.OwnsBuffer();
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOrReuse(0, {3}, dense.shape()));
  if (!reuse || !output->SharesBufferWith(dense))
    Elements(dense.dtype()).Copy(dense.raw(), output->mutable_raw(), dense.num_elements());
  const std::span<T> out = output->mutable_data<T>();
  for (int64_t i = 0; i < values.dim(0); ++i) {
    const auto row = std::span(flat).subspan(static_cast<size_t>(i) * extents.size(), extents.size());
    const int64_t place = PlaceOf(row, extents);
    if (place < 0) return OutOfBounds(i, row, extents);
    T& at = out[static_cast<size_t>(place)];
    at = static_cast<T>(AddFunctor()(static_cast<C>(at), static_cast<C>(values.data<T>()[static_cast<size_t>(i)])));
  }
  return OkStatus();
}

template <typename Make> std::vector<KernelDefinition> NumberKernels(Make make) {
  return KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                    uint64_t, std::complex<float>, std::complex<double>>("T", make);
}

template <typename F> OpDefinition CwiseOp(std::string_view name) {
  return OpDefinition(StrCat(name,
                             "(sp_indices: i64, sp_values: T, sp_shape: i64, dense: T) -> (output: T) | T: type in ",
                             kNumberTypes))
      .Shape(CwiseShape)
      .Kernels(NumberKernels([]<typename T>() { return FunctionKernel(Cwise<F, T>); }));
}

}  // namespace

std::vector<OpDefinition> SparseDenseOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(CwiseOp<AddFunctor>("SparseDenseCwiseAdd").NoGradient("TensorFlow has none"));
  ops.push_back(CwiseOp<MulFunctor>("SparseDenseCwiseMul").Gradient(ProductGradient<true>));
  ops.push_back(CwiseOp<QuotientFunctor>("SparseDenseCwiseDiv").Gradient(ProductGradient<false>));
  ops.push_back(
      OpDefinition(StrCat("SparseTensorDenseAdd(a_indices: Tindices, a_values: T, a_shape: Tindices, b: T) -> "
                          "(output: T) | T: type in ",
                          kNumberTypes, " | Tindices: type in {i32,i64}"))
          .Shape(AddShape)
          .Gradient(AddGradient)
          .Kernels(NumberKernels([]<typename T>() { return FunctionKernel(DenseAdd<T>); })));
  return ops;
}

}  // namespace headrace
