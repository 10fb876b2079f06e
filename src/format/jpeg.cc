// libjpeg reports errors by a callback that must not return: it jumps. Each function that may meet one has a setjmp of its
// own, and no locals that need a destructor.
#include "format/jpeg.h"

#include <cstdio>  // before jpeglib.h, which uses FILE

#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <memory>
#include <vector>

namespace headrace {

namespace {

constexpr int64_t kMostPixels = int64_t{1} << 29;

struct Errors {
  jpeg_error_mgr manager;  // first: libjpeg knows only this
  jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = {};
};

void OnError(j_common_ptr info) {
  auto* errors = reinterpret_cast<Errors*>(info->err);
  info->err->format_message(info, errors->message);
  longjmp(errors->jump, 1);
}
void OnMessage(j_common_ptr) {}

jpeg_error_mgr* Use(Errors& errors) {
  jpeg_error_mgr* manager = jpeg_std_error(&errors.manager);
  manager->error_exit = OnError;
  manager->output_message = OnMessage;
  return manager;
}

// Reads from memory. What comes after the end is an end marker, which libjpeg warns about.
struct Source {
  jpeg_source_mgr manager;  // first
  bool ended = false;
};
boolean FillPastEnd(j_decompress_ptr info) {
  static const JOCTET kEnd[] = {0xFF, JPEG_EOI};
  reinterpret_cast<Source*>(info->src)->ended = true;
  info->src->next_input_byte = kEnd;
  info->src->bytes_in_buffer = sizeof(kEnd);
  return TRUE;
}
void SkipInput(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  const auto skipped = static_cast<size_t>(count);
  if (skipped > info->src->bytes_in_buffer) {
    FillPastEnd(info);
    return;
  }
  info->src->next_input_byte += skipped;
  info->src->bytes_in_buffer -= skipped;
}

// Owns libjpeg's state; what it points to lives as long.
struct Decoder {
  Decoder() { info.err = Use(errors); }
  ~Decoder() {
    if (created) jpeg_destroy_decompress(&info);
  }
  bool ReadHeader(std::string_view bytes, const JpegDecoding& options);
  /// Returns how many rows were read into `out`; below the height after an error or, unless recovering, an early end.
  int64_t ReadRows(uint8_t* out, int64_t row_bytes, uint8_t* cmyk);

  jpeg_decompress_struct info = {};
  Errors errors;
  Source source = {};
  bool created = false;
  int channels = 0;
  int64_t rows = 0;  // read
};

bool Decoder::ReadHeader(std::string_view bytes, const JpegDecoding& options) {
  if (setjmp(errors.jump) != 0) return false;
  jpeg_create_decompress(&info);
  created = true;
  const auto nothing = [](j_decompress_ptr) {};
  source.manager = {reinterpret_cast<const JOCTET*>(bytes.data()),
                    bytes.size(),
                    nothing,
                    FillPastEnd,
                    SkipInput,
                    jpeg_resync_to_restart,
                    nothing};
  info.src = &source.manager;
  jpeg_read_header(&info, TRUE);
  channels = options.channels != 0 ? options.channels : std::min(info.num_components, 3);
  const bool is_cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = is_cmyk ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  info.do_fancy_upsampling = options.fancy_upscaling ? TRUE : FALSE;
  info.scale_num = 1;
  info.scale_denom = static_cast<unsigned>(options.ratio);
  info.dct_method = options.fast ? JDCT_IFAST : JDCT_DEFAULT;
  jpeg_start_decompress(&info);
  return true;
}

// Inverted CMYK, as Adobe writes it, or plain.
void CmykToPixels(const uint8_t* cmyk, bool inverted, int64_t width, int channels, uint8_t* out) {
  for (int64_t x = 0; x < width; ++x, cmyk += 4, out += channels) {
    int rgb[3];
    for (int k = 0; k < 3; ++k) {
      rgb[k] = inverted ? cmyk[3] * cmyk[k] / 255 : (255 - cmyk[3]) * (255 - cmyk[k]) / 255;
    }
    if (channels == 1) {
      *out = static_cast<uint8_t>((rgb[0] + rgb[1] + rgb[2]) / 3);
    } else {
      std::copy_n(rgb, 3, out);
    }
  }
}

int64_t Decoder::ReadRows(uint8_t* out, int64_t row_bytes, uint8_t* cmyk) {
  if (setjmp(errors.jump) != 0) return rows;
  while (info.output_scanline < info.output_height) {
    uint8_t* row = out + rows * row_bytes;
    JSAMPROW target = cmyk != nullptr ? cmyk : row;
    if (jpeg_read_scanlines(&info, &target, 1) != 1) return rows;
    if (source.ended) return rows;
    if (cmyk != nullptr) CmykToPixels(cmyk, info.saw_Adobe_marker != 0, info.output_width, channels, row);
    ++rows;
  }
  jpeg_finish_decompress(&info);
  return rows;
}

struct Encoder {
  Encoder() { info.err = Use(errors); }
  ~Encoder() {
    if (created) jpeg_destroy_compress(&info);
    free(buffer);
  }
  bool Encode(const uint8_t* pixels, int64_t height, int64_t width, int channels, const JpegEncoding& options);

  jpeg_compress_struct info = {};
  Errors errors;
  bool created = false;
  unsigned char* buffer = nullptr;  // libjpeg's, by malloc
  unsigned long size = 0;
};

bool Encoder::Encode(const uint8_t* pixels, int64_t height, int64_t width, int channels, const JpegEncoding& options) {
  if (setjmp(errors.jump) != 0) return false;
  jpeg_create_compress(&info);
  created = true;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = channels;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  if (options.optimize_size) info.optimize_coding = TRUE;
  info.density_unit = options.density_in_cm ? 2 : 1;
  info.X_density = static_cast<UINT16>(options.x_density);
  info.Y_density = static_cast<UINT16>(options.y_density);
  jpeg_set_quality(&info, options.quality, TRUE);
  if (options.progressive) jpeg_simple_progression(&info);
  if (!options.chroma_downsampling) {
    for (int i = 0; i < info.num_components; ++i) info.comp_info[i].h_samp_factor = info.comp_info[i].v_samp_factor = 1;
  }
  jpeg_start_compress(&info, TRUE);
  if (!options.xmp_metadata.empty()) {
    static constexpr char kName[] = "http://ns.adobe.com/xap/1.0/";  // with its zero
    jpeg_write_m_header(&info, JPEG_APP0 + 1, static_cast<unsigned>(sizeof(kName) + options.xmp_metadata.size()));
    for (const char c : kName) jpeg_write_m_byte(&info, static_cast<unsigned char>(c));
    for (const char c : options.xmp_metadata) jpeg_write_m_byte(&info, static_cast<unsigned char>(c));
  }
  for (int64_t y = 0; y < height; ++y) {
    auto* row = const_cast<JSAMPROW>(pixels + y * width * channels);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

bool IsJpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8\xff"); }

Result<Tensor> DecodeJpeg(std::string_view bytes, const JpegDecoding& options,
                          const std::shared_ptr<MemoryAccount>& account) {
  const auto decoder = std::make_unique<Decoder>();
  const auto invalid = [&](std::string_view why) {
    return InvalidArgument("Invalid JPEG data or crop window, data size ", bytes.size(), ": ", why);
  };
  if (!IsJpeg(bytes)) return invalid("it does not begin as one");
  if (!decoder->ReadHeader(bytes, options)) return invalid(decoder->errors.message);
  const int64_t height = decoder->info.output_height, width = decoder->info.output_width;
  if (height * width > kMostPixels) return invalid(StrCat(height, " x ", width, " pixels are too many"));
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(std::vector<int64_t>{height, width, decoder->channels}));
  HR_ASSIGN_OR_RETURN(Tensor image, Tensor::Allocate(DType::kUint8, shape, account));
  std::vector<uint8_t> cmyk(decoder->info.out_color_space == JCS_CMYK ? static_cast<size_t>(width) * 4 : 0);
  const int64_t row_bytes = width * decoder->channels;
  auto* out = static_cast<uint8_t*>(image.mutable_raw());
  const int64_t rows = decoder->ReadRows(out, row_bytes, cmyk.empty() ? nullptr : cmyk.data());
  if (rows == height) return image;
  const double fraction = static_cast<double>(rows) / static_cast<double>(height);
  if (!options.recover_truncated || fraction < static_cast<double>(options.acceptable_fraction)) {
    return invalid(decoder->errors.message[0] != 0 ? decoder->errors.message : "it is cut short");
  }
  std::fill(out + rows * row_bytes, out + height * row_bytes, uint8_t{128});
  return image;
}

Result<std::string> EncodeJpeg(const Tensor& image, const JpegEncoding& options) {
  constexpr int64_t kMostAside = JPEG_MAX_DIMENSION;
  constexpr size_t kMostMetadata = 65533 - 29;
  const int64_t channels = image.rank() == 3 ? image.dim(2) : 0;
  if (channels != 1 && channels != 3) return InvalidArgument("image must have 1 or 3 channels, got ", image);
  if (image.dim(0) < 1 || image.dim(1) < 1 || image.dim(0) > kMostAside || image.dim(1) > kMostAside) {
    return InvalidArgument("JPEG: an image of ", image, " cannot be written, a side has 1 to ", kMostAside, " pixels");
  }
  if (options.xmp_metadata.size() > kMostMetadata) {
    return InvalidArgument("JPEG: xmp_metadata has ", options.xmp_metadata.size(), " bytes, the limit is ",
                           kMostMetadata);
  }
  const auto encoder = std::make_unique<Encoder>();
  if (!encoder->Encode(image.data<uint8_t>().data(), image.dim(0), image.dim(1), static_cast<int>(channels), options)) {
    return InvalidArgument("JPEG encoding failed: ", encoder->errors.message);
  }
  return std::string(reinterpret_cast<const char*>(encoder->buffer), encoder->size);
}

}  // namespace headrace
