#include "graph/gradient_context.h"

namespace headrace {

namespace {

// The rows added up into a tensor of the dense shape.
Endpoint Densify(const GraphBuilder& builder, const IndexedSlices& slices, Endpoint of) {
  Endpoint shape = slices.dense_shape;
  if (!shape) shape = builder.Op("Shape", {of});
  const Endpoint num_rows =
      builder.Op("StridedSlice",
                 {shape, builder.Const(Tensor::Vector<int32_t>({0})), builder.Const(Tensor::Vector<int32_t>({1})),
                  builder.Const(Tensor::Vector<int32_t>({1}))},
                 {{"shrink_axis_mask", 1}});
  return builder.Op("UnsortedSegmentSum", {slices.values, slices.indices, num_rows});
}

}  // namespace

Endpoint GradientContext::output_gradient(int i) const {
  const Gradient& gradient = raw_output_gradient(i);
  if (const Endpoint* dense = gradient.dense()) return *dense;
  if (const IndexedSlices* slices = gradient.slices()) return Densify(builder_, *slices, output(i));
  return builder_.Op("ZerosLike", {output(i)});
}

}  // namespace headrace
