// Slice: the box of `size` elements that begins at `begin`; a size of -1 means all the rest. Rows of the first dimension share the
// input's memory. Source: TensorFlow's op `Slice`.
#include "graph/shape_context.h"
#include "kernel/strided_copy.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

// Completes the sizes and checks the box. Extents of -1 are unknown.
Status CheckBox(std::span<const int64_t> dims, const std::vector<int64_t>& begin, std::vector<int64_t>& size) {
  if (begin.size() != dims.size() || size.size() != dims.size()) {
    return InvalidArgument("Expected begin and size arguments to be 1-D tensors of size ", dims.size(),
                           ", but got shapes [", begin.size(), "] and [", size.size(), "] instead.");
  }
  for (size_t d = 0; d < dims.size(); ++d) {
    if (begin[d] < 0 || (dims[d] >= 0 && begin[d] > dims[d])) {
      return InvalidArgument("Expected begin[", d, "] in [0, ", dims[d], "], but got ", begin[d]);
    }
    if (size[d] == -1) {
      size[d] = dims[d] < 0 ? -1 : dims[d] - begin[d];
    } else if (size[d] < 0 || (dims[d] >= 0 && size[d] > dims[d] - begin[d])) {
      return InvalidArgument("Expected size[", d, "] in [0, ", dims[d] - begin[d], "], but got ", size[d]);
    }
  }
  return OkStatus();
}

Status SliceShape(ShapeContext& c) {
  const PartialShape& input = c.input(0);
  const auto begin = ConstantIntegers(c, 1);
  if (input.has_rank() && begin && c.constant(2) != nullptr) {
    std::vector<int64_t> size = IntegersOf(*c.constant(2));
    HR_RETURN_IF_ERROR(CheckBox(input.dims(), *begin, size));
    return c.SetOutput(0, PartialShape(std::move(size)));
  }
  HR_ASSIGN_OR_RETURN(PartialShape size, c.ShapeFromInput(2));
  if (!size.has_rank() && input.has_rank()) return c.SetOutput(0, PartialShape::UnknownOfRank(input.rank()));
  return c.SetOutput(0, std::move(size));
}

// dy padded back: `begin` zeros before it, what is missing behind it.
Status SliceGradient(GradientContext& c) {
  const Formula begin = InputFormula(c, 1), dy = OutputGradientFormula(c);
  const DType index_type = begin.endpoint().dtype();
  const auto shape_of = [&](Endpoint x) {
    return Formula(c.builder(), c.Op("Shape", {x}, {{"out_type", index_type}}));
  };
  const Formula after = shape_of(c.input(0)) - shape_of(c.output(0)) - begin;
  return c.SetInputGradient(0, dy.Apply("Pad", {begin.Apply("Pack", {after}, {{"axis", 1}})}));
}

Status SliceKernel(KernelContext& context) {
  const Tensor& input = context.input(0);
  std::vector<int64_t> begin = IntegersOf(context.input(1)), size = IntegersOf(context.input(2));
  HR_RETURN_IF_ERROR(CheckBox(input.shape().dims(), begin, size));
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(size));
  if (shape == input.shape()) return context.SetOutput(0, context.TakeInput(0));
  bool rows_only = IsPlainData(input.dtype());
  for (int d = 1; d < shape.rank(); ++d) rows_only &= shape.dim(d) == input.dim(d);
  if (rows_only && shape.num_elements() > 0) return context.SetOutput(0, input.Slice(begin[0], begin[0] + size[0]));
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
  if (shape.num_elements() == 0) return OkStatus();
  const std::vector<int64_t> from = DenseStrides(input.shape().dims()), to = DenseStrides(shape.dims());
  std::vector<CopyDim> dims;
  int64_t offset = 0;
  for (size_t d = 0; d < size.size(); ++d) {
    dims.push_back({size[d], from[d], to[d]});
    offset += begin[d] * from[d];
  }
  StridedCopy(context, input.dtype(), dims, Elements(input.dtype()).At(input.raw(), offset), output->mutable_raw());
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> SliceOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("Slice(input: T, begin: Index, size: Index) -> (output: T) | T: type | Index: type in {i32,i64}")
          .Shape(SliceShape)
          .Gradient(SliceGradient)
          .Kernels(AnyType(FunctionKernel(SliceKernel))));
  return ops;
}

}  // namespace headrace
