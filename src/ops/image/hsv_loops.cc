#include "ops/image/hsv_loops.h"

#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/image/hsv_loops.cc"
// AVX2 and AVX-512 are worth code of their own; older CPUs take the baseline.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"  // first: it includes this file once for each target

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace headrace::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class V> struct Pixels { V a, b, c; };

// y = f(pixels of x), as many at a time as a vector has lanes; the last ones are filled up.
template <class D, class Function>
HWY_INLINE void ForPixels(D d, const hn::TFromD<D>* x, hn::TFromD<D>* y, int64_t pixels, Function f) {
  using V = hn::Vec<D>;
  using T = hn::TFromD<D>;
  const auto step = [&](const T* from, T* to) HWY_ATTR {
    Pixels<V> p{hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    hn::LoadInterleaved3(d, from, p.a, p.b, p.c);
    p = f(p);
    hn::StoreInterleaved3(p.a, p.b, p.c, d, to);
  };
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (; pixels >= lanes; pixels -= lanes, x += 3 * lanes, y += 3 * lanes) step(x, y);
  if (pixels == 0) return;
  T rest[3 * hn::MaxLanes(D())] = {};
  std::memcpy(rest, x, static_cast<size_t>(3 * pixels) * sizeof(T));
  step(rest, rest);
  std::memcpy(y, rest, static_cast<size_t>(3 * pixels) * sizeof(T));
}

// How much of each channel the hue, in sixths of the circle from 0 to 6, has.
template <class D, class V> HWY_INLINE Pixels<V> ChannelsOfHue(D d, V sixths) {
  const V zero = hn::Zero(d), one = hn::Set(d, 1), two = hn::Set(d, 2);
  const auto within = [&](V x) HWY_ATTR { return hn::Min(hn::Max(x, zero), one); };
  return {within(hn::Sub(hn::Abs(hn::Sub(sixths, hn::Set(d, 3))), one)),
          within(hn::Sub(two, hn::Abs(hn::Sub(sixths, two)))),
          within(hn::Sub(two, hn::Abs(hn::Sub(sixths, hn::Set(d, 4)))))};
}

template <class V> HWY_INLINE V Most(const Pixels<V>& p) { return hn::Max(p.a, hn::Max(p.b, p.c)); }
template <class V> HWY_INLINE V Least(const Pixels<V>& p) { return hn::Min(p.a, hn::Min(p.b, p.c)); }

// The hue of red, green, blue in sixths, from -1 to 5. `range`: the largest minus the least; without any the hue is 0.
template <class D, class V> HWY_INLINE V HueInSixths(D d, const Pixels<V>& rgb, V most, V range) {
  const auto is_red = hn::Eq(rgb.a, most), is_green = hn::Eq(rgb.b, most);
  const V by_other = hn::IfThenElse(is_green, hn::Sub(rgb.c, rgb.a), hn::Sub(rgb.a, rgb.b));
  const V from_other = hn::IfThenElse(is_green, hn::Set(d, 2), hn::Set(d, 4));
  const V difference = hn::IfThenElse(is_red, hn::Sub(rgb.b, rgb.c), by_other);
  const V from = hn::IfThenElse(is_red, hn::Zero(d), from_other);
  return hn::IfThenElseZero(hn::Gt(range, hn::Zero(d)), hn::Add(hn::Div(difference, range), from));
}

template <class D, class V> HWY_INLINE Pixels<V> ToHsv(D d, const Pixels<V>& rgb) {
  const V zero = hn::Zero(d), value = Most(rgb), range = hn::Sub(value, Least(rgb));
  const V saturation = hn::IfThenElseZero(hn::Gt(value, zero), hn::Div(range, value));
  const V hue = hn::Mul(HueInSixths(d, rgb, value, range), hn::Set(d, hn::TFromD<D>(1) / 6));
  return {hn::IfThenElse(hn::Lt(hue, zero), hn::Add(hue, hn::Set(d, 1)), hue), saturation, value};
}

template <class D, class V> HWY_INLINE Pixels<V> ToRgb(D d, const Pixels<V>& hsv) {
  const Pixels<V> hue = ChannelsOfHue(d, hn::Mul(hsv.a, hn::Set(d, 6)));
  const V rest = hn::Sub(hn::Set(d, 1), hsv.b);
  const auto channel = [&](V share) HWY_ATTR { return hn::Mul(hn::Add(rest, hn::Mul(hsv.b, share)), hsv.c); };
  return {channel(hue.a), channel(hue.b), channel(hue.c)};
}

template <class D, class V> HWY_INLINE Pixels<V> Turned(D d, const Pixels<V>& rgb, V sixths) {
  const V zero = hn::Zero(d), six = hn::Set(d, 6), most = Most(rgb), least = Least(rgb), range = hn::Sub(most, least);
  V hue = hn::Add(HueInSixths(d, rgb, most, range), sixths);
  hue = hn::IfThenElse(hn::Lt(hue, zero), hn::Add(hue, six), hue);
  hue = hn::IfThenElse(hn::Ge(hue, six), hn::Sub(hue, six), hue);
  const Pixels<V> shares = ChannelsOfHue(d, hue);
  const auto channel = [&](V share) HWY_ATTR { return hn::Add(least, hn::Mul(range, share)); };
  return {channel(shares.a), channel(shares.b), channel(shares.c)};
}

template <typename T> void AllToHsv(const T* x, T* y, int64_t pixels) {
  const hn::ScalableTag<T> d;
  ForPixels(d, x, y, pixels, [d](const auto& p) HWY_ATTR { return ToHsv(d, p); });
}
template <typename T> void AllToRgb(const T* x, T* y, int64_t pixels) {
  const hn::ScalableTag<T> d;
  ForPixels(d, x, y, pixels, [d](const auto& p) HWY_ATTR { return ToRgb(d, p); });
}

void FloatToHsv(const float* x, float* y, int64_t pixels) { AllToHsv(x, y, pixels); }
void DoubleToHsv(const double* x, double* y, int64_t pixels) { AllToHsv(x, y, pixels); }
void FloatToRgb(const float* x, float* y, int64_t pixels) { AllToRgb(x, y, pixels); }
void DoubleToRgb(const double* x, double* y, int64_t pixels) { AllToRgb(x, y, pixels); }

void TurnAll(const float* x, float* y, int64_t pixels, float sixths) {
  const hn::ScalableTag<float> d;
  const auto by = hn::Set(d, sixths);
  ForPixels(d, x, y, pixels, [&](const auto& p) HWY_ATTR { return Turned(d, p, by); });
}

void SaturateAll(const float* x, float* y, int64_t pixels, float scale) {
  const hn::ScalableTag<float> d;
  const auto by = hn::Set(d, scale), zero = hn::Zero(d), one = hn::Set(d, 1);
  ForPixels(d, x, y, pixels, [&](const auto& p) HWY_ATTR {
    auto hsv = ToHsv(d, p);
    hsv.b = hn::Min(hn::Max(hn::Mul(hsv.b, by), zero), one);
    return ToRgb(d, hsv);
  });
}

}  // namespace
}  // namespace headrace::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace headrace {

namespace {

HWY_EXPORT(FloatToHsv);
HWY_EXPORT(DoubleToHsv);
HWY_EXPORT(FloatToRgb);
HWY_EXPORT(DoubleToRgb);
HWY_EXPORT(TurnAll);
HWY_EXPORT(SaturateAll);

}  // namespace

void RgbToHsv(const float* x, float* y, int64_t pixels) { HWY_DYNAMIC_DISPATCH(FloatToHsv)(x, y, pixels); }
void RgbToHsv(const double* x, double* y, int64_t pixels) { HWY_DYNAMIC_DISPATCH(DoubleToHsv)(x, y, pixels); }
void HsvToRgb(const float* x, float* y, int64_t pixels) { HWY_DYNAMIC_DISPATCH(FloatToRgb)(x, y, pixels); }
void HsvToRgb(const double* x, double* y, int64_t pixels) { HWY_DYNAMIC_DISPATCH(DoubleToRgb)(x, y, pixels); }

void TurnHue(const float* x, float* y, int64_t pixels, float turns) {
  HWY_DYNAMIC_DISPATCH(TurnAll)(x, y, pixels, (turns - std::floor(turns)) * 6);
}

void ScaleSaturation(const float* x, float* y, int64_t pixels, float scale) {
  HWY_DYNAMIC_DISPATCH(SaturateAll)(x, y, pixels, scale);
}

}  // namespace headrace
#endif  // HWY_ONCE
