// DecodePng, DecodeJpeg, DecodeImage: an image file to [height, width, channels]; each reads PNG and JPEG, whatever its
// name says. EncodePng, EncodeJpeg: the other way. `channels` 0 takes the file's. u8 becomes f32 in [0, 1].
// Errors: kInvalidArgument for other formats, damaged files, channels or shapes that the format does not have;
// kUnimplemented for GIF and BMP.
#include <algorithm>

#include "format/jpeg.h"
#include "format/png.h"
#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/io_ops.h"

namespace headrace {

namespace {

Status DecodeShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(0));
  const auto channels = c.attr<int64_t>("channels");
  if (c.node().op() == "DecodeImage" && c.attr<bool>("expand_animations")) return c.SetOutput(0, PartialShape());
  return c.SetOutput(0, PartialShape({-1, -1, channels == 0 ? -1 : channels}));
}

class DecodeKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    auto kernel = std::make_unique<DecodeKernel>();
    kernel->channels_ = c.attr<int64_t>("channels");
    const bool is_jpeg = c.node().op() == "DecodeJpeg";
    const int64_t channels = kernel->channels_;
    if (channels != 0 && channels != 1 && channels != 3 && (channels != 4 || is_jpeg)) {
      return InvalidArgument("channels must be ", is_jpeg ? "0, 1, or 3" : "0, 1, 3, or 4", ", got ", channels);
    }
    kernel->dtype_ = is_jpeg ? DType::kUint8 : c.attr<DType>("dtype", DType::kUint8);
    JpegDecoding& jpeg = kernel->jpeg_;
    jpeg.channels = static_cast<int>(channels);
    const auto ratio = c.attr<int64_t>("ratio", 1);
    if (ratio != 1 && ratio != 2 && ratio != 4 && ratio != 8) {
      return InvalidArgument("ratio must be 1, 2, 4, or 8, got ", ratio);
    }
    jpeg.ratio = static_cast<int>(ratio);
    jpeg.fancy_upscaling = c.attr<bool>("fancy_upscaling", true);
    jpeg.recover_truncated = c.attr<bool>("try_recover_truncated", false);
    jpeg.acceptable_fraction = c.attr<float>("acceptable_fraction", 1);
    const auto method = c.attr<std::string>("dct_method");
    if (!method.empty() && method != "INTEGER_FAST" && method != "INTEGER_ACCURATE") {
      return InvalidArgument("dct_method must be one of {'', 'INTEGER_FAST', 'INTEGER_ACCURATE'}, got '", method, "'");
    }
    jpeg.fast = method != "INTEGER_ACCURATE";
    return std::unique_ptr<Kernel>(std::move(kernel));
  }

  Status Compute(KernelContext& c) override {
    const Tensor& contents = c.input(0);
    if (contents.rank() != 0) return InvalidArgument("contents must be scalar, got shape ", contents.shape());
    const std::string& bytes = contents.scalar<std::string>();
    if (IsPng(bytes)) return Png(c, bytes);
    if (IsJpeg(bytes)) return Jpeg(c, bytes);
    if (bytes.starts_with("GIF8") || bytes.starts_with("BM")) {
      return Unimplemented(c.node().op(), ": only PNG and JPEG are decoded, the file is ",
                           bytes[0] == 'G' ? "GIF" : "BMP");
    }
    return InvalidArgument("Unknown image file format. One of JPEG, PNG, GIF, BMP required.");
  }

 private:
  Status Png(KernelContext& c, const std::string& bytes) const {
    const DType dtype = dtype_ == DType::kUint8 ? DType::kUint8 : DType::kUint16;
    HR_ASSIGN_OR_RETURN(Tensor image, DecodePng(bytes, static_cast<int>(channels_), dtype, c.runtime().memory));
    if (dtype_ == dtype) return c.SetOutput(0, std::move(image));
    return Convert<uint16_t, float>(c, image,
                                    [](uint16_t value) { return static_cast<float>(value) * (1.0F / 65535); });
  }

  Status Jpeg(KernelContext& c, const std::string& bytes) const {
    if (channels_ == 4) return InvalidArgument("channels must be 0, 1, or 3 for JPEG, got 4");
    HR_ASSIGN_OR_RETURN(Tensor image, DecodeJpeg(bytes, jpeg_, c.runtime().memory));
    if (dtype_ == DType::kUint8) return c.SetOutput(0, std::move(image));
    if (dtype_ == DType::kUint16) {
      return Convert<uint8_t, uint16_t>(c, image, [](uint8_t value) { return static_cast<uint16_t>(value * 256); });
    }
    return Convert<uint8_t, float>(c, image, [](uint8_t value) { return static_cast<float>(value) * (1.0F / 255); });
  }

  template <typename From, typename To, typename Function>
  static Status Convert(KernelContext& c, const Tensor& image, Function function) {
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, image.shape()));
    std::ranges::transform(image.data<From>(), output->mutable_data<To>().begin(), function);
    return OkStatus();
  }

  int64_t channels_ = 0;
  DType dtype_ = DType::kUint8;
  JpegDecoding jpeg_;
};

// TensorFlow's op takes a batch of images too.
Status EncodePngShape(ShapeContext& c) {
  const PartialShape& image = c.input(0);
  if (!image.has_rank()) return c.SetOutput(0, PartialShape());
  if (image.rank() < 3) return InvalidArgument("Shape must be at least rank 3 but is rank ", image.rank());
  std::vector<int64_t> dims;
  for (int i = 0; i < image.rank() - 3; ++i) dims.push_back(image.dim(i));
  return c.SetOutput(0, PartialShape(dims));
}

class EncodePngKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    const auto compression = c.attr<int64_t>("compression", -1);
    if (compression < -1 || compression > 9) {
      return InvalidArgument("compression should be in [-1,9], got ", compression);
    }
    return std::unique_ptr<Kernel>(new EncodePngKernel(static_cast<int>(compression)));
  }

  Status Compute(KernelContext& c) override {
    const Tensor& images = c.input(0);
    const int rank = images.rank();
    if (rank < 3) return InvalidArgument("images must be at least rank 3, got shape ", images.shape());
    const int64_t height = images.dim(rank - 3), width = images.dim(rank - 2), channels = images.dim(rank - 1);
    if (channels < 1 || channels > 4) {
      return InvalidArgument("image must have 1, 2, 3, or 4 channels, got ", channels);
    }
    const std::vector<int64_t> dims(images.shape().dims().begin(), images.shape().dims().end() - 3);
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
    const int64_t image_bytes = height * width * channels * DTypeSize(images.dtype());
    const auto* data = static_cast<const uint8_t*>(images.raw());
    for (std::string& text : output->mutable_data<std::string>()) {
      const PngPixels pixels = {.data = data,
                                .width = width,
                                .height = height,
                                .channels = static_cast<int>(channels),
                                .bits = images.dtype() == DType::kUint8 ? 8 : 16};
      HR_ASSIGN_OR_RETURN(text, EncodePng(pixels, compression_));
      data += image_bytes;
    }
    return OkStatus();
  }

 private:
  explicit EncodePngKernel(int compression) : compression_(compression) {}
  const int compression_;
};

class EncodeJpegKernel final : public Kernel {
 public:
  explicit EncodeJpegKernel(KernelConstruction& c) : format_(c.attr<std::string>("format")) {
    options_.quality = static_cast<int>(c.attr<int64_t>("quality", 95));
    options_.progressive = c.attr<bool>("progressive", false);
    options_.optimize_size = c.attr<bool>("optimize_size", false);
    options_.chroma_downsampling = c.attr<bool>("chroma_downsampling", true);
    options_.density_in_cm = c.attr<std::string>("density_unit") == "cm";
    options_.x_density = static_cast<int>(c.attr<int64_t>("x_density", 300));
    options_.y_density = static_cast<int>(c.attr<int64_t>("y_density", 300));
    options_.xmp_metadata = c.attr<std::string>("xmp_metadata");
  }

  Status Compute(KernelContext& c) override {
    const Tensor& image = c.input(0);
    if (image.rank() != 3) return InvalidArgument("image must be 3-dimensional: ", image.shape());
    if (options_.quality < 0 || options_.quality > 100) {
      return InvalidArgument("quality must be in [0,100], got ", options_.quality);
    }
    const int64_t wanted = format_ == "grayscale" ? 1 : format_ == "rgb" ? 3 : image.dim(2);
    if (image.dim(2) != wanted) {
      return InvalidArgument("format '", format_, "' expects ", wanted, " channels, got: ", image.shape());
    }
    HR_ASSIGN_OR_RETURN(std::string bytes, EncodeJpeg(image, options_));
    return c.SetOutput(0, Tensor::Scalar(std::move(bytes)));
  }

 private:
  const std::string format_;
  JpegEncoding options_;
};

Status EncodeJpegShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireRank(0, 3));
  return c.SetOutput(0, PartialShape::Scalar());
}

OpDefinition Decoder(const char* signature) {
  return OpDefinition(signature)
      .Shape(DecodeShape)
      .NoGradient("reads bytes")
      .Kernels(AnyType(ClassKernel<DecodeKernel>()));
}

}  // namespace

std::vector<OpDefinition> ImageCodecOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      Decoder("DecodePng(contents: str) -> (image: dtype) | channels: int = 0 | dtype: type = u8 in {u8,u16}"));
  ops.push_back(
      Decoder("DecodeJpeg(contents: str) -> (image: u8) | channels: int = 0 | ratio: int = 1 | fancy_upscaling: bool "
              "= true | try_recover_truncated: bool = false | acceptable_fraction: float = 1.0 | dct_method: string "
              "= ''"));
  ops.push_back(
      Decoder("DecodeImage(contents: str) -> (image: dtype) | channels: int = 0 | dtype: type = u8 in {u8,u16,f32} | "
              "expand_animations: bool = true"));
  ops.push_back(
      OpDefinition("EncodePng(image: T) -> (contents: str) | compression: int = -1 | T: type = u8 in {u8,u16}")
          .Shape(EncodePngShape)
          .NoGradient("writes bytes")
          .Kernels(AnyType(ClassKernel<EncodePngKernel>())));
  ops.push_back(
      OpDefinition(
          "EncodeJpeg(image: u8) -> (contents: str) | format: string = '' in {'','grayscale','rgb'} | quality: "
          "int = 95 | progressive: bool = false | optimize_size: bool = false | chroma_downsampling: bool = "
          "true | density_unit: string = 'in' in {'in','cm'} | x_density: int = 300 | y_density: int = 300 | "
          "xmp_metadata: string = ''")
          .Shape(EncodeJpegShape)
          .NoGradient("writes bytes")
          .Kernels(AnyType(ClassKernel<EncodeJpegKernel>())));
  return ops;
}

}  // namespace headrace
