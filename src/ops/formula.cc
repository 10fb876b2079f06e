#include "ops/formula.h"

#include <limits>

namespace headrace {

Endpoint IntVector(const GraphBuilder& builder, const std::vector<int64_t>& values) {
  return builder.Const(Tensor::Vector(std::vector<int32_t>(values.begin(), values.end())));
}

Endpoint ShapeOf(const GraphBuilder& builder, Endpoint x) {
  if (!x) return x;
  const PartialShape& shape = x.shape();
  if (!shape.IsFullyKnown()) return builder.Op("Shape", {x});
  for (int64_t dim : shape.dims()) {
    if (dim > std::numeric_limits<int32_t>::max()) return builder.Op("Shape", {x});
  }
  return IntVector(builder, {shape.dims().begin(), shape.dims().end()});
}

Formula SumToShapeOf(const Formula& gradient, Endpoint like) {
  const GraphBuilder& builder = gradient.builder();
  if (!gradient.endpoint() || !like) return gradient;
  const PartialShape from = gradient.endpoint().shape(), to = like.shape();
  if (!from.IsFullyKnown() || !to.IsFullyKnown()) {
    const Endpoint shape = ShapeOf(builder, like);
    const Endpoint axes = builder.Op("BroadcastGradientArgs", {shape, ShapeOf(builder, gradient)});
    return gradient.Apply("Sum", {axes}).Apply("Reshape", {shape});
  }
  if (from == to) return gradient;
  std::vector<int64_t> axes;
  const int missing = from.rank() - to.rank();
  for (int d = 0; d < from.rank(); ++d) {
    if (d < missing || (to.dim(d - missing) == 1 && from.dim(d) != 1)) axes.push_back(d);
  }
  const Formula sum = axes.empty() ? gradient : gradient.Apply("Sum", {IntVector(builder, axes)});
  return sum.Apply("Reshape", {ShapeOf(builder, like)});
}

}  // namespace headrace
