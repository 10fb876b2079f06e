#include "format/crc32c.h"

#include <cstring>

#include <isa-l/crc.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace headrace {

namespace {

// ISA-L's three-way loop wins from about this size on (machine dependent, but flat around it).
constexpr size_t kShort = 256;

uint32_t ExtendLong(uint32_t crc, std::string_view bytes) {
  // ISA-L takes and returns the register without the final inversion; its argument is not const but only read.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~crc);
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] uint32_t ExtendShort(uint32_t crc, std::string_view bytes) {
  uint64_t state = ~crc;
  const char* data = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    state = _mm_crc32_u64(state, word);
  }
  auto narrow = static_cast<uint32_t>(state);
  for (; left > 0; --left, ++data) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*data));
  return ~narrow;
}
const bool kHasCrcInstruction = __builtin_cpu_supports("sse4.2");
#else
uint32_t ExtendShort(uint32_t crc, std::string_view bytes) { return ExtendLong(crc, bytes); }
constexpr bool kHasCrcInstruction = false;
#endif

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes) {
  if (bytes.size() < kShort && kHasCrcInstruction) return ExtendShort(crc, bytes);
  constexpr size_t kPiece = size_t{1} << 30;  // ISA-L counts in int
  while (bytes.size() > kPiece) {
    crc = ExtendLong(crc, bytes.substr(0, kPiece));
    bytes.remove_prefix(kPiece);
  }
  return ExtendLong(crc, bytes);
}

}  // namespace headrace
