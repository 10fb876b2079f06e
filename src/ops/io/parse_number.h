// Numbers from text, as TensorFlow's string ops read them: spaces around and a leading "+" are allowed, integers are
// decimal, floats may be hexadecimal ("0x1p3"), "inf", "infinity" or "nan" in any case; too large is infinite, too
// small is zero.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

namespace headrace {

inline std::string_view WithoutSpaces(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kSpaces);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kSpaces) + 1 - begin);
}

/// Reads all of `text`; false for anything else, and for integers out of range.
template <typename T> bool ParseNumber(std::string_view text, T* value) {
  text = WithoutSpaces(text);
  const bool has_plus = text.starts_with('+');
  if (has_plus) text.remove_prefix(1);
  if (text.empty() || (has_plus && (text[0] == '-' || text[0] == '+'))) return false;
  const char* end = text.data() + text.size();
  if constexpr (std::is_integral_v<T>) {
    const auto [stop, error] = std::from_chars(text.data(), end, *value);
    return error == std::errc() && stop == end;
  } else {
    const bool negative = text[0] == '-';
    std::string_view digits = text.substr(negative ? 1 : 0);
    const bool hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
    if (hexadecimal) digits.remove_prefix(2);
    if (digits.empty() || digits[0] == '-' || digits.find('(') != std::string_view::npos) return false;
    T magnitude = 0;
    const auto [stop, error] = std::from_chars(digits.data(), end, magnitude,
                                               hexadecimal ? std::chars_format::hex : std::chars_format::general);
    if (stop != end || error == std::errc::invalid_argument) return false;
    if (error == std::errc::result_out_of_range) {
      const size_t exponent = digits.find_first_of(hexadecimal ? "pP" : "eE");
      const bool small = exponent != std::string_view::npos && digits.substr(exponent + 1).starts_with('-');
      const bool fraction = exponent == std::string_view::npos && digits.starts_with('.');
      magnitude = small || fraction ? T(0) : std::numeric_limits<T>::infinity();
    }
    *value = negative ? -magnitude : magnitude;
    return true;
  }
}

}  // namespace headrace
