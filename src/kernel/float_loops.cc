#include "kernel/float_loops.h"

#include <cstring>

// This file is compiled once for each target, by foreach_target.h, which has to come first.
// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernel/float_loops.cc"
// AVX2 and AVX-512 are worth code of their own; older CPUs take the baseline.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace headrace::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Wide = hn::ScalableTag<float>;
using One = hn::CappedTag<float, 1>;  // for what is left at the end of a run

struct Neg {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return hn::Neg(x); }
};
struct Abs {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return hn::Abs(x); }
};
struct Square {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return hn::Mul(x, x); }
};
struct Sqrt {
  template <class D, class V> HWY_INLINE V operator()(D, V x) const { return hn::Sqrt(x); }
};
struct Rsqrt {
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const { return hn::Div(hn::Set(d, 1.0f), hn::Sqrt(x)); }
};
struct Reciprocal {
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const { return hn::Div(hn::Set(d, 1.0f), x); }
};
struct Relu {
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);  // NaN stays
  }
};
struct Exp {
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const {
    const V y = hn::Exp(d, hn::Min(x, hn::Set(d, 104.0f)));  // the approximation's range; infinity from 88.8 on
    return hn::IfThenElse(hn::Eq(x, x), y, x);
  }
};
struct Log {
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const {
    const V infinity = hn::Inf(d), zero = hn::Zero(d);
    V y = hn::Log(d, x);
    y = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), y);
    y = hn::IfThenElse(hn::Lt(x, zero), hn::NaN(d), y);
    return hn::IfThenElse(hn::Lt(x, infinity), y, x);  // infinity and NaN
  }
};
struct Tanh {
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const {
    const V limit = hn::Set(d, 20.0f);
    const V y = hn::Tanh(d, hn::Min(hn::Max(x, hn::Neg(limit)), limit));
    return hn::IfThenElse(hn::Eq(x, x), y, x);
  }
};
struct Sigmoid {
  template <class D, class V> HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, 1.0f);
    return hn::Div(one, hn::Add(one, Exp()(d, hn::Neg(x))));
  }
};

struct Add {
  template <class D, class V> HWY_INLINE V operator()(D, V x, V y) const { return hn::Add(x, y); }
};
struct Sub {
  template <class D, class V> HWY_INLINE V operator()(D, V x, V y) const { return hn::Sub(x, y); }
};
struct Mul {
  template <class D, class V> HWY_INLINE V operator()(D, V x, V y) const { return hn::Mul(x, y); }
};
struct Div {
  template <class D, class V> HWY_INLINE V operator()(D, V x, V y) const { return hn::Div(x, y); }
};
struct Maximum {  // NaN wins, as in TensorFlow
  template <class D, class V> HWY_INLINE V operator()(D, V x, V y) const {
    const V z = hn::IfThenElse(hn::Lt(x, y), y, x);
    return hn::IfThenElse(hn::Eq(y, y), z, y);
  }
};
struct Minimum {
  template <class D, class V> HWY_INLINE V operator()(D, V x, V y) const {
    const V z = hn::IfThenElse(hn::Lt(y, x), y, x);
    return hn::IfThenElse(hn::Eq(y, y), z, y);
  }
};
struct SquaredDifference {
  template <class D, class V> HWY_INLINE V operator()(D, V x, V y) const { return Square()(D(), hn::Sub(x, y)); }
};
struct SigmoidGrad {
  template <class D, class V> HWY_INLINE V operator()(D d, V y, V dy) const {
    return hn::Mul(dy, hn::Mul(y, hn::Sub(hn::Set(d, 1.0f), y)));
  }
};
struct TanhGrad {
  template <class D, class V> HWY_INLINE V operator()(D d, V y, V dy) const {
    return hn::Mul(dy, hn::Sub(hn::Set(d, 1.0f), hn::Mul(y, y)));
  }
};

template <class F> void UnaryRun(const void* x_data, void* y_data, int64_t count) {
  const float* x = static_cast<const float*>(x_data);
  float* y = static_cast<float*>(y_data);
  const Wide wide;
  const One one;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(wide));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(F()(wide, hn::LoadU(wide, x + i)), wide, y + i);
  for (; i < count; ++i) hn::StoreU(F()(one, hn::LoadU(one, x + i)), one, y + i);
}

// `load_x(d, i)` gives the operand's vector at i.
template <class F, class LoadX, class LoadY>
HWY_INLINE void BinaryRunWith(float* z, int64_t count, LoadX load_x, LoadY load_y) {
  const Wide wide;
  const One one;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(wide));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(F()(wide, load_x(wide, i), load_y(wide, i)), wide, z + i);
  for (; i < count; ++i) hn::StoreU(F()(one, load_x(one, i), load_y(one, i)), one, z + i);
}

template <class F>
void BinaryRun(const void* x_data, const void* y_data, void* z_data, int64_t count, int64_t x_step, int64_t y_step) {
  const float* x = static_cast<const float*>(x_data);
  const float* y = static_cast<const float*>(y_data);
  float* z = static_cast<float*>(z_data);
  const auto row = [](const float* p) { return [p](auto d, int64_t i) { return hn::LoadU(d, p + i); }; };
  const auto single = [](float value) { return [value](auto d, int64_t) { return hn::Set(d, value); }; };
  if (x_step == 1 && y_step == 1) {
    BinaryRunWith<F>(z, count, row(x), row(y));
  } else if (x_step == 1) {
    BinaryRunWith<F>(z, count, row(x), single(*y));
  } else if (y_step == 1) {
    BinaryRunWith<F>(z, count, single(*x), row(y));
  } else {
    BinaryRunWith<F>(z, count, single(*x), single(*y));
  }
}

// Comparisons give masks; bit i of a mask becomes byte i.
HWY_INLINE uint64_t BytesOfBits(uint64_t bits) {
  const uint64_t spread = (bits * 0x0101010101010101) & 0x8040201008040201;  // bit i, alone in byte i
  return ((spread + 0x7f7f7f7f7f7f7f7f) >> 7) & 0x0101010101010101;
}

struct Less {
  template <class D, class V> HWY_INLINE auto operator()(D, V x, V y) const { return hn::Lt(x, y); }
};
struct LessEqual {
  template <class D, class V> HWY_INLINE auto operator()(D, V x, V y) const { return hn::Le(x, y); }
};
struct Greater {
  template <class D, class V> HWY_INLINE auto operator()(D, V x, V y) const { return hn::Gt(x, y); }
};
struct GreaterEqual {
  template <class D, class V> HWY_INLINE auto operator()(D, V x, V y) const { return hn::Ge(x, y); }
};
struct Equal {
  template <class D, class V> HWY_INLINE auto operator()(D, V x, V y) const { return hn::Eq(x, y); }
};
struct NotEqual {
  // Not(Eq): Ne is an ordered comparison on some CPUs, which takes a NaN for equal to itself.
  template <class D, class V> HWY_INLINE auto operator()(D, V x, V y) const { return hn::Not(hn::Eq(x, y)); }
};

template <class F>
void CompareRun(const void* x_data, const void* y_data, void* z_data, int64_t count, int64_t x_step, int64_t y_step) {
  const float* x = static_cast<const float*>(x_data);
  const float* y = static_cast<const float*>(y_data);
  uint8_t* z = static_cast<uint8_t*>(z_data);
  const hn::CappedTag<float, 8> wide;
  const One one;
  const auto compare = [&](auto d, int64_t i, uint8_t* bits) {
    const auto left = x_step == 1 ? hn::LoadU(d, x + i) : hn::Set(d, *x);
    const auto right = y_step == 1 ? hn::LoadU(d, y + i) : hn::Set(d, *y);
    hn::StoreMaskBits(d, F()(d, left, right), bits);
  };
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(wide));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    uint8_t bits[8] = {};
    compare(wide, i, bits);
    const uint64_t bytes = BytesOfBits(bits[0]);
    std::memcpy(z + i, &bytes, static_cast<size_t>(lanes));
  }
  for (; i < count; ++i) {
    uint8_t bits[8] = {};
    compare(one, i, bits);
    z[i] = bits[0] & 1;
  }
}

// Four accumulators hide the latency of an addition, and keep sums of many elements exact.
template <class F> void ReduceRun(const void* x_data, int64_t count, void* accumulator) {
  const float* x = static_cast<const float*>(x_data);
  float* result = static_cast<float*>(accumulator);
  const Wide wide;
  const One one;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(wide));
  const F f{};
  int64_t i = 0;
  auto total = hn::LoadU(one, result);
  if (count >= 4 * lanes) {
    auto a = hn::LoadU(wide, x), b = hn::LoadU(wide, x + lanes);
    auto c = hn::LoadU(wide, x + 2 * lanes), e = hn::LoadU(wide, x + 3 * lanes);
    for (i = 4 * lanes; i + 4 * lanes <= count; i += 4 * lanes) {
      a = f(wide, a, hn::LoadU(wide, x + i));
      b = f(wide, b, hn::LoadU(wide, x + i + lanes));
      c = f(wide, c, hn::LoadU(wide, x + i + 2 * lanes));
      e = f(wide, e, hn::LoadU(wide, x + i + 3 * lanes));
    }
    a = f(wide, f(wide, a, b), f(wide, c, e));
    alignas(64) float parts[HWY_MAX_BYTES / sizeof(float)];
    hn::StoreU(a, wide, parts);
    for (int64_t half = lanes / 2; half > 0; half /= 2) {
      for (int64_t k = 0; k < half; ++k)
        hn::StoreU(f(one, hn::LoadU(one, parts + k), hn::LoadU(one, parts + k + half)), one, parts + k);
    }
    total = f(one, total, hn::LoadU(one, parts));
  }
  for (; i < count; ++i) total = f(one, total, hn::LoadU(one, x + i));
  hn::StoreU(total, one, result);
}

void AddScaledRun(float scale, const float* x, float* y, int64_t count) {
  const Wide wide;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(wide));
  const auto factor = hn::Set(wide, scale);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::Add(hn::Mul(factor, hn::LoadU(wide, x + i)), hn::LoadU(wide, y + i)), wide, y + i);
  }
  for (; i < count; ++i) y[i] += scale * x[i];
}

}  // namespace

const FloatLoops* Table() {
  static constexpr FloatLoops kLoops = {.neg = UnaryRun<Neg>,
                                        .abs = UnaryRun<Abs>,
                                        .square = UnaryRun<Square>,
                                        .sqrt = UnaryRun<Sqrt>,
                                        .rsqrt = UnaryRun<Rsqrt>,
                                        .reciprocal = UnaryRun<Reciprocal>,
                                        .exp = UnaryRun<Exp>,
                                        .log = UnaryRun<Log>,
                                        .tanh = UnaryRun<Tanh>,
                                        .sigmoid = UnaryRun<Sigmoid>,
                                        .relu = UnaryRun<Relu>,
                                        .add = BinaryRun<Add>,
                                        .sub = BinaryRun<Sub>,
                                        .mul = BinaryRun<Mul>,
                                        .div = BinaryRun<Div>,
                                        .maximum = BinaryRun<Maximum>,
                                        .minimum = BinaryRun<Minimum>,
                                        .squared_difference = BinaryRun<SquaredDifference>,
                                        .sigmoid_grad = BinaryRun<SigmoidGrad>,
                                        .tanh_grad = BinaryRun<TanhGrad>,
                                        .less = CompareRun<Less>,
                                        .less_equal = CompareRun<LessEqual>,
                                        .greater = CompareRun<Greater>,
                                        .greater_equal = CompareRun<GreaterEqual>,
                                        .equal = CompareRun<Equal>,
                                        .not_equal = CompareRun<NotEqual>,
                                        .sum = ReduceRun<Add>,
                                        .max = ReduceRun<Maximum>,
                                        .min = ReduceRun<Minimum>,
                                        .add_scaled = AddScaledRun};
  return &kLoops;
}

}  // namespace headrace::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace headrace {

HWY_EXPORT(Table);

const FloatLoops& GetFloatLoops() {
  static const FloatLoops* const loops = HWY_DYNAMIC_DISPATCH(Table)();
  return *loops;
}

}  // namespace headrace
#endif  // HWY_ONCE
