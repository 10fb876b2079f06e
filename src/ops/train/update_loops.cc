#include "ops/train/update_loops.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/train/update_loops.cc"
// AVX2 and AVX-512 are worth code of their own; older CPUs take the baseline.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"  // first: it includes this file once for each target

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace headrace::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A rule: Step changes the states `s` by the gradient `g`; `c` are the scalars in every lane. In the order of TensorFlow's own
// operations, and without fused multiply-add, so that results agree with it to the last bits.
constexpr int kMaxScalars = 4;

template <class D, class V> HWY_INLINE V Square(D, V x) { return hn::Mul(x, x); }
template <class D, class V> HWY_INLINE V Twice(D, V x) { return hn::Add(x, x); }
template <class D, class V> HWY_INLINE V OneMinus(D d, V x) { return hn::Sub(hn::Set(d, hn::TFromD<D>{1}), x); }

// var -= g * alpha
struct GradientDescent {
  static constexpr int kStates = 1;
  template <class D, class V> static HWY_INLINE void Step(D, const V* c, V* s, V g) {
    s[0] = hn::Sub(s[0], hn::Mul(g, c[0]));
  }
};

// accum = accum * momentum + g; var -= accum * lr
struct Momentum {
  static constexpr int kStates = 2;
  template <class D, class V> static HWY_INLINE void Step(D, const V* c, V* s, V g) {
    s[1] = hn::Add(hn::Mul(s[1], c[1]), g);
    s[0] = hn::Sub(s[0], hn::Mul(s[1], c[0]));
  }
};

// accum = accum * momentum + g; var -= g * lr + accum * momentum * lr
struct Nesterov {
  static constexpr int kStates = 2;
  template <class D, class V> static HWY_INLINE void Step(D, const V* c, V* s, V g) {
    s[1] = hn::Add(hn::Mul(s[1], c[1]), g);
    s[0] = hn::Sub(s[0], hn::Add(hn::Mul(g, c[0]), hn::Mul(hn::Mul(s[1], c[1]), c[0])));
  }
};

// accum += g^2, unless kFixed; var -= g * lr / sqrt(accum)
template <bool kFixed> struct Adagrad {
  static constexpr int kStates = 2;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    if constexpr (!kFixed) s[1] = hn::Add(s[1], Square(d, g));
    s[0] = hn::Sub(s[0], hn::Div(hn::Mul(g, c[0]), hn::Sqrt(s[1])));
  }
};

// accum += g^2, unless kFixed; var -= g * lr / (sqrt(accum) + epsilon)
template <bool kFixed> struct AdagradV2 {
  static constexpr int kStates = 2;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    if constexpr (!kFixed) s[1] = hn::Add(s[1], Square(d, g));
    s[0] = hn::Sub(s[0], hn::Div(hn::Mul(g, c[0]), hn::Add(hn::Sqrt(s[1]), c[1])));
  }
};

// m += (g - m) * (1 - beta1); v += (g^2 - v) * (1 - beta2); var -= m * alpha / (sqrt(v) + epsilon), with kNesterov
// g * (1 - beta1) + m * beta1 in the place of m in the last formula.
template <bool kNesterov> struct Adam {
  static constexpr int kStates = 3;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    s[1] = hn::Add(s[1], hn::Mul(hn::Sub(g, s[1]), OneMinus(d, c[1])));
    s[2] = hn::Add(s[2], hn::Mul(hn::Sub(Square(d, g), s[2]), OneMinus(d, c[2])));
    V m = s[1];
    if constexpr (kNesterov) m = hn::Add(hn::Mul(g, OneMinus(d, c[1])), hn::Mul(m, c[1]));
    s[0] = hn::Sub(s[0], hn::Div(hn::Mul(m, c[0]), hn::Add(hn::Sqrt(s[2]), c[3])));
  }
};

// ms += (g^2 - ms) * (1 - rho); mom = mom * momentum + g * lr / sqrt(ms + epsilon); var -= mom
struct RmsProp {
  static constexpr int kStates = 3;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    s[1] = hn::Add(s[1], hn::Mul(hn::Sub(Square(d, g), s[1]), OneMinus(d, c[1])));
    s[2] = hn::Add(hn::Mul(s[2], c[2]), hn::Div(hn::Mul(g, c[0]), hn::Sqrt(hn::Add(s[1], c[3]))));
    s[0] = hn::Sub(s[0], s[2]);
  }
};

// m += (g - m) * (1 - beta1); v = max(beta2 * v, |g|); var -= alpha * (m / (v + epsilon))
struct AdaMax {
  static constexpr int kStates = 3;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    s[1] = hn::Add(s[1], hn::Mul(hn::Sub(g, s[1]), OneMinus(d, c[1])));
    s[2] = hn::Max(hn::Mul(s[2], c[2]), hn::Abs(g));
    s[0] = hn::Sub(s[0], hn::Mul(c[0], hn::Div(s[1], hn::Add(s[2], c[3]))));
  }
};

// mg += (g - mg) * (1 - rho), ms as in RmsProp; mom = mom * momentum + g * lr / sqrt(ms - mg^2 + epsilon); var -= mom
struct CenteredRmsProp {
  static constexpr int kStates = 4;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    s[2] = hn::Add(s[2], hn::Mul(hn::Sub(Square(d, g), s[2]), OneMinus(d, c[1])));
    s[1] = hn::Add(s[1], hn::Mul(hn::Sub(g, s[1]), OneMinus(d, c[1])));
    const V spread = hn::Add(hn::Sub(s[2], Square(d, s[1])), c[3]);
    s[3] = hn::Add(hn::Mul(s[3], c[2]), hn::Div(hn::Mul(g, c[0]), hn::Sqrt(spread)));
    s[0] = hn::Sub(s[0], s[3]);
  }
};

// accum = accum * rho + g^2 * (1 - rho); update = sqrt(accum_update + epsilon) / sqrt(accum + epsilon) * g;
// accum_update = accum_update * rho + update^2 * (1 - rho); var -= update * lr
struct Adadelta {
  static constexpr int kStates = 3;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    const V rest = OneMinus(d, c[1]);
    s[1] = hn::Add(hn::Mul(s[1], c[1]), hn::Mul(Square(d, g), rest));
    const V scale = hn::Div(hn::Sqrt(hn::Add(s[2], c[2])), hn::Sqrt(hn::Add(s[1], c[2])));
    const V update = hn::Mul(scale, g);
    s[2] = hn::Add(hn::Mul(s[2], c[1]), hn::Mul(Square(d, update), rest));
    s[0] = hn::Sub(s[0], hn::Mul(update, c[0]));
  }
};

// sign(x) * max(|x| - bound, 0): what an L1 penalty leaves of x.
template <class D, class V> HWY_INLINE V Shrink(D d, V x, V bound) {
  return hn::CopySign(hn::Max(hn::Sub(hn::Abs(x), bound), hn::Zero(d)), x);
}

// With x = var - g * alpha: var = Shrink(x, alpha * l1) / (1 + l2 * alpha)
struct ProximalGradientDescent {
  static constexpr int kStates = 1;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    const V one = hn::Set(d, hn::TFromD<D>{1}), x = hn::Sub(s[0], hn::Mul(g, c[0]));
    s[0] = hn::Div(Shrink(d, x, hn::Mul(c[0], c[1])), hn::Add(one, hn::Mul(c[2], c[0])));
  }
};

// accum += g^2, then as ProximalGradientDescent with alpha = lr / sqrt(accum)
struct ProximalAdagrad {
  static constexpr int kStates = 2;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    s[1] = hn::Add(s[1], Square(d, g));
    const V scaled[] = {hn::Div(c[0], hn::Sqrt(s[1])), c[1], c[2]};
    ProximalGradientDescent::Step(d, scaled, s, g);
  }
};

// sum += g; squares += g^2; var = -lr * Shrink(sum, l1 * step) / (l2 * step * lr + sqrt(squares))
struct AdagradDa {
  static constexpr int kStates = 3;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    s[1] = hn::Add(s[1], g);
    s[2] = hn::Add(s[2], Square(d, g));
    const V divisor = hn::Add(c[2], hn::Sqrt(s[2]));
    s[0] = hn::Div(hn::Neg(hn::Mul(c[0], Shrink(d, s[1], c[1]))), divisor);
  }
};

// new = accum + g^2; linear += g + 2 * l2_shrinkage * var - (sqrt(new) - sqrt(accum)) / lr * var;
// var = |linear| > l1 ? (sign(linear) * l1 - linear) / (sqrt(new) / lr + 2 * l2) : 0; accum = new
// With kByLr every term is multiplied by lr, linear's own included.
template <bool kByLr> struct Ftrl {
  static constexpr int kStates = 3;
  template <class D, class V> static HWY_INLINE void Step(D d, const V* c, V* s, V g) {
    const V sum = hn::Add(s[1], Square(d, g)), root = hn::Sqrt(sum), change = hn::Sub(root, hn::Sqrt(s[1]));
    const V shrunk = hn::Add(g, hn::Mul(Twice(d, c[3]), s[0]));
    V l1 = c[1], quadratic;
    if constexpr (kByLr) {
      l1 = hn::Mul(l1, c[0]);
      s[2] = hn::Add(s[2], hn::Sub(hn::Mul(shrunk, c[0]), hn::Mul(change, s[0])));
      quadratic = hn::Add(root, hn::Mul(Twice(d, c[2]), c[0]));
    } else {
      s[2] = hn::Add(s[2], hn::Sub(shrunk, hn::Mul(hn::Div(change, c[0]), s[0])));
      quadratic = hn::Add(hn::Div(root, c[0]), Twice(d, c[2]));
    }
    const V value = hn::Div(hn::Sub(hn::CopySign(l1, s[2]), s[2]), quadratic);
    s[0] = hn::IfThenElseZero(hn::Gt(hn::Abs(s[2]), l1), value);
    s[1] = sum;
  }
};

template <class Rule, class D, typename T = hn::TFromD<D>>
HWY_INLINE int64_t RunVectors(D d, T* const* states, const T* gradient, const T* scalars, int64_t begin,
                              int64_t count) {
  using V = hn::Vec<D>;
  V c[kMaxScalars];
  for (int k = 0; k < kMaxScalars; ++k) c[k] = hn::Set(d, scalars[k]);
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = begin;
  for (; i + lanes <= count; i += lanes) {
    V s[Rule::kStates];
    for (int k = 0; k < Rule::kStates; ++k) s[k] = hn::LoadU(d, states[k] + i);
    Rule::Step(d, c, s, hn::LoadU(d, gradient + i));
    for (int k = 0; k < Rule::kStates; ++k) hn::StoreU(s[k], d, states[k] + i);
  }
  return i;
}

template <class Rule, typename T> void Run(T* const* states, const T* gradient, const T* scalars, int64_t count) {
  const int64_t done = RunVectors<Rule>(hn::ScalableTag<T>(), states, gradient, scalars, 0, count);
  RunVectors<Rule>(hn::CappedTag<T, 1>(), states, gradient, scalars, done, count);
}

template <typename T> const UpdateLoops<T>* Loops() {
  // In the order of UpdateRule.
  static constexpr UpdateLoops<T> kLoops = {
      {Run<GradientDescent, T>, Run<Momentum, T>, Run<Nesterov, T>, Run<Adagrad<false>, T>, Run<Adagrad<true>, T>,
       Run<AdagradV2<false>, T>, Run<AdagradV2<true>, T>, Run<Adam<false>, T>, Run<Adam<true>, T>, Run<AdaMax, T>,
       Run<RmsProp, T>, Run<CenteredRmsProp, T>, Run<Adadelta, T>, Run<ProximalGradientDescent, T>,
       Run<ProximalAdagrad, T>, Run<AdagradDa, T>, Run<Ftrl<false>, T>, Run<Ftrl<true>, T>}};
  return &kLoops;
}
const UpdateLoops<float>* FloatLoops() { return Loops<float>(); }
const UpdateLoops<double>* DoubleLoops() { return Loops<double>(); }

}  // namespace
}  // namespace headrace::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace headrace {

namespace {

HWY_EXPORT(FloatLoops);
HWY_EXPORT(DoubleLoops);

template <typename T, bool kByLr> void FtrlPower(T* const* states, const T* gradient, const T* scalars, int64_t count) {
  const T lr = scalars[0], l1 = scalars[1], l2 = scalars[2], shrinkage = scalars[3], power = -scalars[4];
  // Where linear is multiplied by lr, the other terms are too, and nothing is divided by it.
  const T factor = kByLr ? lr : T{1}, divisor = kByLr ? T{1} : lr;
  for (int64_t i = 0; i < count; ++i) {
    T& var = states[0][i];
    T& accum = states[1][i];
    T& linear = states[2][i];
    const T g = gradient[i], sum = accum + g * g, grown = std::pow(sum, power);
    linear += (g + 2 * shrinkage * var) * factor - (grown - std::pow(accum, power)) / divisor * var;
    const T bound = l1 * factor;
    var =
        std::abs(linear) > bound ? (std::copysign(bound, linear) - linear) / (grown / divisor + 2 * l2 * factor) : T{0};
    accum = sum;
  }
}

}  // namespace

template <> const UpdateLoops<float>& GetUpdateLoops<float>() { return *HWY_DYNAMIC_DISPATCH(FloatLoops)(); }
template <> const UpdateLoops<double>& GetUpdateLoops<double>() { return *HWY_DYNAMIC_DISPATCH(DoubleLoops)(); }

template <typename T> void FtrlPowerLoop(T* const* states, const T* gradient, const T* scalars, int64_t count) {
  FtrlPower<T, false>(states, gradient, scalars, count);
}
template <typename T> void FtrlPowerByLrLoop(T* const* states, const T* gradient, const T* scalars, int64_t count) {
  FtrlPower<T, true>(states, gradient, scalars, count);
}
template void FtrlPowerLoop(float* const*, const float*, const float*, int64_t);
template void FtrlPowerLoop(double* const*, const double*, const double*, int64_t);
template void FtrlPowerByLrLoop(float* const*, const float*, const float*, int64_t);
template void FtrlPowerByLrLoop(double* const*, const double*, const double*, int64_t);

}  // namespace headrace
#endif  // HWY_ONCE
