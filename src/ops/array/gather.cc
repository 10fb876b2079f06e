// Gather, GatherV2: slices of `params` picked by index along an axis; the index tensor's shape takes the axis' place. With
// batch_dims = b the first b dimensions of params and indices go together. Errors: kInvalidArgument for an index out of range.
// The gradient for axis 0 is rows (IndexedSlices). Source: TensorFlow's ops of the same names.
#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/elements.h"
#include "kernel/kernel.h"
#include "kernel/rows.h"
#include "ops/array/array_ops.h"
#include "ops/formula.h"
#include "ops/integers.h"

namespace headrace {
namespace {

/// The parts of the shapes: batch, outer, the gathered axis, inner.
struct Layout {
  int axis = 0, batch_dims = 0;
  std::vector<int64_t> output;

  static Result<Layout> Make(std::span<const int64_t> params, std::span<const int64_t> indices, int64_t axis,
                             int64_t batch_dims) {
    const int64_t rank = static_cast<int64_t>(params.size()), indices_rank = static_cast<int64_t>(indices.size());
    const int64_t needed = axis < 0 ? -axis : axis + 1;
    if (rank < needed) return InvalidArgument("Shape must be at least rank ", needed, " but is rank ", rank);
    if (batch_dims < -indices_rank || batch_dims > indices_rank) {
      return InvalidArgument("Expected batch_dims in the range [", -indices_rank, ", ", indices_rank, "], but got ",
                             batch_dims);
    }
    Layout layout;
    layout.axis = static_cast<int>(axis < 0 ? axis + rank : axis);
    layout.batch_dims = static_cast<int>(batch_dims < 0 ? batch_dims + indices_rank : batch_dims);
    if (layout.batch_dims > layout.axis) {
      return InvalidArgument("batch_dims (", layout.batch_dims, ") must be less than or equal to axis (", layout.axis,
                             ").");
    }
    for (int d = 0; d < layout.batch_dims; ++d) {
      const int64_t a = params[static_cast<size_t>(d)], b = indices[static_cast<size_t>(d)];
      if (a >= 0 && b >= 0 && a != b)
        return InvalidArgument("params.shape[", d, "]: ", a, " should be equal to indices.shape[", d, "]: ", b);
    }
    layout.output.assign(params.begin(), params.begin() + layout.axis);
    layout.output.insert(layout.output.end(), indices.begin() + layout.batch_dims, indices.end());
    layout.output.insert(layout.output.end(), params.begin() + layout.axis + 1, params.end());
    return layout;
  }
};

Status GatherShape(ShapeContext& c) {
  const PartialShape &params = c.input(0), &indices = c.input(1);
  if (!params.has_rank() || !indices.has_rank()) return c.SetOutput(0, PartialShape());
  int64_t axis = 0;
  if (c.num_inputs() == 3) {
    const auto value = ConstantIntegers(c, 2);
    if (!value || value->size() != 1) {
      const int rank =
          params.rank() + indices.rank() - 1 - static_cast<int>(std::max<int64_t>(0, c.attr<int64_t>("batch_dims")));
      return c.SetOutput(
          0, c.attr<int64_t>("batch_dims") >= 0 && rank >= 0 ? PartialShape::UnknownOfRank(rank) : PartialShape());
    }
    axis = (*value)[0];
  }
  HR_ASSIGN_OR_RETURN(Layout layout, Layout::Make(params.dims(), indices.dims(), axis, c.attr<int64_t>("batch_dims")));
  return c.SetOutput(0, PartialShape(std::move(layout.output)));
}

// The rows that were taken, for axis 0 without a batch.
Status RowsGradient(GradientContext& c) {
  const Formula shape(c.builder(), ShapeOf(c.builder(), c.input(0)));
  const Formula dy = OutputGradientFormula(c);
  const Endpoint minus_one = IntVector(c.builder(), {-1});
  const Endpoint row = c.Op("Slice", {shape, IntVector(c.builder(), {1}), minus_one});
  const Endpoint flat_count = c.Op("Reshape", {c.Op("Size", {c.input(1)}), IntVector(c.builder(), {1})});
  const Endpoint values_shape = c.Op("ConcatV2", {flat_count, row, c.builder().Scalar<int32_t>(0)});
  return c.SetInputGradient(0, IndexedSlices{.indices = c.Op("Reshape", {c.input(1), minus_one}),
                                             .values = dy.Apply("Reshape", {values_shape}),
                                             .dense_shape = shape});
}

/// Products of parts of a shape vector, as scalars.
class ShapeParts {
 public:
  ShapeParts(const GradientContext& c, Endpoint shape) : c_(c), shape_(shape) {}
  Endpoint Product(Endpoint begin, Endpoint end) const {  // of dimensions [begin, end)
    const Endpoint part = c_.Op("StridedSlice", {shape_, Vector(begin), Vector(end), IntVector(c_.builder(), {1})});
    return c_.Op("Prod", {part, IntVector(c_.builder(), {0})});
  }
  Endpoint At(Endpoint i) const { return c_.Op("GatherV2", {shape_, i, c_.builder().Scalar<int32_t>(0)}); }

 private:
  Endpoint Vector(Endpoint scalar) const { return c_.Op("Reshape", {scalar, IntVector(c_.builder(), {1})}); }
  const GradientContext& c_;
  const Endpoint shape_;
};

// In general: with params as [batch, outer, axis, inner] and dy as [batch, outer, index, inner], rows [batch * index] of
// [outer, inner] are summed by index.
Status GeneralGradient(GradientContext& c) {
  const GraphBuilder& b = c.builder();
  const auto number = [&b](int32_t value) { return b.Scalar<int32_t>(value); };
  const Endpoint params_shape = c.Op("Shape", {c.input(0)}), indices_shape = c.Op("Shape", {c.input(1)});
  const Formula rank(b, c.Op("Rank", {c.input(0)})), indices_rank(b, c.Op("Rank", {c.input(1)}));
  Formula axis(b, c.input(2));
  if (axis.endpoint().dtype() != DType::kInt32) axis = axis.Apply("Cast", {}, {{"DstT", DType::kInt32}});
  axis = axis.Apply("FloorMod", {rank});
  const int64_t batch_dims = c.attr<int64_t>("batch_dims");
  const Formula batch = batch_dims < 0 ? indices_rank + static_cast<double>(batch_dims)
                                       : Formula(b, number(static_cast<int32_t>(batch_dims)));
  const ShapeParts params(c, params_shape), indices(c, indices_shape);
  const Endpoint batches = params.Product(number(0), batch), outer = params.Product(batch, axis),
                 extent = params.At(axis);
  const Endpoint inner = params.Product(axis + 1.0, rank), count = indices.Product(batch, indices_rank);

  const auto pack = [&c](std::vector<Endpoint> dims) { return c.Op("Pack", std::move(dims)); };
  const Formula dy = OutputGradientFormula(c).Apply("Reshape", {pack({batches, outer, count, inner})});
  const Endpoint swap = IntVector(b, {0, 2, 1, 3});
  const Formula rows =
      dy.Apply("Transpose", {swap}).Apply("Reshape", {pack({Formula(b, batches) * Formula(b, count), outer, inner})});
  // Index i of batch k is row k * extent + i.
  Formula index(b, c.Op("Reshape", {c.input(1), pack({batches, count})}));
  const Formula offsets = Formula(b, c.Op("Range", {number(0), batches, number(1)})) * Formula(b, extent);
  const Formula wide_offsets =
      offsets.Apply("Cast", {}, {{"DstT", c.input(1).dtype()}}).Apply("Reshape", {pack({batches, number(1)})});
  index = (index + wide_offsets).Apply("Reshape", {IntVector(b, {-1})});
  const Formula sums = rows.Apply("UnsortedSegmentSum", {index, Formula(b, batches) * Formula(b, extent)});
  const Formula back = sums.Apply("Reshape", {pack({batches, extent, outer, inner})}).Apply("Transpose", {swap});
  return c.SetInputGradient(0, back.Apply("Reshape", {params_shape}));
}

Status GatherGradient(GradientContext& c) {
  if (c.num_inputs() == 2) return RowsGradient(c);
  Tensor axis;
  const Node* source = c.input(2).node;
  const bool first = source->op() == "Const" && source->GetAttr("value", &axis).ok() && axis.num_elements() == 1 &&
                     IntegerAt(axis, 0) == 0;
  return first && c.attr<int64_t>("batch_dims") == 0 ? RowsGradient(c) : GeneralGradient(c);
}

// The first index outside [0, limit), or -1.
int64_t FindBad(const std::vector<int64_t>& indices, int64_t limit) {
  const auto bad = std::ranges::find_if(
      indices, [limit](int64_t i) { return static_cast<uint64_t>(i) >= static_cast<uint64_t>(limit); });
  return bad == indices.end() ? -1 : bad - indices.begin();
}

Status GatherFrom(KernelContext& context, int64_t axis, int64_t batch_dims) {
  const Tensor& params = context.input(0);
  const Tensor& indices = context.input(1);
  HR_ASSIGN_OR_RETURN(const Layout layout,
                      Layout::Make(params.shape().dims(), indices.shape().dims(), axis, batch_dims));
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(layout.output));
  const std::vector<int64_t> rows = IntegersOf(indices);
  const int64_t limit = params.dim(layout.axis);
  if (const int64_t bad = FindBad(rows, limit); bad >= 0) {
    return InvalidArgument("indices", ElementPosition(indices.shape(), bad), " = ", rows[static_cast<size_t>(bad)],
                           " is not in [0, ", limit, ")");
  }
  HR_ASSIGN_OR_RETURN(Tensor * output, context.AllocateOutput(0, shape));
  if (shape.num_elements() == 0) return OkStatus();
  int64_t batches = 1, outer = 1;
  for (int d = 0; d < layout.axis; ++d) (d < layout.batch_dims ? batches : outer) *= params.dim(d);
  const int64_t inner = params.num_elements() / (batches * outer * limit), count = indices.num_elements() / batches;
  const Elements elements(params.dtype());
  // One item is one slice: (batch, outer, index).
  const double cost_ns = 3 + 0.2 * static_cast<double>(inner);
  const auto copy = [&](int64_t begin, int64_t end) {
    int64_t block = begin / count, k = begin % count;
    for (int64_t item = begin; item < end; ++item) {
      const int64_t row = rows[static_cast<size_t>((block / outer) * count + k)];
      elements.Copy(elements.At(params.raw(), (block * limit + row) * inner),
                    elements.At(output->mutable_raw(), item * inner), inner);
      if (++k == count) k = 0, ++block;
    }
  };
  context.ParallelFor(batches * outer * count, cost_ns, copy);
  return OkStatus();
}

Status GatherKernel(KernelContext& context) { return GatherFrom(context, 0, 0); }

class GatherV2Kernel final : public Kernel {
 public:
  explicit GatherV2Kernel(KernelConstruction& construction) : batch_dims_(construction.attr<int64_t>("batch_dims")) {}

  Status Compute(KernelContext& context) override {
    if (context.input(2).num_elements() != 1) return InvalidArgument("axis must be scalar, is ", context.input(2));
    return GatherFrom(context, IntegerAt(context.input(2), 0), batch_dims_);
  }

 private:
  const int64_t batch_dims_;
};

}  // namespace

std::vector<OpDefinition> GatherOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition("Gather(params: Tparams, indices: Tindices) -> (output: Tparams) | validate_indices: bool = true | "
                   "Tparams: type | Tindices: type in {i32,i64}")
          .Shape(GatherShape)
          .Gradient(GatherGradient)
          .Kernels(AnyType(FunctionKernel(GatherKernel))));
  ops.push_back(
      OpDefinition(
          "GatherV2(params: Tparams, indices: Tindices, axis: Taxis) -> (output: Tparams) | batch_dims: int = 0 | "
          "Tparams: type | Tindices: type in {i16,i32,i64} | Taxis: type in {i32,i64}")
          .Shape(GatherShape)
          .Gradient(GatherGradient)
          .Kernels(AnyType(ClassKernel<GatherV2Kernel>())));
  return ops;
}

}  // namespace headrace
