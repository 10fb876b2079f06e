// How a bundle stores elements that are not plain data.
//
//   strings  = { varint length } crc { bytes }       all lengths, the masked crc32c of the lengths, all bytes
//   variants = { varint length, bytes, crc }         the bytes are a VariantTensorDataProto
//
// A checksum takes a string's length as a uint32, or as a uint64 where it does not fit, and a variant's as a uint64.
// The entry's checksum runs over the lengths so taken, the stored checksums (4 bytes each), and the bytes; a variant's
// is what the entry's is up to there.
#pragma once

#include <string_view>

#include "os/file_system.h"
#include "tensor/tensor.h"

namespace headrace {

/// What was written, or read: how many bytes, and their checksum (unmasked).
struct ValuesExtent {
  int64_t size = 0;
  uint32_t crc = 0;
};

Result<ValuesExtent> WriteStrings(std::span<const std::string> strings, WritableFile* file);
Result<ValuesExtent> WriteVariants(const Tensor& variants, WritableFile* file);

/// Reads all elements of a tensor of `shape`; returns their checksum. Errors: kDataLoss when the bytes do not fit.
Result<uint32_t> ReadStrings(std::string_view bytes, const Shape& shape, Tensor* strings);
Result<uint32_t> ReadVariants(std::string_view bytes, const Shape& shape, Tensor* variants);

}  // namespace headrace
