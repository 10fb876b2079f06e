// StrCat: text from parts, for messages. Light on purpose, as every header sees it.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/export.h"

namespace headrace {

HR_EXPORT void AppendText(std::string& out, double value);

inline void AppendText(std::string& out, std::string_view value) { out += value; }
inline void AppendText(std::string& out, const char* value) { out += value; }
inline void AppendText(std::string& out, const std::string& value) { out += value; }
inline void AppendText(std::string& out, char value) { out += value; }
inline void AppendText(std::string& out, bool value) { out += value ? "true" : "false"; }

template <typename T>
requires(std::integral<T>) void AppendText(std::string& out, T value) { out += std::to_string(value); }
template <typename T>
requires requires(const T& value) {
  { value.ToString() } -> std::convertible_to<std::string>;
}
void AppendText(std::string& out, const T& value) { out += value.ToString(); }

/// Concatenates text, numbers and anything that has ToString().
template <typename... Args> std::string StrCat(const Args&... args) {
  std::string out;
  (AppendText(out, args), ...);
  return out;
}

/// Joins the items' texts with `separator`.
template <typename Range> std::string StrJoin(const Range& items, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += separator;
    first = false;
    AppendText(out, item);
  }
  return out;
}

/// Splits at every `separator`; empty pieces are kept ("a,,b" gives three), an empty text gives none.
HR_EXPORT std::vector<std::string> StrSplit(std::string_view text, char separator);

/// Reads a whole text as a decimal integer; false for anything else, overflow included.
HR_EXPORT bool ParseInt64(std::string_view text, int64_t* value);

/// Reads a whole text as a number; false for anything else.
HR_EXPORT bool ParseDouble(std::string_view text, double* value);

/// Bytes as lower-case hexadecimal digits, 16 of them.
HR_EXPORT std::string Hex16(uint64_t value);

}  // namespace headrace
