// ConcatV2: tensors joined along an axis. ConcatOffset: where each of them begins in the result. Source: TensorFlow's ops.
#include "ops/array/concat.h"

#include "graph/shape_context.h"
#include "kernel/elements.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

Status ConcatShape(ShapeContext& c) {
  const int n = c.num_inputs() - 1;
  HR_RETURN_IF_ERROR(c.RequireScalar(n));
  int rank = -1;
  for (int i = 0; i < n && rank < 0; ++i) rank = c.input(i).rank();
  if (rank < 0) return c.SetOutput(0, PartialShape());
  const auto axis_value = ConstantIntegers(c, n);
  if (!axis_value) return c.SetOutput(0, PartialShape::UnknownOfRank(rank));
  HR_ASSIGN_OR_RETURN(const int axis, NormalizeAxis("ConcatV2", (*axis_value)[0], rank));
  PartialShape shape = PartialShape::UnknownOfRank(rank);
  int64_t total = 0;
  for (int i = 0; i < n; ++i) {
    HR_ASSIGN_OR_RETURN(PartialShape part, c.InputOfRank(i, rank));
    const int64_t extent = part.dim(axis);
    total = extent < 0 || total < 0 ? PartialShape::kUnknownDim : total + extent;
    part.SetDim(axis, PartialShape::kUnknownDim);
    Result<PartialShape> merged = shape.MergeWith(part);
    if (!merged.ok())
      return InvalidArgument("ConcatV2: shapes differ beside axis ", axis, ": ", c.input(0), " and ", c.input(i));
    shape = *std::move(merged);
  }
  shape.SetDim(axis, total);
  return c.SetOutput(0, std::move(shape));
}

// Each input's gradient is its slice of dy.
Status ConcatGradient(GradientContext& c) {
  const int n = c.num_inputs() - 1;
  const Formula dy = OutputGradientFormula(c);
  const Endpoint rank = c.Op("Rank", {dy});
  Formula axis(c.builder(), c.input(n));
  if (axis.endpoint().dtype() != DType::kInt32) axis = axis.Apply("Cast", {}, {{"DstT", DType::kInt32}});
  std::vector<Endpoint> shapes;
  for (int i = 0; i < n; ++i) shapes.push_back(ShapeOf(c.builder(), c.input(i)));
  std::vector<Endpoint> inputs = shapes;
  inputs.insert(inputs.begin(), axis.Apply("FloorMod", {rank}));
  Node* offsets = c.builder().AddNode("ConcatOffset", inputs);
  for (int i = 0; offsets != nullptr && i < n; ++i) {
    HR_RETURN_IF_ERROR(
        c.SetInputGradient(i, dy.Apply("Slice", {Endpoint{offsets, i}, shapes[static_cast<size_t>(i)]})));
  }
  return c.builder().status();
}

Result<int> ConcatAxis(const Tensor& axis_tensor, int rank) {
  if (axis_tensor.num_elements() != 1) {
    return InvalidArgument("ConcatOp : Expected concatenating dimensions to be a scalar, got shape ",
                           axis_tensor.shape());
  }
  const int64_t axis = IntegerAt(axis_tensor, 0);
  if (axis < -rank || axis >= rank) {
    return InvalidArgument("ConcatOp : Expected concatenating dimensions in the range [", -rank, ", ", rank,
                           "), but got ", axis);
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Status ConcatKernel(KernelContext& context) {
  const int n = context.num_inputs() - 1;
  const Tensor& first = context.input(0);
  HR_ASSIGN_OR_RETURN(const int axis, ConcatAxis(context.input(n), first.rank()));
  std::vector<int64_t> dims(first.shape().dims().begin(), first.shape().dims().end());
  int64_t& total = dims[static_cast<size_t>(axis)];
  total = 0;
  for (int i = 0; i < n; ++i) {
    const Shape& shape = context.input(i).shape();
    if (shape.rank() != first.rank()) {
      return InvalidArgument("ConcatOp : Ranks of all input tensors should match: shape[0] = ", first.shape(),
                             " vs. shape[", i, "] = ", shape);
    }
    for (int d = 0; d < shape.rank(); ++d) {
      if (d == axis || shape.dim(d) == first.dim(d)) continue;
      return InvalidArgument("ConcatOp : Dimension ", d, " in both shapes must be equal: shape[0] = ", first.shape(),
                             " vs. shape[", i, "] = ", shape);
    }
    if (__builtin_add_overflow(total, shape.dim(axis), &total))
      return InvalidArgument("ConcatOp : the result is too large");
  }
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
  if (shape.num_elements() == 0) return OkStatus();
  int64_t outer = 1;
  for (int d = 0; d < axis; ++d) outer *= shape.dim(d);
  std::vector<ConcatPart> parts;
  for (int i = 0; i < n; ++i) {
    if (context.input(i).num_elements() > 0)
      parts.push_back({context.input(i).raw(), context.input(i).num_elements() / outer});
  }
  Concatenate(context, first.dtype(), outer, parts, output->mutable_raw());
  return OkStatus();
}

Status ConcatOffsetShape(ShapeContext& c) {
  for (int i = 0; i < c.num_outputs(); ++i) HR_RETURN_IF_ERROR(c.SetOutput(i, c.input(i + 1)));
  return OkStatus();
}

Status ConcatOffsetKernel(KernelContext& context) {
  if (context.input(0).num_elements() != 1)
    return InvalidArgument("Concat dim tensor should be a scalar, but got shape ", context.input(0).shape());
  const Tensor& first = context.input(1);
  const int64_t rank = first.num_elements(), given = IntegerAt(context.input(0), 0);
  const int64_t axis = given < 0 ? given + rank : given;
  if (axis < 0 || axis >= rank) return InvalidArgument("Concat dim is out of range: ", given, " vs. ", rank);
  int64_t offset = 0;
  for (int i = 0; i < context.num_outputs(); ++i) {
    const Tensor& dims = context.input(i + 1);
    if (dims.rank() != 1) return InvalidArgument("input ", i, " should be a vector, but got shape ", dims.shape());
    if (dims.num_elements() != rank) {
      return InvalidArgument("input ", i, " should contain ", rank, " elements, but got ", dims.num_elements());
    }
    for (int64_t d = 0; d < rank; ++d) {
      if (d == axis || IntegerAt(dims, d) == IntegerAt(first, d)) continue;
      return InvalidArgument("All dimensions except ", axis, " must match. Input ", i, " has shape [",
                             StrJoin(IntegersOf(dims), " "), "] and doesn't match input 0 with shape [",
                             StrJoin(IntegersOf(first), " "), "].");
    }
    HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(i, Shape({rank})));
    HR_RETURN_IF_ERROR((ForDType<int32_t, int64_t>(dims.dtype(), "ConcatOffset", [&]<typename T>() {
      std::fill_n(output->mutable_data<T>().begin(), rank, T(0));
      output->mutable_data<T>()[static_cast<size_t>(axis)] = static_cast<T>(offset);
      return OkStatus();
    })));
    if (__builtin_add_overflow(offset, IntegerAt(dims, axis), &offset))
      return InvalidArgument("ConcatOffset: the sizes add up to too much");
  }
  return OkStatus();
}

}  // namespace

void Concatenate(const KernelContext& context, DType dtype, int64_t outer, const std::vector<ConcatPart>& parts,
                 void* to) {
  const Elements elements(dtype);
  int64_t total = 0;
  for (const ConcatPart& part : parts) total += part.inner;
  const double cost_ns = 0.3 * static_cast<double>(total) + 5.0 * static_cast<double>(parts.size());
  context.ParallelFor(outer, cost_ns, [&](int64_t begin, int64_t end) {
    char* target = elements.At(to, begin * total);
    for (int64_t i = begin; i < end; ++i) {
      for (const ConcatPart& part : parts) {
        elements.Copy(elements.At(part.data, i * part.inner), target, part.inner);
        target += part.inner * elements.size();
      }
    }
  });
}

std::vector<OpDefinition> ConcatOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "ConcatV2(values: N * T, axis: Tidx) -> (output: T) | N: int >= 2 | T: type | Tidx: type = i32 in {i32,i64}")
          .Shape(ConcatShape)
          .Gradient(ConcatGradient)
          .Kernels(AnyType(FunctionKernel(ConcatKernel))));
  ops.push_back(
      OpDefinition("ConcatOffset(concat_dim: i32, shape: N * shape_type) -> (offset: N * shape_type) | N: int >= 2 | "
                   "shape_type: type = i32 in {i32,i64}")
          .Shape(ConcatOffsetShape)
          .NoGradient("not differentiable: positions")
          .Kernels(AnyType(FunctionKernel(ConcatOffsetKernel), /*cheap=*/true)));
  return ops;
}

}  // namespace headrace
