// Tile: the input repeated multiples[d] times along each dimension d. Source: TensorFlow's op `Tile`.
#include "graph/shape_context.h"
#include "kernel/strided_copy.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

// The output's extents; unknown input extents (-1) stay so.
Result<std::vector<int64_t>> TiledDims(std::span<const int64_t> dims, const std::vector<int64_t>& multiples) {
  if (multiples.size() != dims.size()) {
    return InvalidArgument("Expected multiples argument to be a vector of length ", dims.size(), " but got length ",
                           multiples.size());
  }
  std::vector<int64_t> tiled;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (multiples[d] < 0) return InvalidArgument("Expected multiples[", d, "] >= 0, but got ", multiples[d]);
    int64_t extent = -1;
    if (dims[d] >= 0 && __builtin_mul_overflow(dims[d], multiples[d], &extent))
      return InvalidArgument("Tile: the result is too large");
    tiled.push_back(extent);
  }
  return tiled;
}

Status TileShape(ShapeContext& c) {
  const PartialShape& input = c.input(0);
  if (!input.has_rank()) return c.SetOutput(0, PartialShape());
  const auto multiples = ConstantIntegers(c, 1);
  if (!multiples) return c.SetOutput(0, PartialShape::UnknownOfRank(input.rank()));
  HR_ASSIGN_OR_RETURN(std::vector<int64_t> dims, TiledDims(input.dims(), *multiples));
  return c.SetOutput(0, PartialShape(std::move(dims)));
}

// dy seen as [multiple, extent] for each dimension, summed over the multiples.
Status TileGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c);
  Formula multiples = InputFormula(c, 1),
          shape(c.builder(), c.Op("Shape", {c.input(0)}, {{"out_type", c.input(1).dtype()}}));
  const Formula pairs =
      multiples.Apply("Pack", {shape}, {{"axis", 1}}).Apply("Reshape", {IntVector(c.builder(), {-1})});
  const Formula count = pairs.Apply("Size");
  const Endpoint even = c.Op("Range", {count.Number(0), count, count.Number(2)});
  return c.SetInputGradient(0, dy.Apply("Reshape", {pairs}).Apply("Sum", {even}));
}

Status TileKernel(KernelContext& context) {
  const Tensor& input = context.input(0);
  const std::vector<int64_t> multiples = IntegersOf(context.input(1));
  if (context.input(1).rank() != 1)
    return InvalidArgument("Expected multiples to be 1-D, but got shape ", context.input(1).shape());
  HR_ASSIGN_OR_RETURN(const std::vector<int64_t> tiled, TiledDims(input.shape().dims(), multiples));
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(tiled));
  if (shape == input.shape()) return context.SetOutput(0, context.TakeInput(0));
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
  const std::vector<int64_t> from = DenseStrides(input.shape().dims()), to = DenseStrides(shape.dims());
  std::vector<CopyDim> dims;
  for (int d = 0; d < input.rank(); ++d) {
    const size_t at = static_cast<size_t>(d);
    dims.push_back({multiples[at], 0, input.dim(d) * to[at]});  // the repetitions read the same place
    dims.push_back({input.dim(d), from[at], to[at]});
  }
  StridedCopy(context, input.dtype(), dims, input.raw(), output->mutable_raw());
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> TileOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "Tile(input: T, multiples: Tmultiples) -> (output: T) | T: type | Tmultiples: type = i32 in {i32,i64}")
          .Shape(TileShape)
          .Gradient(TileGradient)
          .Kernels(AnyType(FunctionKernel(TileKernel))));
  return ops;
}

}  // namespace headrace
