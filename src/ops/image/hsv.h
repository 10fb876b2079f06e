// Colours of one pixel: red, green, blue as hue, saturation, value and back. Hue 0 to 1 goes round the circle from red over green.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace headrace {

/// F is float or double.
template <typename F> struct Pixel { F a, b, c; };

template <typename F> inline Pixel<F> RgbToHsv(Pixel<F> rgb) {
  const auto [r, g, b] = rgb;
  const F value = std::max(r, std::max(g, b)), range = value - std::min(r, std::min(g, b));
  const F saturation = value > 0 ? range / value : 0;
  if (!(range > 0)) return {0, saturation, value};
  const F sixth = 1 / (6 * range);
  F hue = r == value ? sixth * (g - b) : g == value ? sixth * (b - r) + F(2) / 6 : sixth * (r - g) + F(4) / 6;
  if (hue < 0) hue += 1;
  return {hue, saturation, value};
}

template <typename F> inline Pixel<F> HsvToRgb(Pixel<F> hsv) {
  const F sixths = hsv.a * 6, rest = 1 - hsv.b;
  const F red = std::clamp<F>(std::abs(sixths - 3) - 1, 0, 1);
  const F green = std::clamp<F>(2 - std::abs(sixths - 2), 0, 1);
  const F blue = std::clamp<F>(2 - std::abs(sixths - 4), 0, 1);
  return {(rest + hsv.b * red) * hsv.c, (rest + hsv.b * green) * hsv.c, (rest + hsv.b * blue) * hsv.c};
}

/// The colour with its hue turned by `sixths` of the circle's sixths; least, middle and largest stay what they are.
inline Pixel<float> TurnHue(Pixel<float> rgb, float sixths) {
  const auto [r, g, b] = rgb;
  const float most = std::max(r, std::max(g, b)), least = std::min(r, std::min(g, b)), range = most - least;
  float hue = 0;
  if (range > 0) {
    hue = (r == most ? g - b : g == most ? b - r : r - g) / range + (r == most ? 0.0F : g == most ? 2.0F : 4.0F);
  }
  hue += sixths;
  hue -= 6 * std::floor(hue / 6);
  // NaN and 6, which rounding makes, are in the last sixth.
  const int sector = hue < 5 ? static_cast<int>(hue) : 5;
  const float share = hue - static_cast<float>(sector);
  const float middle = least + (sector % 2 == 0 ? share : 1 - share) * range;
  switch (sector) {
    case 0:
      return {most, middle, least};
    case 1:
      return {middle, most, least};
    case 2:
      return {least, most, middle};
    case 3:
      return {least, middle, most};
    case 4:
      return {middle, least, most};
    default:
      return {most, least, middle};
  }
}

}  // namespace headrace
