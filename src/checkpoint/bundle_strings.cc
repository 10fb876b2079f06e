#include "checkpoint/bundle_values.h"
#include "format/crc32c.h"
#include "format/example.h"
#include "format/little_endian.h"

namespace headrace {

namespace {

uint32_t ExtendByLength(uint32_t crc, uint64_t length) {
  const size_t bytes = length <= UINT32_MAX ? sizeof(uint32_t) : sizeof(uint64_t);
  return ExtendCrc32c(crc, {reinterpret_cast<const char*>(&length), bytes});
}

}  // namespace

Result<ValuesExtent> WriteStrings(std::span<const std::string> strings, WritableFile* file) {
  std::string lengths, stored_crc;
  ValuesExtent extent;
  for (const std::string& text : strings) {
    AppendVarint(lengths, text.size());
    extent.crc = ExtendByLength(extent.crc, text.size());
    extent.size += static_cast<int64_t>(text.size());
  }
  AppendFixed32(stored_crc, MaskCrc(extent.crc));
  extent.crc = ExtendCrc32c(extent.crc, stored_crc);
  lengths += stored_crc;
  extent.size += static_cast<int64_t>(lengths.size());
  HR_RETURN_IF_ERROR(file->Append(lengths));
  for (const std::string& text : strings) {
    extent.crc = ExtendCrc32c(extent.crc, text);
    HR_RETURN_IF_ERROR(file->Append(text));
  }
  return extent;
}

Result<uint32_t> ReadStrings(std::string_view bytes, const Shape& shape, Tensor* strings) {
  // Each string takes a byte at least, which bounds what is allocated.
  if (shape.num_elements() > static_cast<int64_t>(bytes.size())) {
    return DataLoss(shape.num_elements(), " strings cannot be in ", bytes.size(), " bytes");
  }
  HR_ASSIGN_OR_RETURN(*strings, Tensor::Allocate(DType::kString, shape));
  std::vector<uint64_t> lengths(static_cast<size_t>(shape.num_elements()));
  WireCursor cursor(bytes);
  uint32_t crc = 0;
  for (uint64_t& length : lengths) {
    if (!cursor.ReadVarint(&length)) return DataLoss("the lengths of its ", lengths.size(), " strings cannot be read");
    crc = ExtendByLength(crc, length);
  }
  uint32_t stored_crc;
  if (!cursor.ReadFixed32(&stored_crc))
    return DataLoss("it ends after the lengths of its ", lengths.size(), " strings");
  if (stored_crc != MaskCrc(crc)) {
    return DataLoss("the checksum of its strings' lengths is ", UnmaskCrc(stored_crc), ", computed ", crc);
  }
  crc = ExtendCrc32c(crc, {reinterpret_cast<const char*>(&stored_crc), sizeof(stored_crc)});
  std::span<std::string> out = strings->mutable_data<std::string>();
  for (size_t i = 0; i < lengths.size(); ++i) {
    std::string_view text;
    if (!cursor.ReadRaw(lengths[i], &text)) {
      return DataLoss("string ", i, " has ", lengths[i], " bytes, of which ", cursor.Remaining(), " are there");
    }
    out[i] = text;
    crc = ExtendCrc32c(crc, text);
  }
  if (!cursor.AtEnd()) return DataLoss(cursor.Remaining(), " bytes follow its last string");
  return crc;
}

}  // namespace headrace
