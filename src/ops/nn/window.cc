#include "ops/nn/window.h"

#include <algorithm>

namespace headrace {

namespace {

constexpr int64_t kLargestExtent = int64_t{1}
                                   << 31;  // of strides, dilations and filters: products stay far from overflow

}  // namespace

Result<std::array<int64_t, 2>> SpatialPair(std::string_view what, const std::vector<int64_t>& list,
                                           const ImageLayout& layout) {
  if (list.size() != 4) return InvalidArgument(what, " field must specify 4 dimensions, got ", list.size());
  const auto at = [&](int dimension) { return list[static_cast<size_t>(dimension)]; };
  if (at(layout.batch()) != 1 || at(layout.channels()) != 1) {
    return InvalidArgument(what, " in the batch and depth dimensions must be 1, got ", at(layout.batch()), " and ",
                           at(layout.channels()));
  }
  const std::array<int64_t, 2> pair = {at(layout.rows()), at(layout.columns())};
  for (int64_t extent : pair) {
    if (extent < 1 || extent >= kLargestExtent) return InvalidArgument(what, " should be larger than 0, got ", extent);
  }
  return pair;
}

Result<WindowAttrs> WindowAttrs::Read(const std::string& op, const AttrMap& attrs) {
  return Read(op, attrs, GetAttrOr<std::vector<int64_t>>(attrs, "strides", {}));
}

Result<WindowAttrs> WindowAttrs::Read(const std::string& op, const AttrMap& attrs,
                                      const std::vector<int64_t>& strides) {
  WindowAttrs window;
  window.op_ = op;
  const std::string format = GetAttrOr<std::string>(attrs, "data_format", "NHWC");
  if (format != "NHWC" && format != "NCHW") return InvalidArgument(op, ": data_format ", format, " is not supported");
  window.layout_.nchw = format == "NCHW";
  HR_ASSIGN_OR_RETURN(window.stride_, SpatialPair(StrCat(op, ": sliding window strides"), strides, window.layout_));
  HR_ASSIGN_OR_RETURN(window.dilation_,
                      SpatialPair(StrCat(op, ": sliding window dilations"),
                                  GetAttrOr<std::vector<int64_t>>(attrs, "dilations", {1, 1, 1, 1}), window.layout_));
  const std::string padding = GetAttrOr<std::string>(attrs, "padding", "VALID");
  const auto pads = GetAttrOr<std::vector<int64_t>>(attrs, "explicit_paddings", {});
  window.padding_ = padding == "SAME" ? Padding::kSame : padding == "VALID" ? Padding::kValid : Padding::kExplicit;
  if (window.padding_ != Padding::kExplicit) {
    if (pads.empty()) return window;
    return InvalidArgument(op, ": explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT");
  }
  if (pads.size() != 8)
    return InvalidArgument(op, ": explicit_paddings attribute must contain 8 values, but got: ", pads.size());
  for (int64_t pad : pads) {
    if (pad < 0 || pad >= kLargestExtent)
      return InvalidArgument(op, ": all elements of explicit_paddings must be nonnegative, got ", pad);
  }
  for (int dimension : {window.layout_.batch(), window.layout_.channels()}) {
    const size_t at = 2 * static_cast<size_t>(dimension);
    if (pads[at] != 0 || pads[at + 1] != 0) {
      return InvalidArgument(op, ": nonzero explicit padding in the batch or depth dimensions is not supported");
    }
  }
  std::copy_n(pads.begin() + 2 * window.layout_.rows(), 4, window.explicit_.begin());
  return window;
}

Result<WindowDim> WindowAttrs::Dim(int i, int64_t in, int64_t filter) const {
  const size_t at = static_cast<size_t>(i);
  WindowDim dim{.in = in, .filter = filter, .stride = stride_[at], .dilation = dilation_[at]};
  if (filter < 1 || filter >= kLargestExtent || in < 0 || in > int64_t{1} << 40) {
    return InvalidArgument(op_, ": a window of extent ", filter, " over an input of extent ", in, " is not possible");
  }
  const int64_t reach = (filter - 1) * dim.dilation + 1;
  if (padding_ == Padding::kSame) {
    dim.out = (in + dim.stride - 1) / dim.stride;
    const int64_t total = std::max<int64_t>((dim.out - 1) * dim.stride + reach - in, 0);
    dim.pad_before = total / 2;
    dim.pad_after = total - dim.pad_before;
    return dim;
  }
  dim.pad_before = explicit_[2 * at];
  dim.pad_after = explicit_[2 * at + 1];
  const int64_t room = in + dim.pad_before + dim.pad_after - reach;
  if (room < -dim.stride) {
    return InvalidArgument(op_, ": Computed output size would be negative: ", room / dim.stride + 1,
                           " [input_size: ", in, ", effective_filter_size: ", reach, ", stride: ", dim.stride, "]");
  }
  dim.out = room < 0 ? 0 : room / dim.stride + 1;
  return dim;
}

Result<int64_t> WindowAttrs::OutputExtent(int i, int64_t in, int64_t filter) const {
  if (in < 0 || (filter < 0 && padding_ != Padding::kSame)) return PartialShape::kUnknownDim;
  HR_ASSIGN_OR_RETURN(const WindowDim dim, Dim(i, in, filter < 0 ? 1 : filter));
  return dim.out;
}

}  // namespace headrace
