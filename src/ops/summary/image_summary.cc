// ImageSummary: the first images of a batch [n, height, width, 1 | 3 | 4] as a summary of PNGs, tagged TAG/image (of one) or
// TAG/image/I. u8 is written as it is. Floats are scaled, each image by its own finite values: to 0..255 by the largest, or,
// where some are negative, by the largest magnitude around 128; a pixel that is not finite takes bad_color.
// Errors: kInvalidArgument for another shape, a tag that is no scalar, a bad_color that does not fit.
#include <cmath>

#include "format/png.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/summary/summary_ops.h"
#include "ops/summary/summary_proto.h"

namespace headrace {

namespace {

constexpr char kDefinition[] =
    "ImageSummary(tag: str, tensor: T) -> (summary: str) | max_images: int = 3 >= 1 | T: type = f32 in "
    "{u8,f32,f16,f64} | "
    "bad_color: tensor = u8[4](255 0 0 255)";

template <typename T> bool IsFinitePixel(const T* pixel, int64_t depth) {
  for (int64_t k = 0; k < depth; ++k) {
    if (!std::isfinite(static_cast<float>(pixel[k]))) return false;
  }
  return true;
}

template <typename T>
void Normalize(const T* in, int64_t num_pixels, int64_t depth, std::span<const uint8_t> bad_color, uint8_t* out) {
  float least = std::numeric_limits<float>::infinity(), most = -least;
  for (int64_t i = 0; i < num_pixels; ++i) {
    if (!IsFinitePixel(in + i * depth, depth)) continue;
    for (int64_t k = 0; k < depth; ++k) {
      const auto value = static_cast<float>(in[i * depth + k]);
      least = std::min(least, value);
      most = std::max(most, value);
    }
  }
  constexpr float kNothing = 1e-6F;
  const float largest = least < 0 ? std::max(std::abs(least), std::abs(most)) : most;
  using Exact = std::conditional_t<std::is_same_v<T, Half>, float, T>;
  // In T, as TensorFlow computes.
  const auto scale = static_cast<T>(largest < kNothing ? 0.0F : (least < 0 ? 127.0F : 255.0F) / largest);
  const auto offset = static_cast<T>(least < 0 ? 128.0F : 0.0F);
  for (int64_t i = 0; i < num_pixels; ++i, in += depth, out += depth) {
    const bool is_finite = IsFinitePixel(in, depth);
    for (int64_t k = 0; k < depth; ++k) {
      const auto scaled = static_cast<Exact>(static_cast<T>(static_cast<T>(in[k] * scale) + offset));
      out[k] = is_finite ? static_cast<uint8_t>(scaled) : bad_color[static_cast<size_t>(k)];
    }
  }
}

template <typename T> class ImageSummaryKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    const auto bad_color = c.attr<Tensor>("bad_color", Tensor::Vector<uint8_t>({255, 0, 0, 255}));
    if (bad_color.dtype() != DType::kUint8) {
      return InvalidArgument("bad_color must be uint8, got ", DTypeName(bad_color.dtype()));
    }
    if (bad_color.rank() != 1) return InvalidArgument("bad_color must be a vector, got shape ", bad_color.shape());
    return std::unique_ptr<Kernel>(new ImageSummaryKernel(c.attr<int64_t>("max_images", 3), bad_color));
  }

  Status Compute(KernelContext& c) override {
    const Tensor &tag = c.input(0), &images = c.input(1);
    if (tag.num_elements() != 1) return InvalidArgument("Tags must be a scalar");
    const int64_t depth = images.rank() == 4 ? images.dim(3) : 0;
    if (depth != 1 && depth != 3 && depth != 4) {
      return InvalidArgument("Tensor must be 4-D with last dim 1, 3, or 4, not ", images.shape());
    }
    if (depth > bad_color_.num_elements()) {
      return InvalidArgument("expected depth <= bad_color.size, got depth = ", depth,
                             ", bad_color.size = ", bad_color_.num_elements());
    }
    if (images.dim(1) > INT32_MAX || images.dim(2) > INT32_MAX) {
      return InvalidArgument("Tensor too large for summary ", images.shape());
    }
    const int64_t size = images.dim(1) * images.dim(2) * depth;
    SummaryValues summary;
    for (int64_t i = 0; i < std::min(max_images_, images.dim(0)); ++i) {
      HR_ASSIGN_OR_RETURN(std::string png, Encode(c, images.data<T>().data() + i * size, images, depth));
      const std::string& base = tag.data<std::string>()[0];
      summary.AddImage(max_images_ > 1 ? StrCat(base, "/image/", i) : base + "/image",
                       {images.dim(1), images.dim(2), static_cast<int>(depth), std::move(png)});
    }
    return c.SetOutput(0, Tensor::Scalar(summary.Serialize()));
  }

 private:
  ImageSummaryKernel(int64_t max_images, Tensor bad_color)
      : max_images_(max_images), bad_color_(std::move(bad_color)) {}

  Result<std::string> Encode(KernelContext& c, const T* pixels, const Tensor& images, int64_t depth) const {
    PngPixels png{.data = pixels, .width = images.dim(2), .height = images.dim(1), .channels = static_cast<int>(depth)};
    if constexpr (std::is_same_v<T, uint8_t>) {
      return EncodePng(png);
    } else {
      HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(std::vector<int64_t>{png.height, png.width, depth}));
      HR_ASSIGN_OR_RETURN(Tensor bytes, c.AllocateTemporary(DType::kUint8, shape));
      const std::span<uint8_t> out = bytes.mutable_data<uint8_t>();
      Normalize(pixels, png.width * png.height, depth, bad_color_.data<uint8_t>(), out.data());
      png.data = out.data();
      return EncodePng(png);
    }
  }

  const int64_t max_images_;
  const Tensor bad_color_;
};

}  // namespace

std::vector<OpDefinition> ImageSummaryOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition(kDefinition)
                    .Shape(ScalarShape)
                    .NoGradient("strings")
                    .Kernels(KernelsFor<uint8_t, float, Half, double>(
                        "T", []<typename T>() { return ClassKernel<ImageSummaryKernel<T>>(); })));
  return ops;
}

}  // namespace headrace
