// Split: a tensor cut along an axis into equal parts. SplitV: into parts of given sizes, of which one may be -1 (what is left). Along
// the first dimension the parts share the input's memory. Source: TensorFlow's ops of the same names.
#include "graph/shape_context.h"
#include "kernel/elements.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

Result<int> SplitAxis(const Tensor& axis_tensor, int rank) {
  if (axis_tensor.num_elements() != 1)
    return InvalidArgument("split_dim_tensor must have exactly one element, is ", axis_tensor);
  const int64_t axis = IntegerAt(axis_tensor, 0);
  if (axis < -rank || axis >= rank)
    return InvalidArgument("-input rank(-", rank, ") <= split_dim < input rank (", rank, "), but got ", axis);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

// Replaces the one -1 among the sizes and checks their sum.
Status CompleteSizes(std::vector<int64_t>& sizes, int64_t extent) {
  int64_t sum = 0, open = -1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == -1) {
      if (open >= 0) return InvalidArgument("There can only be one -1 in size_splits");
      open = static_cast<int64_t>(i);
    } else if (sizes[i] < 0) {
      return InvalidArgument("Split size at index ", i, " must be >= 0. Got: ", sizes[i]);
    } else if (__builtin_add_overflow(sum, sizes[i], &sum)) {
      return InvalidArgument("SplitV: the sizes add up to too much");
    }
  }
  if (open >= 0 ? sum > extent : sum != extent) {
    return InvalidArgument(
        "Determined shape must either match input shape along split_dim exactly if fully specified, or be less than "
        "the size of the input along split_dim if not fully specified.  Got: ",
        sum);
  }
  if (open >= 0) sizes[static_cast<size_t>(open)] = extent - sum;
  return OkStatus();
}

Result<std::vector<int64_t>> EqualSizes(int64_t extent, int axis, int num_split) {
  if (extent % num_split != 0) {
    return InvalidArgument("Number of ways to split should evenly divide the split dimension, but got split_dim ", axis,
                           " (size = ", extent, ") and num_split ", num_split);
  }
  return std::vector<int64_t>(static_cast<size_t>(num_split), extent / num_split);
}

// `sizes` along the axis; -1 where unknown.
Status SetPartShapes(ShapeContext& c, const PartialShape& value, int axis, const std::vector<int64_t>& sizes) {
  for (int i = 0; i < c.num_outputs(); ++i) {
    PartialShape part = value;
    part.SetDim(axis, sizes[static_cast<size_t>(i)]);
    HR_RETURN_IF_ERROR(c.SetOutput(i, std::move(part)));
  }
  return OkStatus();
}

Status UnknownParts(ShapeContext& c, const PartialShape& value) {
  for (int i = 0; i < c.num_outputs(); ++i) {
    HR_RETURN_IF_ERROR(c.SetOutput(i, value.has_rank() ? PartialShape::UnknownOfRank(value.rank()) : PartialShape()));
  }
  return OkStatus();
}

Status SplitShape(ShapeContext& c) {
  const PartialShape& value = c.input(1);
  const Tensor* axis_tensor = c.constant(0);
  if (axis_tensor == nullptr || !value.has_rank()) return UnknownParts(c, value);
  HR_ASSIGN_OR_RETURN(const int axis, SplitAxis(*axis_tensor, value.rank()));
  if (value.dim(axis) < 0)
    return SetPartShapes(c, value, axis, std::vector<int64_t>(static_cast<size_t>(c.num_outputs()), -1));
  HR_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, EqualSizes(value.dim(axis), axis, c.num_outputs()));
  return SetPartShapes(c, value, axis, sizes);
}

Status SplitVShape(ShapeContext& c) {
  const PartialShape& value = c.input(0);
  const Tensor* axis_tensor = c.constant(2);
  if (axis_tensor == nullptr || !value.has_rank()) return UnknownParts(c, value);
  HR_ASSIGN_OR_RETURN(const int axis, SplitAxis(*axis_tensor, value.rank()));
  auto sizes = ConstantIntegers(c, 1);
  if (!sizes || static_cast<int>(sizes->size()) != c.num_outputs())
    sizes.emplace(static_cast<size_t>(c.num_outputs()), -1);
  if (value.dim(axis) >= 0 && c.constant(1) != nullptr) HR_RETURN_IF_ERROR(CompleteSizes(*sizes, value.dim(axis)));
  return SetPartShapes(c, value, axis, *sizes);
}

Status JoinGradients(GradientContext& c, int input, Endpoint axis) {
  std::vector<Endpoint> inputs;
  for (int i = 0; i < c.node().num_outputs(); ++i) inputs.push_back(c.output_gradient(i));
  if (inputs.size() == 1) return c.SetInputGradient(input, inputs[0]);
  inputs.push_back(axis);
  return c.SetInputGradient(input, c.Op("ConcatV2", std::move(inputs)));
}
Status SplitGradient(GradientContext& c) { return JoinGradients(c, 1, c.input(0)); }
Status SplitVGradient(GradientContext& c) { return JoinGradients(c, 0, c.input(2)); }

Status SplitInto(KernelContext& context, const Tensor& value, int axis, const std::vector<int64_t>& sizes) {
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < value.rank(); ++d) {
    if (d < axis) outer *= value.dim(d);
    if (d > axis) inner *= value.dim(d);
  }
  const Elements elements(value.dtype());
  int64_t begin = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int output = static_cast<int>(i);
    if (axis == 0 && IsPlainData(value.dtype())) {
      HR_RETURN_IF_ERROR(context.SetOutput(output, value.Slice(begin, begin + sizes[i])));
    } else {
      Shape shape = value.shape();
      shape.SetDim(axis, sizes[i]);
      HR_ASSIGN_OR_RETURN(Tensor * part, context.AllocateOutput(output, shape));
      const int64_t run = sizes[i] * inner, row = value.dim(axis) * inner;
      context.ParallelFor(outer, 5 + 0.3 * static_cast<double>(run), [&](int64_t from, int64_t to) {
        for (int64_t k = from; k < to; ++k) {
          elements.Copy(elements.At(value.raw(), k * row + begin * inner), elements.At(part->mutable_raw(), k * run),
                        run);
        }
      });
    }
    begin += sizes[i];
  }
  return OkStatus();
}

Status SplitKernel(KernelContext& context) {
  const Tensor& value = context.input(1);
  HR_ASSIGN_OR_RETURN(const int axis, SplitAxis(context.input(0), value.rank()));
  HR_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, EqualSizes(value.dim(axis), axis, context.num_outputs()));
  return SplitInto(context, value, axis, sizes);
}

Status SplitVKernel(KernelContext& context) {
  const Tensor& value = context.input(0);
  HR_ASSIGN_OR_RETURN(const int axis, SplitAxis(context.input(2), value.rank()));
  std::vector<int64_t> sizes = IntegersOf(context.input(1));
  if (context.input(1).rank() != 1 || static_cast<int>(sizes.size()) != context.num_outputs()) {
    return InvalidArgument("size of the split_tensor must be 1-D and have the same elements as outputs got ",
                           context.input(1).shape(), " vs ", context.num_outputs());
  }
  HR_RETURN_IF_ERROR(CompleteSizes(sizes, value.dim(axis)));
  return SplitInto(context, value, axis, sizes);
}

}  // namespace

std::vector<OpDefinition> SplitOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("Split(split_dim: i32, value: T) -> (output: num_split * T) | num_split: int >= 1 | T: type")
          .Shape(SplitShape)
          .Gradient(SplitGradient)
          .Kernels(AnyType(FunctionKernel(SplitKernel))));
  ops.push_back(
      OpDefinition(
          "SplitV(value: T, size_splits: Tlen, split_dim: i32) -> (output: num_split * T) | num_split: int >= 1 | "
          "T: type | Tlen: type = i64 in {i8,i32,i64}")
          .Shape(SplitVShape)
          .Gradient(SplitVGradient)
          .Kernels(AnyType(FunctionKernel(SplitVKernel))));
  return ops;
}

}  // namespace headrace
