// Transpose: y[i_perm[0], i_perm[1], ...] = x[i_0, i_1, ...]. ConjugateTranspose: the conjugate of that. InvertPermutation: y[x[i]] = i.
// Source: TensorFlow's ops of the same names.
#include <algorithm>
#include <complex>

#include "graph/shape_context.h"
#include "kernel/strided_copy.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

Status CheckPermutation(const std::vector<int64_t>& perm, int rank) {
  if (static_cast<int>(perm.size()) != rank) {
    return InvalidArgument("transpose expects a vector of size ", rank, ". But input(1) is a vector of size ",
                           perm.size());
  }
  std::vector<bool> seen(perm.size(), false);
  for (int64_t axis : perm) {
    if (axis < -rank || axis >= rank) return InvalidArgument(axis, " is out of range [0 .. ", rank, ")");
    seen[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  for (size_t d = 0; d < seen.size(); ++d) {
    if (!seen[d]) return InvalidArgument(d, " is missing from {", StrJoin(perm, ","), "}.");
  }
  return OkStatus();
}

Status TransposeShape(ShapeContext& c) {
  const PartialShape& x = c.input(0);
  const auto perm = ConstantIntegers(c, 1);
  if (!x.has_rank() || !perm)
    return c.SetOutput(0, x.has_rank() ? PartialShape::UnknownOfRank(x.rank()) : PartialShape());
  HR_RETURN_IF_ERROR(CheckPermutation(*perm, x.rank()));
  PartialShape shape = PartialShape::Scalar();
  for (int64_t axis : *perm) shape.AppendDim(x.dim(static_cast<int>(axis < 0 ? axis + x.rank() : axis)));
  return c.SetOutput(0, std::move(shape));
}

Status TransposeGradient(GradientContext& c) {  // the op itself, the other way
  const Endpoint back = c.Op("InvertPermutation", {c.input(1)});
  return c.SetInputGradient(0, OutputGradientFormula(c).Apply(c.node().op(), {back}));
}

Status TransposeKernel(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (context.input(1).rank() != 1) return InvalidArgument("perm must be rank 1, got shape ", context.input(1).shape());
  const std::vector<int64_t> perm = IntegersOf(context.input(1));
  HR_RETURN_IF_ERROR(CheckPermutation(perm, x.rank()));
  const std::vector<int64_t> x_strides = DenseStrides(x.shape().dims());
  Shape shape;
  bool moves = false;
  int last = -1;  // the last dimension that is longer than 1: only the order of those matters
  for (int64_t given : perm) {
    const int axis = static_cast<int>(given < 0 ? given + x.rank() : given);
    shape.AppendDim(x.dim(axis));
    if (x.dim(axis) == 1) continue;
    moves |= axis < last;
    last = axis;
  }
  if (!moves) return context.SetOutput(0, context.TakeInput(0).Reshaped(shape));
  HR_ASSIGN_OR_RETURN(Tensor * y, context.AllocateOutput(0, shape));
  const std::vector<int64_t> y_strides = DenseStrides(shape.dims());
  std::vector<CopyDim> dims;
  for (size_t d = 0; d < perm.size(); ++d) {
    const size_t axis = static_cast<size_t>(perm[d] < 0 ? perm[d] + x.rank() : perm[d]);
    dims.push_back({shape.dim(static_cast<int>(d)), x_strides[axis], y_strides[d]});
  }
  StridedCopy(context, x.dtype(), dims, x.raw(), y->mutable_raw());
  return OkStatus();
}

Status ConjugateTransposeKernel(KernelContext& context) {
  HR_RETURN_IF_ERROR(TransposeKernel(context));
  const Tensor turned = context.output(0);
  if (!IsComplex(turned.dtype())) return OkStatus();
  HR_ASSIGN_OR_RETURN(Tensor * y, context.AllocateOutput(0, turned.shape()));
  return ForDType<std::complex<float>, std::complex<double>>(turned.dtype(), "ConjugateTranspose", [&]<typename T>() {
    std::ranges::transform(turned.data<T>(), y->mutable_data<T>().begin(), [](const T& x) { return std::conj(x); });
    return OkStatus();
  });
}

Status InvertPermutationShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.InputOfRank(0, 1));
  return c.SetOutput(0, std::move(shape));
}

Status InvertPermutationKernel(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (x.rank() != 1) return InvalidArgument("invert_permutation expects a 1D vector.");
  HR_ASSIGN_OR_RETURN(Tensor * y, context.AllocateOutput(0, x.shape()));
  return ForDType<int32_t, int64_t>(x.dtype(), "InvertPermutation", [&]<typename T>() {
    const std::span<const T> from = x.data<T>();
    const std::span<T> to = y->mutable_data<T>();
    std::fill(to.begin(), to.end(), T(-1));
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i] < 0 || static_cast<size_t>(from[i]) >= from.size())
        return InvalidArgument(from[i], " is not between 0 and ", from.size());
      T& place = to[static_cast<size_t>(from[i])];
      if (place != T(-1)) return InvalidArgument(from[i], " is duplicated in the input.");
      place = static_cast<T>(i);
    }
    return OkStatus();
  });
}

}  // namespace

std::vector<OpDefinition> TransposeOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("Transpose(x: T, perm: Tperm) -> (y: T) | T: type | Tperm: type = i32 in {i32,i64}")
                    .Shape(TransposeShape)
                    .Gradient(TransposeGradient)
                    .Kernels(AnyType(FunctionKernel(TransposeKernel))));
  ops.push_back(
      OpDefinition("ConjugateTranspose(x: T, perm: Tperm) -> (y: T) | T: type | Tperm: type = i32 in {i32,i64}")
          .Shape(TransposeShape)
          .Gradient(TransposeGradient)
          .Kernels(AnyType(FunctionKernel(ConjugateTransposeKernel))));
  ops.push_back(OpDefinition("InvertPermutation(x: T) -> (y: T) | T: type = i32 in {i32,i64}")
                    .Shape(InvertPermutationShape)
                    .NoGradient("not differentiable: integers")
                    .Kernels(AnyType(FunctionKernel(InvertPermutationKernel), /*cheap=*/true)));
  return ops;
}

}  // namespace headrace
