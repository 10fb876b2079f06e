// The keys of slices, in an encoding whose byte order is the order of what it encodes:
//
//   key      = number 0, text name, number rank, { signed start, signed length }     (0 and -1 for a whole dimension)
//   number   = one byte: how many bytes follow; the number, high byte first, without leading zero bytes
//   text     = the bytes, 00 as 00 ff and ff as ff 00; then 00 01
//   signed   = n bytes, high byte first: the number in two's complement, its n topmost bits inverted, so that the length
//              n shows in how many leading bits are alike; n is the least that leaves 7 n - 1 bits for the number
#include <bit>

#include "checkpoint/tensor_slice.h"

namespace headrace {

namespace {

void AppendNumber(std::string& out, uint64_t value) {
  const int bytes = (std::bit_width(value) + 7) / 8;
  out += static_cast<char>(bytes);
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}

void AppendOrderedText(std::string& out, std::string_view text) {
  for (const char c : text) {
    out += c;
    if (c == '\0') out += '\xff';
    if (c == '\xff') out += '\0';
  }
  out += '\0';
  out += '\x01';
}

void AppendSigned(std::string& out, int64_t value) {
  const auto magnitude = static_cast<uint64_t>(value < 0 ? ~value : value);
  const int bytes = std::bit_width(magnitude) / 7 + 1;
  // As a number of 10 bytes: sign extension above, then the value.
  unsigned char wide[10];
  for (int i = 0; i < 10; ++i)
    wide[9 - i] = static_cast<unsigned char>(i < 8 ? static_cast<uint64_t>(value) >> (8 * i) : (value < 0 ? 0xff : 0));
  unsigned char* first = wide + 10 - bytes;
  // The first `bytes` bits are the sign's; inverting them marks positive numbers by ones, and keeps the order.
  for (int bit = 0; bit < bytes; ++bit) first[bit / 8] ^= static_cast<unsigned char>(0x80 >> (bit % 8));
  out.append(reinterpret_cast<const char*>(first), static_cast<size_t>(bytes));
}

}  // namespace

std::string SliceKey(std::string_view name, const TensorSlice& slice) {
  std::string key;
  AppendNumber(key, 0);
  AppendOrderedText(key, name);
  AppendNumber(key, static_cast<uint64_t>(slice.rank()));
  for (const TensorSlice::Extent& extent : slice.extents) {
    AppendSigned(key, extent.start);
    AppendSigned(key, extent.length);
  }
  return key;
}

}  // namespace headrace
