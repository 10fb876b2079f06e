// SparseAdd: the sum of two sparse tensors of one shape whose entries are in order; sums of two entries with a magnitude below `thresh`
// are left out.
// SparseAddGrad: the gradients of both tensors' values.
#include <algorithm>
#include <cmath>

#include "ops/formula.h"
#include "ops/math/elementwise.h"
#include "ops/signature_types.h"
#include "ops/sparse/sparse_ops.h"
#include "ops/sparse/sparse_tensor.h"

namespace headrace {

namespace {

Status AddShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const int64_t rank, SparseRank(c, 0, 2));
  return SetSparseShapes(c, 0, PartialShape::kUnknownDim, rank);
}

Status AddGradient(GradientContext& c) {
  const Endpoint a = c.Op("SparseAddGrad", {c.output_gradient(1), c.input(0), c.input(3), c.output(0)});
  if (!a) return c.builder().status();
  HR_RETURN_IF_ERROR(c.SetInputGradient(1, a));
  return c.SetInputGradient(4, Endpoint{a.node, 1});
}

/// -1, 0 or 1, as entry i of a stands before, at or after entry j of b.
int Order(std::span<const int64_t> a, std::span<const int64_t> b) {
  for (size_t d = 0; d < a.size(); ++d) {
    if (a[d] != b[d]) return a[d] < b[d] ? -1 : 1;
  }
  return 0;
}

template <typename C> double MagnitudeOf(const C& value) {
  if constexpr (std::is_unsigned_v<C>)
    return static_cast<double>(value);
  else
    return static_cast<double>(std::abs(value));
}

template <typename T> Status Add(KernelContext& c) {
  using C = ComputeType<T>;
  HR_ASSIGN_OR_RETURN(const SparseView a, ReadSparse(c, 0));
  HR_ASSIGN_OR_RETURN(const SparseView b, ReadSparse(c, 3));
  if (!std::ranges::equal(a.shape, b.shape)) {
    return InvalidArgument("Operands' shapes do not match: got ", IndexText(a.shape), " and ", IndexText(b.shape));
  }
  if (c.input(6).num_elements() != 1)
    return InvalidArgument("The magnitude threshold must be a scalar: got shape ", c.input(6).shape());
  double thresh = 0;
  HR_RETURN_IF_ERROR((
      ForDType<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(
          c.input(6).dtype(), "SparseAdd", [&]<typename R>() {
            thresh = static_cast<double>(static_cast<ComputeType<R>>(c.input(6).data<R>()[0]));
            return OkStatus();
          })));
  const std::span<const T> x = a.values->data<T>(), y = b.values->data<T>();
  std::vector<int64_t> indices;
  std::vector<T> sums;
  for (int64_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const int order = j == b.size() ? -1 : i == a.size() ? 1 : Order(a.row(i), b.row(j));
    const std::span<const int64_t> index = order <= 0 ? a.row(i) : b.row(j);
    C sum{};
    if (order <= 0) sum = static_cast<C>(x[static_cast<size_t>(i++)]);
    if (order == 0)
      sum = AddFunctor()(sum, static_cast<C>(y[static_cast<size_t>(j++)]));
    else if (order > 0)
      sum = static_cast<C>(y[static_cast<size_t>(j++)]);
    if (order == 0 && MagnitudeOf(sum) < thresh) continue;
    indices.insert(indices.end(), index.begin(), index.end());
    sums.push_back(static_cast<T>(sum));
  }
  HR_ASSIGN_OR_RETURN(Tensor* const out, c.AllocateOutput(0, Shape({std::ssize(sums), a.rank()})));
  std::ranges::copy(indices, out->mutable_data<int64_t>().begin());
  HR_ASSIGN_OR_RETURN(Tensor* const values, c.AllocateOutput(1, Shape({std::ssize(sums)})));
  std::ranges::copy(sums, values->mutable_data<T>().begin());
  return c.SetOutput(2, c.input(2));
}

Status GradShape(ShapeContext& c) {
  for (int i = 0; i < 2; ++i) {
    HR_ASSIGN_OR_RETURN(const PartialShape indices, c.InputOfRank(i + 1, 2));
    HR_RETURN_IF_ERROR(c.SetOutput(i, PartialShape({indices.dim(0)})));
  }
  return OkStatus();
}

// Each operand's entries stand in the sum in the same order; those that were left out get 0.
template <typename T> Status AddGrad(KernelContext& c) {
  const Tensor &gradient = c.input(0), &sum = c.input(3);
  for (int i = 1; i < 4; ++i) {
    if (c.input(i).rank() != 2 || c.input(i).dim(1) != c.input(1).dim(1)) {
      return InvalidArgument("SparseAddGrad: indices should be matrices of equal width, got ", c.input(1), ", ",
                             c.input(2), ", ", c.input(3));
    }
  }
  if (gradient.rank() != 1 || gradient.dim(0) != sum.dim(0)) {
    return InvalidArgument("# elements in backprop_val_grad and # rows in sum_indices should match (#nnz of sum): got ",
                           gradient, " and ", sum);
  }
  const auto rank = static_cast<size_t>(sum.dim(1));
  const auto row = [rank](const Tensor& indices, int64_t i) {
    return indices.data<int64_t>().subspan(static_cast<size_t>(i) * rank, rank);
  };
  for (int operand = 0; operand < 2; ++operand) {
    const Tensor& own = c.input(operand + 1);
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(operand, Shape({own.dim(0)})));
    int64_t next = 0;
    for (int64_t i = 0; i < own.dim(0); ++i) {
      while (next < sum.dim(0) && Order(row(sum, next), row(own, i)) < 0) ++next;
      const bool there = next < sum.dim(0) && Order(row(sum, next), row(own, i)) == 0;
      output->mutable_data<T>()[static_cast<size_t>(i)] = there ? gradient.data<T>()[static_cast<size_t>(next)] : T{};
    }
  }
  return OkStatus();
}

template <typename Make> std::vector<KernelDefinition> NumberKernels(Make make) {
  return KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, std::complex<float>,
                    std::complex<double>>("T", make);
}

}  // namespace

std::vector<OpDefinition> SparseAddOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(StrCat("SparseAdd(a_indices: i64, a_values: T, a_shape: i64, b_indices: i64, b_values: T, "
                          "b_shape: i64, thresh: Treal) -> (sum_indices: i64, sum_values: T, sum_shape: i64) | "
                          "T: type in ",
                          kNumberTypes, " | Treal: type in ", kRealTypes))
          .Shape(AddShape)
          .Gradient(AddGradient)
          .Kernels(NumberKernels([]<typename T>() { return FunctionKernel(Add<T>); })));
  ops.push_back(
      OpDefinition(StrCat("SparseAddGrad(backprop_val_grad: T, a_indices: i64, b_indices: i64, sum_indices: i64) "
                          "-> (a_val_grad: T, b_val_grad: T) | T: type in ",
                          kNumberTypes))
          .Shape(GradShape)
          .NoGradient("TensorFlow has none")
          .Kernels(NumberKernels([]<typename T>() { return FunctionKernel(AddGrad<T>); })));
  return ops;
}

}  // namespace headrace
