// Integers in bytes as the formats of this room store them: little-endian, or as varints of seven bits a byte.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace headrace {

inline void AppendFixed32(std::string& out, uint32_t value) { out.append(reinterpret_cast<const char*>(&value), 4); }
inline void AppendFixed64(std::string& out, uint64_t value) { out.append(reinterpret_cast<const char*>(&value), 8); }

inline uint32_t LoadFixed32(const char* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}
inline uint64_t LoadFixed64(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

inline void AppendVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

}  // namespace headrace
