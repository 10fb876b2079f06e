// libpng reports errors by longjmp. Each call of ours that may meet one has a setjmp of its own, in a function whose
// locals need no destructor.
#include "format/png.h"

#include <png.h>

#include <bit>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "base/checked_math.h"

namespace headrace {

namespace {

constexpr int64_t kMostPixelsAside = 1'000'000;  // of width or height

struct Log {
  char message[128] = {};
};

void OnError(png_structp png, png_const_charp message) {
  auto* log = static_cast<Log*>(png_get_error_ptr(png));
  std::strncpy(log->message, message, sizeof(log->message) - 1);
  longjmp(png_jmpbuf(png), 1);
}
void OnWarning(png_structp, png_const_charp) {}

int ColorType(int channels) {
  constexpr int kTypes[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                            PNG_COLOR_TYPE_RGB_ALPHA};
  return kTypes[channels - 1];
}

void AppendTo(png_structp png, png_bytep data, png_size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(data), size);
}
void FlushNothing(png_structp) {}

bool Write(png_structp png, png_infop info, const PngPixels& pixels, int compression) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_compression_level(png, compression);
  png_set_IHDR(png, info, static_cast<png_uint_32>(pixels.width), static_cast<png_uint_32>(pixels.height), pixels.bits,
               ColorType(pixels.channels), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  if (pixels.bits > 8 && std::endian::native == std::endian::little) png_set_swap(png);
  const auto row_bytes = static_cast<size_t>(pixels.width) * static_cast<size_t>(pixels.channels * (pixels.bits / 8));
  for (int64_t y = 0; y < pixels.height; ++y) {
    png_write_row(png, static_cast<png_const_bytep>(pixels.data) + static_cast<size_t>(y) * row_bytes);
  }
  png_write_end(png, nullptr);
  return true;
}

struct Source {
  std::string_view rest;
};

void ReadFrom(png_structp png, png_bytep out, png_size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->rest.size()) png_error(png, "the image is cut short");
  std::memcpy(out, source->rest.data(), size);
  source->rest.remove_prefix(size);
}

struct Header {
  int64_t width = 0;
  int64_t height = 0;
  int channels = 0;    // as wanted
  bool widen = false;  // 8 bits become 16
  int passes = 1;
};

void SetChannels(png_structp png, png_infop info, int* channels) {
  const int color = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);
  const bool has_transparent = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  const bool has_alpha = (color & PNG_COLOR_MASK_ALPHA) != 0, is_gray = (color & PNG_COLOR_MASK_COLOR) == 0;
  const bool has_palette = color == PNG_COLOR_TYPE_PALETTE;
  if (*channels == 0) *channels = has_palette ? (has_transparent ? 4 : 3) : png_get_channels(png, info);
  const bool want_alpha = *channels % 2 == 0, want_gray = *channels < 3;
  if (has_alpha && !want_alpha) png_set_strip_alpha(png);
  if (!has_alpha && want_alpha) {
    if (has_transparent) {
      png_set_tRNS_to_alpha(png);
    } else {
      png_set_add_alpha(png, (1U << depth) - 1, PNG_FILLER_AFTER);
    }
  }
  if (is_gray && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (has_palette) png_set_palette_to_rgb(png);
  if (want_gray == is_gray) return;
  if (is_gray) {
    png_set_gray_to_rgb(png);
  } else {
    png_set_rgb_to_gray(png, PNG_ERROR_ACTION_NONE, 0.299, 0.587);
  }
}

bool ReadHeader(png_structp png, png_infop info, bool want_16_bits, Header* header) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_info(png, info);
  header->width = png_get_image_width(png, info);
  header->height = png_get_image_height(png, info);
  const int depth = png_get_bit_depth(png, info);
  SetChannels(png, info, &header->channels);
  header->widen = want_16_bits && depth < 16;
  if (depth == 16 && !want_16_bits) png_set_strip_16(png);
  if (depth == 16 && want_16_bits && std::endian::native == std::endian::little) png_set_swap(png);
  png_set_packing(png);
  header->passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const auto row_bytes = static_cast<int64_t>(png_get_rowbytes(png, info));
  if (row_bytes != header->width * header->channels * (depth == 16 && want_16_bits ? 2 : 1)) {
    png_error(png, "its rows have another size than its channels say");
  }
  return true;
}

bool ReadRows(png_structp png, const Header& header, uint8_t* out, size_t row_bytes) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  for (int pass = 0; pass < header.passes; ++pass) {
    for (int64_t y = 0; y < header.height; ++y) png_read_row(png, out + static_cast<size_t>(y) * row_bytes, nullptr);
  }
  png_read_end(png, nullptr);
  return true;
}

// Frees libpng's two structs.
struct Reader {
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  png_structp png = nullptr;
  png_infop info = nullptr;
};
struct Writer {
  ~Writer() { png_destroy_write_struct(&png, &info); }
  png_structp png = nullptr;
  png_infop info = nullptr;
};

}  // namespace

bool IsPng(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

Result<std::string> EncodePng(const PngPixels& pixels, int compression) {
  if (pixels.width < 1 || pixels.height < 1 || pixels.width > INT32_MAX || pixels.height > INT32_MAX ||
      pixels.channels < 1 || pixels.channels > 4) {
    return InvalidArgument("PNG: an image of ", pixels.height, " x ", pixels.width, " pixels in ", pixels.channels,
                           " channels cannot be written");
  }
  Log log;
  Writer writer;
  std::string out;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &log, OnError, OnWarning);
  if (writer.png != nullptr) writer.info = png_create_info_struct(writer.png);
  if (writer.info == nullptr) return ResourceExhausted("PNG: no memory to write");
  png_set_user_limits(writer.png, INT32_MAX, INT32_MAX);
  png_set_write_fn(writer.png, &out, AppendTo, FlushNothing);
  if (!Write(writer.png, writer.info, pixels, compression)) return InvalidArgument("PNG: ", log.message);
  return out;
}

Result<Tensor> DecodePng(std::string_view bytes, int channels, DType dtype,
                         const std::shared_ptr<MemoryAccount>& account) {
  if (!IsPng(bytes)) return InvalidArgument("Invalid PNG data, size ", bytes.size());
  Log log;
  Source source{bytes};
  Reader reader;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &log, OnError, OnWarning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) return ResourceExhausted("PNG: no memory to read");
  png_set_user_limits(reader.png, kMostPixelsAside, kMostPixelsAside);
  png_set_read_fn(reader.png, &source, ReadFrom);
  Header header{.channels = channels};
  const bool wide = dtype == DType::kUint16;
  const auto invalid = [&] { return InvalidArgument("Invalid PNG data, size ", bytes.size(), ": ", log.message); };
  if (!ReadHeader(reader.png, reader.info, wide, &header)) return invalid();
  HR_ASSIGN_OR_RETURN(const Shape shape,
                      Shape::Make(std::vector<int64_t>{header.height, header.width, header.channels}));
  HR_ASSIGN_OR_RETURN(Tensor image, Tensor::Allocate(dtype, shape, account));
  auto* out = static_cast<uint8_t*>(image.mutable_raw());
  // What is widened is read into the second half of each row first.
  const auto values = static_cast<size_t>(header.width * header.channels);
  const size_t row_bytes = values * (wide ? 2 : 1);
  if (!header.widen) {
    if (!ReadRows(reader.png, header, out, row_bytes)) return invalid();
    return image;
  }
  if (!ReadRows(reader.png, header, out + values, row_bytes)) return invalid();
  auto* words = reinterpret_cast<uint16_t*>(out);
  for (int64_t y = 0; y < header.height; ++y, out += row_bytes, words += values) {
    for (size_t i = 0; i < values; ++i) words[i] = static_cast<uint16_t>(out[values + i] * 257);
  }
  return image;
}

}  // namespace headrace
