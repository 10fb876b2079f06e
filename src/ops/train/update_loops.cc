#include "ops/train/update_loops.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/train/update_loops.cc"
// AVX2 and AVX-512 are worth code of their own; older CPUs take the baseline.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace headrace::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A rule for vectors of tag D: Step changes the states `s` by the gradient `g`. In the order of TensorFlow's own operations, and
// without fused multiply-add, so that results agree with it to the last bits.
template <class D> struct RuleBase {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  static V Of(T value) { return hn::Set(D(), value); }
};

#define HR_RULE(Name, num_states)                \
  template <class D> struct Name : RuleBase<D> { \
    using typename RuleBase<D>::T;               \
    using typename RuleBase<D>::V;               \
    using RuleBase<D>::Of;                       \
    static constexpr int kStates = num_states;

// var -= g * alpha
HR_RULE(GradientDescent, 1)
const V alpha;
explicit GradientDescent(const T* c) : alpha(Of(c[0])) {}
HWY_INLINE void Step(V* s, V g) const { s[0] = hn::Sub(s[0], hn::Mul(g, alpha)); }
};

// accum = accum * momentum + g; var -= accum * lr
HR_RULE(Momentum, 2)
const V lr, momentum;
explicit Momentum(const T* c) : lr(Of(c[0])), momentum(Of(c[1])) {}
HWY_INLINE void Step(V* s, V g) const {
  s[1] = hn::Add(hn::Mul(s[1], momentum), g);
  s[0] = hn::Sub(s[0], hn::Mul(s[1], lr));
}
};

// accum = accum * momentum + g; var -= g * lr + accum * momentum * lr
HR_RULE(Nesterov, 2)
const V lr, momentum;
explicit Nesterov(const T* c) : lr(Of(c[0])), momentum(Of(c[1])) {}
HWY_INLINE void Step(V* s, V g) const {
  s[1] = hn::Add(hn::Mul(s[1], momentum), g);
  s[0] = hn::Sub(s[0], hn::Add(hn::Mul(g, lr), hn::Mul(hn::Mul(s[1], momentum), lr)));
}
}
;

// accum += g^2; var -= g * lr / sqrt(accum)
HR_RULE(Adagrad, 2)
const V lr;
explicit Adagrad(const T* c) : lr(Of(c[0])) {}
HWY_INLINE void Step(V* s, V g) const {
  s[1] = hn::Add(s[1], hn::Mul(g, g));
  s[0] = hn::Sub(s[0], hn::Div(hn::Mul(g, lr), hn::Sqrt(s[1])));
}
}
;
HR_RULE(AdagradFixed, 2)
const V lr;
explicit AdagradFixed(const T* c) : lr(Of(c[0])) {}
HWY_INLINE void Step(V* s, V g) const { s[0] = hn::Sub(s[0], hn::Div(hn::Mul(g, lr), hn::Sqrt(s[1]))); }
}
;

// accum += g^2; var -= g * lr / (sqrt(accum) + epsilon)
HR_RULE(AdagradV2, 2)
const V lr, epsilon;
explicit AdagradV2(const T* c) : lr(Of(c[0])), epsilon(Of(c[1])) {}
HWY_INLINE void Step(V* s, V g) const {
  s[1] = hn::Add(s[1], hn::Mul(g, g));
  s[0] = hn::Sub(s[0], hn::Div(hn::Mul(g, lr), hn::Add(hn::Sqrt(s[1]), epsilon)));
}
}
;
HR_RULE(AdagradV2Fixed, 2)
const V lr, epsilon;
explicit AdagradV2Fixed(const T* c) : lr(Of(c[0])), epsilon(Of(c[1])) {}
HWY_INLINE void Step(V* s, V g) const {
  s[0] = hn::Sub(s[0], hn::Div(hn::Mul(g, lr), hn::Add(hn::Sqrt(s[1]), epsilon)));
}
}
;

// m += (g - m) * (1 - beta1); v += (g^2 - v) * (1 - beta2); var -= m * alpha / (sqrt(v) + epsilon)
HR_RULE(Adam, 3)
const V alpha, rest1, rest2, epsilon;
explicit Adam(const T* c) : alpha(Of(c[0])), rest1(Of(1 - c[1])), rest2(Of(1 - c[2])), epsilon(Of(c[3])) {}
HWY_INLINE void Step(V* s, V g) const {
  s[1] = hn::Add(s[1], hn::Mul(hn::Sub(g, s[1]), rest1));
  s[2] = hn::Add(s[2], hn::Mul(hn::Sub(hn::Mul(g, g), s[2]), rest2));
  s[0] = hn::Sub(s[0], hn::Div(hn::Mul(s[1], alpha), hn::Add(hn::Sqrt(s[2]), epsilon)));
}
}
;

// As Adam, with g * (1 - beta1) + m * beta1 in the place of m in the last formula.
HR_RULE(AdamNesterov, 3)
const V alpha, beta1, rest1, rest2, epsilon;
explicit AdamNesterov(const T* c)
    : alpha(Of(c[0])), beta1(Of(c[1])), rest1(Of(1 - c[1])), rest2(Of(1 - c[2])), epsilon(Of(c[3])) {}
HWY_INLINE void Step(V* s, V g) const {
  s[1] = hn::Add(s[1], hn::Mul(hn::Sub(g, s[1]), rest1));
  s[2] = hn::Add(s[2], hn::Mul(hn::Sub(hn::Mul(g, g), s[2]), rest2));
  const V ahead = hn::Add(hn::Mul(g, rest1), hn::Mul(s[1], beta1));
  s[0] = hn::Sub(s[0], hn::Div(hn::Mul(ahead, alpha), hn::Add(hn::Sqrt(s[2]), epsilon)));
}
}
;

// ms += (g^2 - ms) * (1 - rho); mom = mom * momentum + g * lr / sqrt(ms + epsilon); var -= mom
HR_RULE(RmsProp, 3)
const V lr, rest, momentum, epsilon;
explicit RmsProp(const T* c) : lr(Of(c[0])), rest(Of(1 - c[1])), momentum(Of(c[2])), epsilon(Of(c[3])) {}
HWY_INLINE void Step(V* s, V g) const {
  s[1] = hn::Add(s[1], hn::Mul(hn::Sub(hn::Mul(g, g), s[1]), rest));
  s[2] = hn::Add(hn::Mul(s[2], momentum), hn::Div(hn::Mul(g, lr), hn::Sqrt(hn::Add(s[1], epsilon))));
  s[0] = hn::Sub(s[0], s[2]);
}
}
;

// new = accum + g^2; linear += g + 2 * l2_shrinkage * var - (sqrt(new) - sqrt(accum)) / lr * var;
// var = |linear| > l1 ? (sign(linear) * l1 - linear) / (sqrt(new) / lr + 2 * l2) : 0; accum = new
HR_RULE(Ftrl, 3)
const V lr, l1, twice_l2, twice_shrinkage;
explicit Ftrl(const T* c) : lr(Of(c[0])), l1(Of(c[1])), twice_l2(Of(2 * c[2])), twice_shrinkage(Of(2 * c[3])) {}
HWY_INLINE void Step(V* s, V g) const {
  const V sum = hn::Add(s[1], hn::Mul(g, g)), root = hn::Sqrt(sum);
  const V shrunk = hn::Add(g, hn::Mul(twice_shrinkage, s[0]));
  const V sigma = hn::Div(hn::Sub(root, hn::Sqrt(s[1])), lr);
  s[2] = hn::Add(s[2], hn::Sub(shrunk, hn::Mul(sigma, s[0])));
  const V quadratic = hn::Add(hn::Div(root, lr), twice_l2);
  const V value = hn::Div(hn::Sub(hn::CopySign(l1, s[2]), s[2]), quadratic);
  s[0] = hn::IfThenElseZero(hn::Gt(hn::Abs(s[2]), l1), value);
  s[1] = sum;
}
}
;

// The same with every term of linear multiplied by lr.
HR_RULE(FtrlByLr, 3)
const V lr, l1_lr, twice_l2_lr, twice_shrinkage;
explicit FtrlByLr(const T* c)
    : lr(Of(c[0])), l1_lr(Of(c[1] * c[0])), twice_l2_lr(Of(2 * c[2] * c[0])), twice_shrinkage(Of(2 * c[3])) {}
HWY_INLINE void Step(V* s, V g) const {
  const V sum = hn::Add(s[1], hn::Mul(g, g)), root = hn::Sqrt(sum);
  const V shrunk = hn::Add(g, hn::Mul(twice_shrinkage, s[0]));
  s[2] = hn::Add(s[2], hn::Sub(hn::Mul(shrunk, lr), hn::Mul(hn::Sub(root, hn::Sqrt(s[1])), s[0])));
  const V value = hn::Div(hn::Sub(hn::CopySign(l1_lr, s[2]), s[2]), hn::Add(root, twice_l2_lr));
  s[0] = hn::IfThenElseZero(hn::Gt(hn::Abs(s[2]), l1_lr), value);
  s[1] = sum;
}
}
;
#undef HR_RULE

template <template <class> class Rule, class D>
HWY_INLINE int64_t RunVectors(hn::TFromD<D>* const* states, const hn::TFromD<D>* gradient, const hn::TFromD<D>* scalars,
                              int64_t begin, int64_t count) {
  const D d;
  const Rule<D> rule(scalars);
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = begin;
  for (; i + lanes <= count; i += lanes) {
    hn::Vec<D> s[Rule<D>::kStates];
    for (int k = 0; k < Rule<D>::kStates; ++k) s[k] = hn::LoadU(d, states[k] + i);
    rule.Step(s, hn::LoadU(d, gradient + i));
    for (int k = 0; k < Rule<D>::kStates; ++k) hn::StoreU(s[k], d, states[k] + i);
  }
  return i;
}

template <template <class> class Rule, typename T>
void Run(T* const* states, const T* gradient, const T* scalars, int64_t count) {
  const int64_t done = RunVectors<Rule, hn::ScalableTag<T>>(states, gradient, scalars, 0, count);
  RunVectors<Rule, hn::CappedTag<T, 1>>(states, gradient, scalars, done, count);
}

template <typename T> const UpdateLoops<T>* Loops() {
  // In the order of UpdateRule.
  static constexpr UpdateLoops<T> kLoops = {{Run<GradientDescent, T>, Run<Momentum, T>, Run<Nesterov, T>,
                                             Run<Adagrad, T>, Run<AdagradFixed, T>, Run<AdagradV2, T>,
                                             Run<AdagradV2Fixed, T>, Run<Adam, T>, Run<AdamNesterov, T>,
                                             Run<RmsProp, T>, Run<Ftrl, T>, Run<FtrlByLr, T>}};
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
