// ConvolutionAttrs: what a convolution's node says, and what it means for images and filters of given shapes. A filter is
// [rows, columns, in channels of a group, out channels], or, depthwise, [rows, columns, in channels, out channels of each].
#pragma once

#include "graph/graph.h"
#include "graph/shape_context.h"
#include "ops/nn/float_convolution.h"

namespace headrace {

class ConvolutionAttrs {
 public:
  /// Errors: as WindowAttrs.
  static Result<ConvolutionAttrs> Read(const Node& node);

  const ImageLayout& layout() const { return window_.layout(); }
  /// Errors: kInvalidArgument for ranks other than 4, channels or windows that do not fit.
  Result<ConvolutionShape> Of(const Shape& in, const Shape& filter) const;
  Result<Shape> OutputShape(const ConvolutionShape& shape) const;
  /// Errors: kInvalidArgument unless `out_backprop` has the shape of the convolution's output.
  Status CheckOutput(const ConvolutionShape& shape, const Shape& out_backprop) const;
  /// The shape that input_sizes asks for: 4 extents, or 2 (rows and columns) with the others from `filter` and `out_backprop`.
  Result<Shape> InputShape(const Tensor& sizes, const Shape& filter, const Shape& out_backprop) const;

  /// Shape functions of the three passes.
  static Status Forward(ShapeContext& c);
  static Status BackpropInput(ShapeContext& c);
  static Status BackpropFilter(ShapeContext& c);

 private:
  Result<PartialShape> ForwardShape(const PartialShape& in, const PartialShape& filter) const;

  std::string op_;
  bool depthwise_ = false;
  WindowAttrs window_;
};

}  // namespace headrace
