// Arithmetic on untrusted sizes: every result is checked, nothing wraps.
#pragma once

#include <cstdint>
#include <optional>

namespace headrace {

inline std::optional<int64_t> CheckedMultiply(int64_t a, int64_t b) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

}  // namespace headrace
