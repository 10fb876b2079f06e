// Pad, PadV2: the input with paddings[d] = (before, after) elements added along each dimension: zeros, or a given value.
// Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "kernel/strided_copy.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

// `paddings` as [rank, 2], row by row. Unknown extents (-1) stay so.
Result<std::vector<int64_t>> PaddedDims(std::span<const int64_t> dims, const std::vector<int64_t>& paddings) {
  if (paddings.size() != 2 * dims.size()) {
    return InvalidArgument("The first dimension of paddings must be the rank of inputs: ", paddings.size() / 2,
                           " rows for rank ", dims.size());
  }
  std::vector<int64_t> padded(dims.begin(), dims.end());
  for (size_t d = 0; d < dims.size(); ++d) {
    const int64_t before = paddings[2 * d], after = paddings[2 * d + 1];
    if (before < 0 || after < 0) return InvalidArgument("Paddings must be non-negative: ", before, " ", after);
    if (dims[d] < 0) continue;
    if (__builtin_add_overflow(padded[d], before, &padded[d]) || __builtin_add_overflow(padded[d], after, &padded[d])) {
      return InvalidArgument("Pad: the result is too large: ", before, " ", after);
    }
  }
  return padded;
}

Status PadShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(1, 2));
  const PartialShape& input = c.input(0);
  const auto paddings = ConstantIntegers(c, 1);
  if (!input.has_rank()) {
    const bool rows_known = c.input(1).has_rank() && c.input(1).dim(0) >= 0;
    return c.SetOutput(0,
                       rows_known ? PartialShape::UnknownOfRank(static_cast<int>(c.input(1).dim(0))) : PartialShape());
  }
  if (!paddings) return c.SetOutput(0, PartialShape::UnknownOfRank(input.rank()));
  HR_ASSIGN_OR_RETURN(std::vector<int64_t> dims, PaddedDims(input.dims(), *paddings));
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

// The box of dy that the input fills; the padding value takes the rest.
Status PadGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c), paddings = InputFormula(c, 1);
  const Endpoint first_column = IntVector(c.builder(), {0, 0}), whole = IntVector(c.builder(), {-1, 1});
  const Formula before =
      paddings.Apply("Slice", {first_column, whole}).Apply("Reshape", {IntVector(c.builder(), {-1})});
  const Formula shape(c.builder(), c.Op("Shape", {c.input(0)}, {{"out_type", c.input(1).dtype()}}));
  const Formula inside = dy.Apply("Slice", {before, shape});
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, inside));
  if (c.num_inputs() < 3) return OkStatus();
  const auto sum = [&](const Formula& x) {
    const Formula flat = x.Apply("Reshape", {IntVector(c.builder(), {-1})});
    return flat.Apply("Sum", {IntVector(c.builder(), {0})});
  };
  return c.SetInputGradient(2, sum(dy) - sum(inside));
}

Status PadKernel(KernelContext& context) {
  const Tensor& input = context.input(0);
  const Tensor& paddings_tensor = context.input(1);
  if (paddings_tensor.rank() != 2 || paddings_tensor.dim(1) != 2) {
    return InvalidArgument("paddings must be a matrix with 2 columns: ", paddings_tensor.shape());
  }
  const std::vector<int64_t> paddings = IntegersOf(paddings_tensor);
  HR_ASSIGN_OR_RETURN(const std::vector<int64_t> padded, PaddedDims(input.shape().dims(), paddings));
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(padded));
  const bool has_value = context.num_inputs() == 3;
  if (has_value && context.input(2).num_elements() != 1) {
    return InvalidArgument("constant_values must be a scalar. Found: ", context.input(2).shape());
  }
  if (shape == input.shape()) return context.SetOutput(0, context.TakeInput(0));
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
  if (shape.num_elements() == 0) return OkStatus();
  const Elements elements(input.dtype());
  if (has_value) {
    elements.Fill(context.input(2).raw(), output->mutable_raw(), shape.num_elements());
  } else {
    elements.FillZero(output->mutable_raw(), shape.num_elements());
  }
  if (input.num_elements() == 0) return OkStatus();
  const std::vector<int64_t> from = DenseStrides(input.shape().dims()), to = DenseStrides(shape.dims());
  std::vector<CopyDim> dims;
  int64_t offset = 0;
  for (int d = 0; d < input.rank(); ++d) {
    const size_t at = static_cast<size_t>(d);
    dims.push_back({input.dim(d), from[at], to[at]});
    offset += paddings[2 * at] * to[at];
  }
  StridedCopy(context, input.dtype(), dims, input.raw(), elements.At(output->mutable_raw(), offset));
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> PadOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("Pad(input: T, paddings: Tpaddings) -> (output: T) | T: type | Tpaddings: type = i32 in {i32,i64}")
          .Shape(PadShape)
          .Gradient(PadGradient)
          .Kernels(AnyType(FunctionKernel(PadKernel))));
  ops.push_back(OpDefinition("PadV2(input: T, paddings: Tpaddings, constant_values: T) -> (output: T) | T: type | "
                             "Tpaddings: type = i32 in {i32,i64}")
                    .Shape(PadShape)
                    .Gradient(PadGradient)
                    .Kernels(AnyType(FunctionKernel(PadKernel))));
  return ops;
}

}  // namespace headrace
