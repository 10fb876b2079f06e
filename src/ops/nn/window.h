// Windows that slide over images: the attributes that convolutions and poolings share (strides, padding, dilations,
// data_format), and what follows from them for one image size.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "graph/attr_value.h"
#include "tensor/shape.h"

namespace headrace {

/// One spatial dimension of a window's walk. Output o reads inputs o * stride - pad_before + f * dilation for each f of filter.
struct WindowDim {
  int64_t in = 0, filter = 1, stride = 1, dilation = 1, pad_before = 0, pad_after = 0, out = 0;

  /// The input that output o reads at filter place f; outside [0, in) it is padding.
  int64_t InputAt(int64_t o, int64_t f) const { return o * stride - pad_before + f * dilation; }
  /// The first input that output o reads and one past its last, padding cut off. REQUIRES: dilation == 1.
  int64_t Begin(int64_t o) const { return std::max<int64_t>(o * stride - pad_before, 0); }
  int64_t End(int64_t o) const { return std::min(o * stride - pad_before + filter, in); }
  friend bool operator==(const WindowDim&, const WindowDim&) = default;
};

/// Where the dimensions of an image tensor are.
struct ImageLayout {
  bool nchw = false;
  int batch() const { return 0; }
  int rows() const { return nchw ? 2 : 1; }
  int columns() const { return nchw ? 3 : 2; }
  int channels() const { return nchw ? 1 : 3; }
  int spatial(int i) const { return rows() + i; }
  /// The dimensions of an image tensor in its order.
  std::array<int64_t, 4> Dims(int64_t batch, int64_t rows, int64_t columns, int64_t channels) const {
    return nchw ? std::array{batch, channels, rows, columns} : std::array{batch, rows, columns, channels};
  }
};

/// The attributes of an op whose windows slide over images.
class WindowAttrs {
 public:
  /// `op` begins the messages. Errors: kInvalidArgument for lists of other than 4 numbers, numbers below 1, windows that move
  /// along batch or channels, explicit padding that does not fit.
  static Result<WindowAttrs> Read(const std::string& op, const AttrMap& attrs);
  /// The same with ksize and strides from elsewhere (MaxPoolV2's inputs).
  static Result<WindowAttrs> Read(const std::string& op, const AttrMap& attrs, const std::vector<int64_t>& strides);

  const ImageLayout& layout() const { return layout_; }
  /// Spatial dimension i (0 rows, 1 columns) of an input of extent `in` under a filter of extent `filter`.
  /// Errors: kInvalidArgument when nothing fits.
  Result<WindowDim> Dim(int i, int64_t in, int64_t filter) const;
  /// The output's extent, or unknown where one of the two is.
  Result<int64_t> OutputExtent(int i, int64_t in, int64_t filter) const;

 private:
  enum class Padding { kSame, kValid, kExplicit };

  std::string op_;
  ImageLayout layout_;
  Padding padding_ = Padding::kValid;
  std::array<int64_t, 2> stride_ = {1, 1}, dilation_ = {1, 1};
  std::array<int64_t, 4> explicit_ = {};  // before and after rows, before and after columns
};

/// A list of 4 numbers >= 1 in the order of `layout`, which is 1 along batch and channels (of which `what` speaks in messages): its
/// numbers for rows and columns. Errors: kInvalidArgument.
Result<std::array<int64_t, 2>> SpatialPair(std::string_view what, const std::vector<int64_t>& list,
                                           const ImageLayout& layout);

}  // namespace headrace
