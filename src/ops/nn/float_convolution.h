// FloatConvolution: one pass of a float convolution of a fixed shape, on oneDNN, on the calling thread. Images stay in their own
// layout; filters and their gradients are in a layout that oneDNN chooses, between which and TensorFlow's (rows, columns, in
// channels of a group, out channels) it converts.
#pragma once

#include <memory>

#include "base/status.h"
#include "ops/nn/one_dnn.h"
#include "ops/nn/window.h"

namespace headrace {

using one_dnn::ConvolutionPass;

/// Input channels fall into `groups`, as do output channels; a depthwise convolution has a group for each input channel.
struct ConvolutionShape {
  int64_t batch = 0, groups = 1, in_channels = 0, out_channels = 0;
  WindowDim rows, columns;
  ImageLayout layout;

  int64_t group_in() const { return in_channels / groups; }
  int64_t group_out() const { return out_channels / groups; }
  int64_t image_in() const { return rows.in * columns.in * in_channels; }
  int64_t image_out() const { return rows.out * columns.out * out_channels; }
  int64_t filter_size() const { return rows.filter * columns.filter * group_in() * out_channels; }
  /// Multiplications of one image.
  double image_products() const {
    return static_cast<double>(image_out()) * static_cast<double>(rows.filter * columns.filter * group_in());
  }
  friend bool operator==(const ConvolutionShape& a, const ConvolutionShape& b) {
    return a.batch == b.batch && a.groups == b.groups && a.in_channels == b.in_channels &&
           a.out_channels == b.out_channels && a.rows == b.rows && a.columns == b.columns &&
           a.layout.nchw == b.layout.nchw;
  }
};

/// Immutable and thread-safe once made.
class FloatConvolution {
 public:
  /// Errors: kUnimplemented where oneDNN has nothing for the shape, kInternal where it fails.
  static Result<std::shared_ptr<const FloatConvolution>> Make(ConvolutionPass pass, const ConvolutionShape& shape);

  /// The filter's size in oneDNN's layout, and what Run needs beside its operands.
  int64_t filter_bytes() const { return filter_bytes_; }
  int64_t scratch_bytes() const { return scratch_bytes_; }
  /// Converts a filter to oneDNN's layout (of kForward and kBackwardInput), or a gradient from it (of kBackwardFilter).
  Status ConvertFilter(const void* from, void* to) const;
  /// `in`, `filter` (in oneDNN's layout) and `out` are what the convolution reads and writes; the pass writes one of the three.
  Status Run(const float* in, const void* filter, const float* out, void* scratch) const;

 private:
  struct Call;

  Status Init(const ConvolutionShape& shape);
  Status InitReorder();

  ConvolutionPass pass_ = ConvolutionPass::kForward;
  one_dnn::Layout in_, out_, filter_, plain_filter_, scratch_;
  one_dnn::Primitive convolution_, reorder_;
  int64_t filter_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace headrace
