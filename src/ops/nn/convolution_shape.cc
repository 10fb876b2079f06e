#include "ops/nn/convolution_shape.h"

#include <limits>

#include "ops/integers.h"

namespace headrace {

namespace {

constexpr int64_t kUnknown = PartialShape::kUnknownDim;

}  // namespace

Result<ConvolutionAttrs> ConvolutionAttrs::Read(const Node& node) {
  ConvolutionAttrs attrs;
  attrs.op_ = node.op();
  attrs.depthwise_ = node.op().starts_with("Depthwise");
  HR_ASSIGN_OR_RETURN(attrs.window_, WindowAttrs::Read(node.op(), node.attrs()));
  return attrs;
}

Result<ConvolutionShape> ConvolutionAttrs::Of(const Shape& in, const Shape& filter) const {
  if (in.rank() != 4) return InvalidArgument(op_, ": input must be 4-dimensional: ", in);
  if (filter.rank() != 4) return InvalidArgument(op_, ": filter must be 4-dimensional: ", filter);
  ConvolutionShape shape{.batch = in.dim(0), .in_channels = in.dim(layout().channels()), .layout = layout()};
  HR_ASSIGN_OR_RETURN(shape.rows, window_.Dim(0, in.dim(layout().rows()), filter.dim(0)));
  HR_ASSIGN_OR_RETURN(shape.columns, window_.Dim(1, in.dim(layout().columns()), filter.dim(1)));
  const int64_t depth = filter.dim(2);
  if (depth <= 0) return InvalidArgument(op_, ": filter depth must be stricly greater than 0: filter=", filter);
  if (depthwise_ ? depth != shape.in_channels : shape.in_channels % depth != 0) {
    return InvalidArgument(op_,
                           depthwise_ ? ": input and filter must have the same depth: "
                                      : ": input depth must be evenly divisible by filter depth: ",
                           shape.in_channels, " vs ", depth);
  }
  shape.groups = depthwise_ ? depth : std::max<int64_t>(shape.in_channels / depth, 1);
  shape.out_channels = depthwise_ ? depth * filter.dim(3) : filter.dim(3);
  if (shape.out_channels % shape.groups != 0) {
    return InvalidArgument(op_, ": output depth must be evenly divisible by number of groups: ", shape.out_channels,
                           " vs ", shape.groups);
  }
  return shape;
}

Result<Shape> ConvolutionAttrs::OutputShape(const ConvolutionShape& shape) const {
  return Shape::Make(layout().Dims(shape.batch, shape.rows.out, shape.columns.out, shape.out_channels));
}

Status ConvolutionAttrs::CheckOutput(const ConvolutionShape& shape, const Shape& out_backprop) const {
  HR_ASSIGN_OR_RETURN(const Shape expected, OutputShape(shape));
  if (out_backprop == expected) return OkStatus();
  return InvalidArgument(op_, ": Size of out_backprop doesn't match computed: actual = ", out_backprop,
                         ", computed = ", expected);
}

Result<Shape> ConvolutionAttrs::InputShape(const Tensor& sizes, const Shape& filter, const Shape& out_backprop) const {
  if (sizes.rank() != 1 || (sizes.dim(0) != 4 && sizes.dim(0) != 2)) {
    return InvalidArgument(op_, ": input_sizes shape must be rank 1 with 4 or 2 elements, not ", sizes);
  }
  if (sizes.dim(0) == 4) return ShapeFromTensor(op_, sizes);
  if (filter.rank() != 4) return InvalidArgument(op_, ": filter must be 4-dimensional: ", filter);
  if (out_backprop.rank() != 4) return InvalidArgument(op_, ": out_backprop must be 4-dimensional: ", out_backprop);
  return Shape::Make(layout().Dims(out_backprop.dim(0), IntegerAt(sizes, 0), IntegerAt(sizes, 1), filter.dim(2)));
}

Result<PartialShape> ConvolutionAttrs::ForwardShape(const PartialShape& in, const PartialShape& filter) const {
  const int64_t channels = in.dim(layout().channels()), depth = filter.dim(2);
  if (channels != kUnknown && depth > 0 && (depthwise_ ? channels != depth : channels % depth != 0)) {
    return InvalidArgument("Depth of input (", channels, ") is not a multiple of input depth of filter (", depth,
                           ") for ", op_);
  }
  int64_t out_channels = filter.dim(3);
  if (depthwise_) {
    const int64_t known = depth != kUnknown ? depth : channels;
    if (known > 0 && out_channels > std::numeric_limits<int64_t>::max() / known) {
      return InvalidArgument(op_, ": ", known, " x ", out_channels, " out channels are over 2^63 - 1");
    }
    out_channels = known == kUnknown || out_channels == kUnknown ? kUnknown : known * out_channels;
  }
  HR_ASSIGN_OR_RETURN(const int64_t rows, window_.OutputExtent(0, in.dim(layout().rows()), filter.dim(0)));
  HR_ASSIGN_OR_RETURN(const int64_t columns, window_.OutputExtent(1, in.dim(layout().columns()), filter.dim(1)));
  const auto dims = layout().Dims(in.dim(0), rows, columns, out_channels);
  return PartialShape(std::vector<int64_t>(dims.begin(), dims.end()));
}

Status ConvolutionAttrs::Forward(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape in, c.InputOfRank(0, 4));
  HR_ASSIGN_OR_RETURN(const PartialShape filter, c.InputOfRank(1, 4));
  HR_ASSIGN_OR_RETURN(const ConvolutionAttrs attrs, Read(c.node()));
  HR_ASSIGN_OR_RETURN(PartialShape out, attrs.ForwardShape(in, filter));
  return c.SetOutput(0, std::move(out));
}

Status ConvolutionAttrs::BackpropInput(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape filter, c.InputOfRank(1, 4));
  HR_ASSIGN_OR_RETURN(const PartialShape out, c.InputOfRank(2, 4));
  HR_ASSIGN_OR_RETURN(const ConvolutionAttrs attrs, Read(c.node()));
  HR_ASSIGN_OR_RETURN(const PartialShape sizes, c.ShapeFromInput(0));
  if (sizes.has_rank() && sizes.rank() == 2) {
    const auto dims = attrs.layout().Dims(out.dim(0), sizes.dim(0), sizes.dim(1), filter.dim(2));
    return c.SetOutput(0, PartialShape(std::vector<int64_t>(dims.begin(), dims.end())));
  }
  HR_ASSIGN_OR_RETURN(PartialShape merged, sizes.MergeWith(PartialShape::UnknownOfRank(4)));
  return c.SetOutput(0, std::move(merged));
}

Status ConvolutionAttrs::BackpropFilter(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 4));
  HR_RETURN_IF_ERROR(c.RequireRank(2, 4));
  HR_RETURN_IF_ERROR(Read(c.node()).status());
  HR_ASSIGN_OR_RETURN(const PartialShape sizes, c.ShapeFromInput(1));
  HR_ASSIGN_OR_RETURN(PartialShape merged, sizes.MergeWith(PartialShape::UnknownOfRank(4)));
  return c.SetOutput(0, std::move(merged));
}

}  // namespace headrace
