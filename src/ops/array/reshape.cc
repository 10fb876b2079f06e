// Reshape, Squeeze, ExpandDims: the same elements under another shape; nothing is copied. Source: TensorFlow's ops.
#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

Status ReshapeGradient(GradientContext& c) {
  return c.SetInputGradient(0, OutputGradientFormula(c).Apply("Reshape", {ShapeOf(c.builder(), c.input(0))}));
}

// One unknown extent follows from the number of elements.
Status ReshapeShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.ShapeFromInput(1));
  const std::optional<int64_t> count = c.input(0).has_rank() ? c.input(0).num_elements() : std::nullopt;
  if (!shape.has_rank() || !count) return c.SetOutput(0, std::move(shape));
  int64_t known = 1;
  int unknown = -1, num_unknown = 0;
  for (int d = 0; d < shape.rank(); ++d) {
    if (shape.dim(d) < 0) {
      unknown = d, ++num_unknown;
    } else if (__builtin_mul_overflow(known, shape.dim(d), &known)) {
      return InvalidArgument("Reshape: too many elements: ", shape);
    }
  }
  if (num_unknown == 0 && known != *count) {
    return InvalidArgument("Cannot reshape a tensor with ", *count, " elements to shape ", shape, " (", known,
                           " elements)");
  }
  if (num_unknown == 1 && known > 0) {
    if (*count % known != 0) {
      return InvalidArgument("Input to reshape is a tensor with ", *count,
                             " values, but the requested shape requires a multiple of ", known);
    }
    shape.SetDim(unknown, *count / known);
  }
  return c.SetOutput(0, std::move(shape));
}

Status ReshapeKernel(KernelContext& context) {
  const Tensor& sizes = context.input(1);
  const int64_t count = context.input(0).num_elements();
  if (sizes.rank() > 1) return InvalidArgument("sizes input must be 1-D, not ", sizes.shape());
  std::vector<int64_t> dims = IntegersOf(sizes);
  int64_t known = 1;
  int64_t inferred = -1;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (dims[d] == -1) {
      if (inferred >= 0) return InvalidArgument("Only one input size may be -1, not both ", inferred, " and ", d);
      inferred = static_cast<int64_t>(d);
    } else if (dims[d] < 0) {
      return InvalidArgument("Size ", d, " must be non-negative, not ", dims[d]);
    } else if (__builtin_mul_overflow(known, dims[d], &known)) {
      return InvalidArgument("Reshape: the requested shape has too many elements: ", sizes.Summary());
    }
  }
  if (inferred >= 0) {
    if (known == 0) {
      return InvalidArgument(
          "reshape cannot infer the missing input size for an empty tensor unless all specified input sizes are "
          "non-zero");
    }
    if (count % known != 0) {
      return InvalidArgument("Input to reshape is a tensor with ", count,
                             " values, but the requested shape requires a multiple of ", known);
    }
    dims[static_cast<size_t>(inferred)] = count / known;
  } else if (known != count) {
    return InvalidArgument("Input to reshape is a tensor with ", count, " values, but the requested shape has ", known);
  }
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  return context.SetOutput(0, context.TakeInput(0).Reshaped(shape));
}

// Which of the dimensions go. Extents of -1 are unknown.
Result<std::vector<int64_t>> Squeezed(std::span<const int64_t> dims, const std::vector<int64_t>& axes) {
  const int64_t rank = static_cast<int64_t>(dims.size());
  std::vector<bool> goes(dims.size(), false);
  for (int64_t axis : axes) {
    if (axis < -rank || axis >= rank)
      return InvalidArgument("Tried to squeeze dim index ", axis, " for tensor with ", rank, " dimensions.");
    const size_t d = static_cast<size_t>(axis < 0 ? axis + rank : axis);
    if (dims[d] != 1 && dims[d] >= 0)
      return InvalidArgument("Can not squeeze dim[", d, "], expected a dimension of 1, got ", dims[d]);
    goes[d] = true;
  }
  std::vector<int64_t> kept;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (axes.empty() ? dims[d] != 1 : !goes[d]) kept.push_back(dims[d]);
  }
  return kept;
}

Status SqueezeShape(ShapeContext& c) {
  const auto axes = c.attr<std::vector<int64_t>>("squeeze_dims");
  const PartialShape& input = c.input(0);
  if (!input.has_rank() || (axes.empty() && !input.IsFullyKnown())) return c.SetOutput(0, PartialShape());
  HR_ASSIGN_OR_RETURN(std::vector<int64_t> dims, Squeezed(input.dims(), axes));
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

class SqueezeKernel final : public Kernel {
 public:
  explicit SqueezeKernel(KernelConstruction& construction)
      : axes_(construction.attr<std::vector<int64_t>>("squeeze_dims")) {}

  Status Compute(KernelContext& context) override {
    HR_ASSIGN_OR_RETURN(const std::vector<int64_t> dims, Squeezed(context.input(0).shape().dims(), axes_));
    return context.SetOutput(0, context.TakeInput(0).Reshaped(Shape(dims)));
  }

 private:
  const std::vector<int64_t> axes_;
};

Result<int> ExpandAxis(const Tensor& dim, int rank) {
  if (dim.num_elements() != 1) return InvalidArgument("'dim' must be a tensor with a single value, is ", dim);
  const int64_t axis = IntegerAt(dim, 0);
  if (axis < -1 - rank || axis > rank) {
    return InvalidArgument("Tried to expand dim index ", axis, " for tensor with ", rank, " dimensions.");
  }
  return static_cast<int>(axis < 0 ? axis + rank + 1 : axis);
}

Status ExpandDimsShape(ShapeContext& c) {
  const PartialShape& input = c.input(0);
  if (!input.has_rank()) return c.SetOutput(0, PartialShape());
  const Tensor* dim = c.constant(1);
  if (dim == nullptr) return c.SetOutput(0, PartialShape::UnknownOfRank(input.rank() + 1));
  HR_ASSIGN_OR_RETURN(const int axis, ExpandAxis(*dim, input.rank()));
  std::vector<int64_t> dims(input.dims().begin(), input.dims().end());
  dims.insert(dims.begin() + axis, 1);
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

Status ExpandDimsKernel(KernelContext& context) {
  const Shape& input = context.input(0).shape();
  HR_ASSIGN_OR_RETURN(const int axis, ExpandAxis(context.input(1), input.rank()));
  std::vector<int64_t> dims(input.dims().begin(), input.dims().end());
  dims.insert(dims.begin() + axis, 1);
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  return context.SetOutput(0, context.TakeInput(0).Reshaped(shape));
}

}  // namespace

std::vector<OpDefinition> ReshapeOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("Reshape(tensor: T, shape: Tshape) -> (output: T) | T: type | Tshape: type = i32 in {i32,i64}")
          .Shape(ReshapeShape)
          .Gradient(ReshapeGradient)
          .Kernels(AnyType(FunctionKernel(ReshapeKernel), /*cheap=*/true)));
  ops.push_back(OpDefinition("Squeeze(input: T) -> (output: T) | T: type | squeeze_dims: list(int) = [] >= 0")
                    .Shape(SqueezeShape)
                    .Gradient(ReshapeGradient)
                    .Kernels(AnyType(ClassKernel<SqueezeKernel>(), /*cheap=*/true)));
  ops.push_back(OpDefinition("ExpandDims(input: T, dim: Tdim) -> (output: T) | T: type | Tdim: type = i32 in {i32,i64}")
                    .Shape(ExpandDimsShape)
                    .Gradient(ReshapeGradient)
                    .Kernels(AnyType(FunctionKernel(ExpandDimsKernel), /*cheap=*/true)));
  return ops;
}

}  // namespace headrace
