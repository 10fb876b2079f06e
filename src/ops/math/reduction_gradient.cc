// How reductions look from outside: the result's shape, and gradients, which spread the result's gradient over what was reduced.
#include <algorithm>
#include <optional>

#include "kernel/reduce.h"
#include "ops/formula.h"
#include "ops/math/reduction.h"

namespace headrace {
namespace {

/// Which axes are reduced, where rank and axes are known while building.
std::optional<std::vector<bool>> KnownAxes(const PartialShape& input, const Endpoint& axes) {
  if (!input.has_rank() || !axes || axes.node->op() != "Const") return std::nullopt;
  Tensor value;
  if (!axes.node->GetAttr("value", &value).ok()) return std::nullopt;
  Result<std::vector<bool>> reduced = ReducedAxes(input.rank(), value);
  if (!reduced.ok()) return std::nullopt;
  return *std::move(reduced);
}

/// The shape of input 0 with 1 for each reduced axis, as a vector.
Endpoint KeptShape(const GradientContext& c) {
  const Endpoint x = c.input(0);
  if (const auto reduced = KnownAxes(x.shape(), c.input(1)); reduced && x.shape().IsFullyKnown()) {
    std::vector<int64_t> dims(x.shape().dims().begin(), x.shape().dims().end());
    for (size_t d = 0; d < dims.size(); ++d) dims[d] = (*reduced)[d] ? 1 : dims[d];
    return IntVector(c.builder(), dims);
  }
  const Formula shape(c.builder(), c.Op("Shape", {x}));
  const Formula rank = shape.Apply("Size");
  Formula axes(c.builder(), c.input(1));
  if (axes.endpoint().dtype() != DType::kInt32) axes = axes.Apply("Cast", {}, {{"DstT", DType::kInt32}});
  axes = (axes + rank).Apply("FloorMod", {rank}).Apply("Reshape", {IntVector(c.builder(), {-1})});
  const Endpoint all = c.Op("Range", {rank.Number(0), rank, rank.Number(1)});
  return c.Op("DynamicStitch", {all, axes, shape, axes.Apply("OnesLike")});
}

/// `value` has the result's shape: spreads it to the shape with 1 for each reduced axis.
Formula Kept(const GradientContext& c, const Formula& value, Endpoint kept_shape) {
  return c.attr<bool>("keep_dims") ? value : value.Apply("Reshape", {kept_shape});
}

/// The result's gradient in the shape of input 0.
Formula Spread(const GradientContext& c) {
  const Formula kept = Kept(c, OutputGradientFormula(c), c.attr<bool>("keep_dims") ? Endpoint() : KeptShape(c));
  return kept.Apply("BroadcastTo", {ShapeOf(c.builder(), c.input(0))});
}

/// A permutation that brings the reduced axes to the front, and its inverse.
struct Permutation {
  Endpoint forward, back;
};

Permutation ReducedFirst(const GradientContext& c, const std::vector<bool>& reduced) {
  std::vector<int64_t> forward, back(reduced.size());
  for (const bool wanted : {true, false}) {
    for (size_t d = 0; d < reduced.size(); ++d) {
      if (reduced[d] != wanted) continue;
      back[d] = static_cast<int64_t>(forward.size());
      forward.push_back(static_cast<int64_t>(d));
    }
  }
  return {IntVector(c.builder(), forward), IntVector(c.builder(), back)};
}

/// The same where the axes are known to the kernels only.
Permutation ReducedFirst(const GradientContext& c) {
  const Formula rank(c.builder(), c.Op("Rank", {c.input(0)}));
  Formula axes(c.builder(), c.input(1));
  if (axes.endpoint().dtype() != DType::kInt32) axes = axes.Apply("Cast", {}, {{"DstT", DType::kInt32}});
  axes = (axes + rank).Apply("FloorMod", {rank}).Apply("Reshape", {IntVector(c.builder(), {-1})});
  const Endpoint all = c.Op("Range", {rank.Number(0), rank, rank.Number(1)});
  const Endpoint kept = c.Op("ListDiff", {all, axes});
  const Endpoint forward = c.Op("ConcatV2", {axes, kept, c.builder().Scalar<int32_t>(0)});
  return {forward, c.Op("InvertPermutation", {forward})};
}

}  // namespace

Status ReductionShape(ShapeContext& c) {
  const PartialShape& input = c.input(0);
  const bool keep_dims = c.attr<bool>("keep_dims");
  if (!input.has_rank()) return c.SetOutput(0, PartialShape());
  const Tensor* axes = c.constant(1);
  if (axes == nullptr) return c.SetOutput(0, keep_dims ? PartialShape::UnknownOfRank(input.rank()) : PartialShape());
  HR_ASSIGN_OR_RETURN(const std::vector<bool> reduced, ReducedAxes(input.rank(), *axes));
  PartialShape shape = PartialShape::Scalar();
  for (int d = 0; d < input.rank(); ++d) {
    if (!reduced[static_cast<size_t>(d)]) {
      shape.AppendDim(input.dim(d));
    } else if (keep_dims) {
      shape.AppendDim(1);
    }
  }
  return c.SetOutput(0, std::move(shape));
}

Status SumGradient(GradientContext& c) { return c.SetInputGradient(0, Spread(c)); }

// The gradient of the sum, divided by the number of elements that make one result.
Status MeanGradient(GradientContext& c) {
  const std::optional<int64_t> from = c.input(0).shape().num_elements(), to = c.output(0).shape().num_elements();
  if (from && to) return c.SetInputGradient(0, Spread(c) / static_cast<double>(*from / std::max<int64_t>(*to, 1)));
  const Formula size(c.builder(), c.Op("Size", {c.output(0)}));
  const Formula group =
      Formula(c.builder(), c.Op("Size", {c.input(0)})).Apply("FloorDiv", {size.Apply("Maximum", {size.Number(1)})});
  return c.SetInputGradient(0, Spread(c) / group.Apply("Cast", {}, {{"DstT", RemoveRef(c.input(0).dtype())}}));
}

// Each element's derivative is the product of the others, before and after it: exact where elements are zero.
Status ProdGradient(GradientContext& c) {
  const Formula x = InputFormula(c, 0);
  const auto known = KnownAxes(c.input(0).shape(), c.input(1));
  const Permutation order = known ? ReducedFirst(c, *known) : ReducedFirst(c);
  const Formula permuted = x.Apply("Transpose", {order.forward});
  const Endpoint permuted_shape = ShapeOf(c.builder(), permuted);
  // The shape of the permuted input as [reduced, others].
  const Formula group(
      c.builder(), c.Op("FloorDiv", {c.Op("Size", {c.input(0)}),
                                     c.Op("Maximum", {c.Op("Size", {c.output(0)}), c.builder().Scalar<int32_t>(1)})}));
  const Endpoint matrix_shape = c.Op("Pack", {group, c.Op("Size", {c.output(0)})});
  const Formula matrix = permuted.Apply("Reshape", {matrix_shape});
  const Endpoint axis = c.builder().Scalar<int32_t>(0);
  const Formula before = matrix.Apply("Cumprod", {axis}, {{"exclusive", true}});
  const Formula after = matrix.Apply("Cumprod", {axis}, {{"exclusive", true}, {"reverse", true}});
  const Formula others =
      (Conj(before) * Conj(after)).Apply("Reshape", {permuted_shape}).Apply("Transpose", {order.back});
  return c.SetInputGradient(0, (Spread(c) * others).Apply("Reshape", {ShapeOf(c.builder(), x)}));
}

Status ExtremumOfAxesGradient(GradientContext& c) {
  const Formula x = InputFormula(c, 0);
  const Endpoint kept_shape = KeptShape(c);
  const Formula y = Kept(c, OutputFormula(c), kept_shape), dy = Kept(c, OutputGradientFormula(c), kept_shape);
  const Formula chosen = x.Apply("Equal", {y}).Apply("Cast", {}, {{"DstT", RemoveRef(c.input(0).dtype())}});
  const Formula ties = chosen.Apply("Sum", {c.input(1)}).Apply("Reshape", {kept_shape});
  return c.SetInputGradient(0, chosen / ties * dy);
}

}  // namespace headrace
