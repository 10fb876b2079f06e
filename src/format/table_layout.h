// The numbers that a table's reader and writer share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace headrace {

inline constexpr char kStoredAsIs = 0;
inline constexpr char kStoredWithSnappy = 1;
inline constexpr int64_t kBlockTrailerBytes = 5;  // type and crc
inline constexpr size_t kTableHandlesBytes = 40;
inline constexpr size_t kTableFooterBytes = 48;
inline constexpr uint64_t kTableMagic = 0xdb4775248b80fb57;

}  // namespace headrace
