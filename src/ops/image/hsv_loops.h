// Loops over pixels of three channels: red, green, blue as hue, saturation, value and back. Vectorised (Highway, chosen at run
// time). Hue 0 to 1 goes round the circle from red over green and blue. y may be x.
#pragma once

#include <cstdint>

namespace headrace {

void RgbToHsv(const float* x, float* y, int64_t pixels);
void RgbToHsv(const double* x, double* y, int64_t pixels);
void HsvToRgb(const float* x, float* y, int64_t pixels);
void HsvToRgb(const double* x, double* y, int64_t pixels);

/// Turns the hue of red, green, blue by `turns` of the circle. The least and the largest channel's values stay.
void TurnHue(const float* x, float* y, int64_t pixels, float turns);
/// Scales the saturation of red, green, blue, and keeps it within 0 and 1.
void ScaleSaturation(const float* x, float* y, int64_t pixels, float scale);

}  // namespace headrace
