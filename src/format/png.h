// PNG images: libpng, behind checks of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace headrace {

/// What the pixels of an image are: row after row, channels together; 1 grey, 2 with alpha, 3 colours, 4 with alpha.
struct PngPixels {
  const void* data = nullptr;
  int64_t width = 0;
  int64_t height = 0;
  int channels = 0;
  int bits = 8;  // or 16, in the machine's byte order
};

/// `compression` is zlib's: -1 for its default, 0 to 9. Errors: kInvalidArgument for an empty image or one that is too large.
HR_EXPORT Result<std::string> EncodePng(const PngPixels& pixels, int compression = -1);

HR_EXPORT bool IsPng(std::string_view bytes);

/// Decodes to u8 or u16 [height, width, channels]; `channels` 0 takes the file's, 1 to 4 converts. Errors:
/// kInvalidArgument for what is no sound PNG; kResourceExhausted over the account's limit.
HR_EXPORT Result<Tensor> DecodePng(std::string_view bytes, int channels, DType dtype,
                                   const std::shared_ptr<MemoryAccount>& account = nullptr);

}  // namespace headrace
