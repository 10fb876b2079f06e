// CRC-32C (Castagnoli), the checksum of TensorFlow's record, table and bundle files, and its masked form.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/export.h"

namespace headrace {

/// The checksum of what `crc` covers followed by `bytes`; start with 0.
HR_EXPORT uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes);
inline uint32_t Crc32c(std::string_view bytes) { return ExtendCrc32c(0, bytes); }

/// Files store checksums rotated and offset, so that a checksum of data that contains checksums stays useful.
constexpr uint32_t kCrcMaskDelta = 0xa282ead8;
constexpr uint32_t MaskCrc(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + kCrcMaskDelta; }
constexpr uint32_t UnmaskCrc(uint32_t masked) {
  const uint32_t rotated = masked - kCrcMaskDelta;
  return (rotated >> 17) | (rotated << 15);
}

}  // namespace headrace
