#include "ops/nn/softmax_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/nn/softmax_rows.cc"
// AVX2 and AVX-512 are worth code of their own; older CPUs take the baseline.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"  // first: it includes this file once for each target

#include "hwy/highway.h"

#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace headrace::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Calls f(vector, begin, lanes used) for the vectors of a row; the last one is filled up with `padding`.
template <typename Function> HWY_INLINE void ForVectors(const float* x, int64_t count, float padding, Function f) {
  const D d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) f(hn::LoadU(d, x + i), i, lanes);
  if (i == count) return;
  HWY_ALIGN float rest[hn::MaxLanes(D())];
  hn::Store(hn::Set(d, padding), d, rest);
  std::memcpy(rest, x + i, static_cast<size_t>(count - i) * sizeof(float));
  f(hn::Load(d, rest), i, count - i);
}

HWY_INLINE void StoreLanes(V v, float* y, int64_t used) {
  const D d;
  if (used == static_cast<int64_t>(hn::Lanes(d))) return hn::StoreU(v, d, y);
  HWY_ALIGN float rest[hn::MaxLanes(D())];
  hn::Store(v, d, rest);
  std::memcpy(y, rest, static_cast<size_t>(used) * sizeof(float));
}

HWY_INLINE V ExpOrNan(V x) {
  const V y = hn::Exp(D(), x);  // takes NaN to 0
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

float RowMax(const float* x, int64_t count) {
  const D d;
  V max = hn::Set(d, -std::numeric_limits<float>::infinity());
  ForVectors(x, count, -std::numeric_limits<float>::infinity(), [&](V v, int64_t, int64_t) { max = hn::Max(max, v); });
  return hn::GetLane(hn::MaxOfLanes(d, max));
}

SoftmaxNorm<float> Softmax(const float* x, float* y, int64_t count) {
  const D d;
  const float max = RowMax(x, count);
  const V shift = hn::Set(d, max);
  V sum = hn::Zero(d);
  ForVectors(x, count, -std::numeric_limits<float>::infinity(), [&](V v, int64_t i, int64_t used) {
    const V e = ExpOrNan(hn::Sub(v, shift));
    sum = hn::Add(sum, e);
    StoreLanes(e, y + i, used);
  });
  const float total = hn::GetLane(hn::SumOfLanes(d, sum));
  const V scale = hn::Set(d, 1.0f / total);
  ForVectors(y, count, 0, [&](V v, int64_t i, int64_t used) { StoreLanes(hn::Mul(v, scale), y + i, used); });
  return {max, std::log(total)};
}

void LogSoftmax(const float* x, float* y, int64_t count) {
  const D d;
  const V shift = hn::Set(d, RowMax(x, count));
  V sum = hn::Zero(d);
  ForVectors(x, count, -std::numeric_limits<float>::infinity(),
             [&](V v, int64_t, int64_t) { sum = hn::Add(sum, ExpOrNan(hn::Sub(v, shift))); });
  const V log_sum = hn::Set(d, std::log(hn::GetLane(hn::SumOfLanes(d, sum))));
  ForVectors(x, count, 0,
             [&](V v, int64_t i, int64_t used) { StoreLanes(hn::Sub(hn::Sub(v, shift), log_sum), y + i, used); });
}

}  // namespace
}  // namespace headrace::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace headrace {

namespace {

HWY_EXPORT(Softmax);
HWY_EXPORT(LogSoftmax);

}  // namespace

SoftmaxNorm<float> SoftmaxRow(const float* x, float* y, int64_t count) {
  return HWY_DYNAMIC_DISPATCH(Softmax)(x, y, count);
}

void LogSoftmaxRow(const float* x, float* y, int64_t count) { HWY_DYNAMIC_DISPATCH(LogSoftmax)(x, y, count); }

SoftmaxNorm<double> SoftmaxRow(const double* x, double* y, int64_t count) {
  const double max = *std::max_element(x, x + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += y[i] = std::exp(x[i] - max);
  for (int64_t i = 0; i < count; ++i) y[i] /= sum;
  return {max, std::log(sum)};
}

void LogSoftmaxRow(const double* x, double* y, int64_t count) {
  const double max = *std::max_element(x, x + count);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += std::exp(x[i] - max);
  const double log_sum = std::log(sum);
  for (int64_t i = 0; i < count; ++i) y[i] = (x[i] - max) - log_sum;
}

}  // namespace headrace
#endif  // HWY_ONCE
