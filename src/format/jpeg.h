// JPEG images: libjpeg-turbo, behind checks of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace headrace {

HR_EXPORT bool IsJpeg(std::string_view bytes);

struct JpegDecoding {
  int channels = 0;   // 0 takes the file's (grey or colours), 1 or 3 converts
  int ratio = 1;      // both sides divided by 1, 2, 4 or 8
  bool fast = false;  // the quick, less exact transform
  bool fancy_upscaling = true;
  /// Takes a file that ends too early, when at least this part of its rows is there; the rest is grey.
  bool recover_truncated = false;
  float acceptable_fraction = 1;
};

/// Decodes to u8 [height, width, channels]. Errors: kInvalidArgument for what is no sound JPEG; kResourceExhausted over the
/// account's limit.
HR_EXPORT Result<Tensor> DecodeJpeg(std::string_view bytes, const JpegDecoding& options,
                                    const std::shared_ptr<MemoryAccount>& account = nullptr);

struct JpegEncoding {
  int quality = 95;
  bool progressive = false;
  bool optimize_size = false;
  bool chroma_downsampling = true;
  bool density_in_cm = false;  // else in inches
  int x_density = 300;
  int y_density = 300;
  std::string xmp_metadata = {};
};

/// Encodes u8 [height, width, 1 | 3]. Errors: kInvalidArgument for an image that JPEG cannot hold.
HR_EXPORT Result<std::string> EncodeJpeg(const Tensor& image, const JpegEncoding& options);

}  // namespace headrace
