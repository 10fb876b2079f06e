// The values of one feature, as they mostly stand in an Example: short lists, read without a call. Others are left to
// format/example.h.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "format/example.h"
#include "tensor/dtype.h"

namespace headrace {

constexpr FeatureKind KindOf(DType dtype) {
  return dtype == DType::kFloat   ? FeatureKind::kFloat
         : dtype == DType::kInt64 ? FeatureKind::kInt64
                                  : FeatureKind::kBytes;
}

/// As ==, without a call for short names.
inline bool SameName(std::string_view a, std::string_view b) {
  constexpr size_t kWord = sizeof(uint64_t);
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size < kWord) {
    for (size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  if (size > 2 * kWord) return a == b;
  return std::memcmp(a.data(), b.data(), kWord) == 0 &&
         std::memcmp(a.data() + size - kWord, b.data() + size - kWord, kWord) == 0;
}

/// True when the list is one field of number 1 with fewer than 128 bytes: by far the most frequent form.
inline bool IsShortList(std::string_view list) {
  return list.size() >= 2 && list[0] == 0x0a && list.size() < 130 && static_cast<size_t>(list[1]) == list.size() - 2;
}

/// As out->assign. In a translation unit of its own: where the compiler sees that the bytes are few, it copies them by an
/// instruction that takes longer than all else about a feature.
void AssignBytes(std::string* out, std::string_view bytes);

// Each reads up to `capacity` values and returns how many there are, or -1 for malformed bytes.
inline int64_t ReadValues(std::string_view list, float* out, int64_t capacity) {
  if (capacity == 1 && list.size() == 6 && IsShortList(list)) {
    std::memcpy(out, list.data() + 2, sizeof(float));
    return 1;
  }
  return DecodeFloats(list, out, capacity);
}
inline int64_t ReadValues(std::string_view list, int64_t* out, int64_t capacity) {
  if (capacity == 1 && IsShortList(list)) {
    WireCursor cursor(std::string_view(list.data() + 2, list.size() - 2));
    uint64_t value;
    if (cursor.ReadVarint(&value) && cursor.AtEnd()) {
      *out = static_cast<int64_t>(value);
      return 1;
    }
  }
  return DecodeInt64s(list, out, capacity);
}
inline int64_t ReadValues(std::string_view list, std::string* out, int64_t capacity) {
  if (capacity == 1 && IsShortList(list)) {
    AssignBytes(out, list.substr(2));
    return 1;
  }
  return DecodeBytes(list, out, capacity);
}

/// A single value of a slot goes straight here: output + example * the size of an element. None for other slots.
struct Direct {
  FeatureKind kind = FeatureKind::kNone;
  void* out = nullptr;
};

/// Reads a short list of one value into its place; false, and nothing done, for any other.
inline bool TakeShort(const Direct& direct, int64_t example, FeatureKind kind, std::string_view list) {
  if (kind != direct.kind || !IsShortList(list)) return false;
  const char* bytes = list.data() + 2;
  const size_t size = list.size() - 2;
  if (kind == FeatureKind::kBytes) {
    std::string* out = static_cast<std::string*>(direct.out) + example;
    __builtin_prefetch(out + 2, 1);  // each output is a stream of its own, too many for the processor to see
    AssignBytes(out, {bytes, size});
    return true;
  }
  if (kind == FeatureKind::kFloat) {
    if (size == sizeof(float)) std::memcpy(static_cast<float*>(direct.out) + example, bytes, sizeof(float));
    return size == sizeof(float);
  }
  WireCursor cursor(std::string_view(bytes, size));
  uint64_t value;
  if (!cursor.ReadVarint(&value) || !cursor.AtEnd()) return false;
  static_cast<int64_t*>(direct.out)[example] = static_cast<int64_t>(value);
  return true;
}

}  // namespace headrace
