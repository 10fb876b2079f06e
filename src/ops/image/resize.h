// What the ops that resize images share: reading extents, and where in the input each output pixel lies.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include "graph/gradient_context.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"

namespace headrace {

/// The attributes that say where pixels lie. With align_corners the outermost pixels of input and output coincide; with
/// half_pixel_centers a pixel lies at its middle; else at its upper left corner.
struct ResizeMode {
  /// Errors: kInvalidArgument where both are set.
  static Result<ResizeMode> Read(const KernelConstruction& c);
  bool align_corners = false;
  bool half_pixel_centers = false;
};

/// A batch of images [batch, in_height, in_width, channels], and the extents it is to have.
struct ResizeExtents {
  int64_t batch, in_height, in_width, channels;
  int64_t height, width;
  Result<Shape> OutputShape() const;
  int64_t out_row() const { return width * channels; }  // elements
  int64_t in_row() const { return in_width * channels; }
};

/// Reads input 0 (images) and input 1 (height and width). Errors: kInvalidArgument for other ranks, for extents below 1 (the batch
/// may be empty).
Result<ResizeExtents> ReadResize(const KernelContext& c);

/// Reads input 0 (gradients: height and width) and input 1 (the images as they were: the other extents). Errors: kInvalidArgument,
/// as above, and for batches or channels that differ.
Result<ResizeExtents> ReadResizeGradient(const KernelContext& c);

/// How many input pixels an output pixel advances by.
inline float ResizeScale(int64_t in, int64_t out, bool align_corners) {
  return align_corners && in > 1 && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                                            : static_cast<float>(in) / static_cast<float>(out);
}

/// One axis of a resizing: where its output pixels lie.
class ResizeAxis {
 public:
  /// An output pixel is in[lower] + (in[upper] - in[lower]) * weight.
  struct Pair {
    int64_t lower, upper;
    float weight;
  };

  ResizeAxis(int64_t in, int64_t out, const ResizeMode& mode)
      : in_(in), scale_(ResizeScale(in, out, mode.align_corners)), mode_(mode) {}

  /// The place of output pixel i between the input's pixels.
  float At(int64_t i) const {
    const auto x = static_cast<float>(i);
    return mode_.half_pixel_centers ? (x + 0.5F) * scale_ - 0.5F : x * scale_;
  }
  Pair Linear(int64_t i) const {
    const float at = At(i);  // >= -0.5
    const int64_t below = at < 0 ? -1 : static_cast<int64_t>(at), last = in_ - 1;
    const float weight = at - static_cast<float>(below);
    return {std::clamp<int64_t>(below, 0, last), std::clamp<int64_t>(weight > 0 ? below + 1 : below, 0, last), weight};
  }
  int64_t Nearest(int64_t i) const {
    const auto x = static_cast<float>(i);
    const float at = mode_.half_pixel_centers ? (x + 0.5F) * scale_ : x * scale_;
    const float whole = mode_.align_corners ? std::round(at) : std::floor(at);
    return std::clamp<int64_t>(static_cast<int64_t>(whole), 0, in_ - 1);
  }

 private:
  int64_t in_;
  float scale_;
  ResizeMode mode_;
};

/// The first of [0, count) for which the monotone predicate holds, else count.
template <typename Predicate> int64_t FirstWhere(int64_t count, Predicate holds) {
  int64_t low = 0, high = count;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    holds(middle) ? high = middle : low = middle + 1;
  }
  return low;
}

/// Calls body(image, first, last) for each image's part of [begin, end), where rows are numbered through all images.
template <typename Body> void ForImages(int64_t begin, int64_t end, int64_t rows_per_image, Body body) {
  for (int64_t image = begin / rows_per_image; begin < end; ++image) {
    const int64_t first = image * rows_per_image, stop = std::min(end, first + rows_per_image);
    body(image, begin - first, stop - first);
    begin = stop;
  }
}

/// Elements of a row that are dealt with at a time, so that what is known of them stays on the stack.
inline constexpr int64_t kResizeBlock = 1024;

/// A part of each row: pixels [begin, end), of each `depth` channels from `channel` on. All channels, or one pixel: one run.
struct RowPart {
  int64_t begin, end, channel, depth;
  int64_t pixels() const { return end - begin; }
  int64_t size() const { return pixels() * depth; }
};

/// Calls body(RowPart) for parts that cover rows of `width` pixels, none larger than kResizeBlock elements.
template <typename Body> void ForRowParts(int64_t width, int64_t channels, Body body) {
  const int64_t depth = std::min(channels, kResizeBlock), pixels = std::max<int64_t>(1, kResizeBlock / channels);
  for (int64_t begin = 0; begin < width; begin += pixels) {
    for (int64_t channel = 0; channel < channels; channel += depth) {
      body(RowPart{begin, std::min(begin + pixels, width), channel, std::min(depth, channels - channel)});
    }
  }
}

/// Computes the resized images: Pass(e, columns, part, image) computes a part of some rows of an image, by its
/// Run(rows, first, last, resized image). `row_ns`: about what a row costs.
template <typename Pass, typename Axis, typename T>
void ForResizedParts(const KernelContext& c, const ResizeExtents& e, double row_ns, const Axis& rows,
                     const Axis& columns, const T* in, float* out) {
  c.ParallelFor(e.batch * e.height, row_ns, [&](int64_t begin, int64_t end) {
    ForImages(begin, end, e.height, [&](int64_t image, int64_t first, int64_t last) {
      ForRowParts(e.width, e.channels, [&](const RowPart& part) {
        Pass pass(e, columns, part, in + image * e.in_height * e.in_row());
        pass.Run(rows, first, last, out + image * e.height * e.out_row());
      });
    });
  });
}

/// to += weight * from, many elements at a time.
template <typename T> void AddScaled(const T* from, float weight, int64_t count, float* __restrict to) {
  constexpr int kMany = 8;
  int64_t i = 0;
  for (; i + kMany <= count; i += kMany) {
    for (int k = 0; k < kMany; ++k) to[i + k] += weight * static_cast<float>(from[i + k]);
  }
  for (; i < count; ++i) to[i] += weight * static_cast<float>(from[i]);
}

/// Shape functions: of ops whose inputs are (images, size), and of those whose output is like input 1.
Status ResizeShape(ShapeContext& c);
Status ResizeGradShape(ShapeContext& c);

/// A kernel for each type of images that can be resized.
template <template <typename> typename K> std::vector<KernelDefinition> ResizeKernels() {
  return KernelsFor<int8_t, uint8_t, int16_t, uint16_t, int32_t, int64_t, Half, float, double, BFloat16>(
      "T", []<typename T>() { return ClassKernel<K<T>>(); });
}

/// The attributes of ResizeMode, for the op that computes the gradient.
AttrMap ResizeModeAttrs(const GradientContext& c);

inline constexpr std::string_view kResizeTypes = "{i8,u8,i16,u16,i32,i64,f16,f32,f64,bf16}";
inline constexpr std::string_view kResizeModeAttrs =
    " | align_corners: bool = false | half_pixel_centers: bool = false";

}  // namespace headrace
