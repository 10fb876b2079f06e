// The index of a bundle (TensorFlow's checkpoint V2): a table of protobuf messages.
//
//   bundle    = "<prefix>.index" and "<prefix>.data-00000-of-00001", ... one data file for each shard
//   index     = a table (format/table.h): "" -> header, then each tensor's name -> entry
//   header    = 1: number of shards, 2: endianness (0 little, 1 big), 3: { 1: producer = 1, 2: oldest consumer }
//   entry     = 1: dtype, 2: shape, 3: shard, 4: offset, 5: size, 6: crc, 7: slice ...
//   crc       = fixed32: the masked crc32c of the bytes
//   shape     = { 2: { 1: extent } }
//   slice     = { 1: { 1: start, 2: length } }              an empty extent is the whole dimension
//
// Zero fields are left out. A tensor that is stored in slices has an entry with its whole shape and its slices, but no
// bytes; each slice is an entry of its own under SliceKey. The bytes of a tensor are its elements in row-major order;
// those of a string tensor are in bundle_values.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/tensor_slice.h"
#include "tensor/tensor.h"

namespace headrace {

struct HR_EXPORT BundleHeader {
  static constexpr int kProducer = 1;
  int64_t num_shards = 1;
  bool big_endian = false;
  int64_t min_consumer = 0;

  std::string Serialize() const;
  /// False for malformed bytes.
  static bool Parse(std::string_view bytes, BundleHeader* header);
};

struct HR_EXPORT BundleEntry {
  DType dtype = DType::kInvalid;
  Shape shape;
  int64_t shard = 0;
  int64_t offset = 0;
  int64_t size = 0;
  uint32_t masked_crc = 0;
  std::vector<TensorSlice> slices;

  std::string Serialize() const;
  /// False for malformed bytes, a shape that no tensor can have, and negative numbers.
  static bool Parse(std::string_view bytes, BundleEntry* entry);
};

/// "<prefix>.index", "<prefix>.data-00000-of-00002".
HR_EXPORT std::string BundleIndexPath(std::string_view prefix);
HR_EXPORT std::string BundleDataPath(std::string_view prefix, int64_t shard, int64_t num_shards);

}  // namespace headrace
