#include "ops/array/slice_spec.h"

#include <algorithm>

namespace headrace {
namespace {

constexpr int64_t kUnknown = -1;
bool Bit(int64_t mask, size_t i) { return i < 63 && ((mask >> i) & 1) != 0; }

/// Item i of the spec, for one dimension of the input.
struct Item {
  int64_t begin, end, stride;
  bool open_begin, open_end, shrink;
};

Result<SliceSpec::Dim> ResolveIndex(const Item& item, int64_t extent, size_t dim) {
  if (item.stride <= 0) return InvalidArgument("only stride 1 allowed on non-range indexing.");
  const int64_t index = item.begin < 0 && extent >= 0 ? item.begin + extent : item.begin;
  if (extent >= 0 && (index < 0 || index >= extent)) {
    return InvalidArgument("slice index ", item.begin, " of dimension ", dim, " out of bounds.");
  }
  return SliceSpec::Dim{index, 1, 1};
}

Result<SliceSpec::Dim> ResolveDim(const Item& item, int64_t extent, size_t dim) {
  if (item.stride == 0) return InvalidArgument("strides[", dim, "] must be non-zero");
  if (item.shrink) return ResolveIndex(item, extent, dim);
  const bool whole = item.open_begin && item.open_end && item.stride == 1;
  if (extent < 0) return SliceSpec::Dim{0, item.stride, whole ? extent : kUnknown};
  const bool forward = item.stride > 0;
  // Ranges of valid positions: [0, extent] forward, [-1, extent - 1] backward.
  const int64_t low = forward ? 0 : -1, high = forward ? extent : extent - 1;
  const auto clamp = [&](int64_t position) {
    return std::clamp(position < 0 ? position + extent : position, low, high);
  };
  const int64_t begin = item.open_begin ? (forward ? low : high) : clamp(item.begin);
  const int64_t end = item.open_end ? (forward ? high : low) : clamp(item.end);
  const int64_t distance = end - begin;
  if (distance == 0 || (distance < 0) == forward) return SliceSpec::Dim{begin, item.stride, 0};
  return SliceSpec::Dim{begin, item.stride, distance / item.stride + (distance % item.stride != 0)};
}

}  // namespace

Result<SliceSpec> SliceSpec::Resolve(std::span<const int64_t> input, const std::vector<int64_t>& begin,
                                     const std::vector<int64_t>& end, const std::vector<int64_t>& strides,
                                     const SliceMasks& masks) {
  if (begin.size() != end.size() || begin.size() != strides.size()) {
    return InvalidArgument("Expected begin, end, and strides to be 1D equal size tensors, but got shapes [",
                           begin.size(), "], [", end.size(), "], and [", strides.size(), "] instead.");
  }
  if ((masks.ellipsis & (masks.ellipsis - 1)) != 0)
    return InvalidArgument("Multiple ellipses in slice spec not allowed");
  // An ellipsis stands for the dimensions that no item names; without one it follows the last item.
  size_t named = 0;
  for (size_t i = 0; i < begin.size(); ++i) named += !Bit(masks.ellipsis, i) && !(Bit(masks.new_axis, i));
  if (named > input.size()) {
    return InvalidArgument("Index out of range using input dim ", input.size(), "; input has only ", input.size(),
                           " dims");
  }
  SliceSpec spec;
  const auto take_whole = [&](size_t count) {
    for (size_t k = 0; k < count; ++k) {
      const int64_t extent = input[spec.dims.size()];
      spec.dims.push_back({0, 1, extent});
      spec.final_shape.push_back(extent);
    }
  };
  bool had_ellipsis = false;
  for (size_t i = 0; i < begin.size(); ++i) {
    if (Bit(masks.ellipsis, i)) {
      take_whole(input.size() - named);
      had_ellipsis = true;
    } else if (Bit(masks.new_axis, i)) {
      spec.final_shape.push_back(1);
    } else {
      const Item item{begin[i], end[i], strides[i], Bit(masks.begin, i), Bit(masks.end, i), Bit(masks.shrink_axis, i)};
      HR_ASSIGN_OR_RETURN(const Dim dim, ResolveDim(item, input[spec.dims.size()], spec.dims.size()));
      spec.dims.push_back(dim);
      if (!item.shrink) spec.final_shape.push_back(dim.extent);
    }
  }
  if (!had_ellipsis) take_whole(input.size() - named);
  return spec;
}

Result<SliceLayout> SliceLayout::Make(const Shape& input, const SliceSpec& spec) {
  SliceLayout layout;
  HR_ASSIGN_OR_RETURN(layout.shape, Shape::Make(spec.final_shape));
  const std::vector<int64_t> strides = DenseStrides(input.dims());
  int64_t to_stride = layout.shape.num_elements();
  for (size_t d = 0; d < spec.dims.size(); ++d) {
    const SliceSpec::Dim& dim = spec.dims[d];
    if (dim.extent > 0) to_stride /= dim.extent;
    layout.dims.push_back({dim.extent, strides[d] * dim.stride, to_stride});
    layout.offset += dim.begin * strides[d];
  }
  return layout;
}

void SliceLayout::Reverse() {
  for (CopyDim& dim : dims) std::swap(dim.from_stride, dim.to_stride);
}

}  // namespace headrace
