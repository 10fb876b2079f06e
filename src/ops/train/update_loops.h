// The optimizers' formulas, as loops over elements: a dense update is one run of such a loop, a sparse one a run for each row.
// Vectorised (Highway, chosen at run time) for float and double.
#pragma once

#include <cstdint>

namespace headrace {

/// One step of an optimizer for `count` elements: `states` are the variable and its slots, updated in place; `scalars` the
/// rule's own, at least 4 (the rest is ignored). The formulas stand beside the names in update_loops.cc.
template <typename T> using UpdateLoop = void (*)(T* const* states, const T* gradient, const T* scalars, int64_t count);

/// Indices into UpdateLoops::loops. States and scalars are given in parentheses.
enum class UpdateRule {
  kGradientDescent,  // (var) (alpha)
  kMomentum,         // (var, accum) (lr, momentum)
  kNesterov,         // the same
  kAdagrad,          // (var, accum) (lr)
  kAdagradFixed,     // the same, accum stays
  kAdagradV2,        // (var, accum) (lr, epsilon)
  kAdagradV2Fixed,   // the same, accum stays
  kAdam,             // (var, m, v) (alpha, beta1, beta2, epsilon) with alpha = lr * sqrt(1 - beta2^t) / (1 - beta1^t)
  kAdamNesterov,     // the same
  kAdaMax,           // (var, m, v) (alpha, beta1, beta2, epsilon) with alpha = lr / (1 - beta1^t)
  kRmsProp,          // (var, ms, mom) (lr, rho, momentum, epsilon)
  kCenteredRmsProp,  // (var, mg, ms, mom) (lr, rho, momentum, epsilon)
  kAdadelta,         // (var, accum, accum_update) (lr, rho, epsilon)
  kProximalGradientDescent,  // (var) (alpha, l1, l2)
  kProximalAdagrad,          // (var, accum) (lr, l1, l2)
  kAdagradDa,                // (var, sum, sum of squares) (lr, l1 * step, l2 * step * lr)
  kFtrl,                     // (var, accum, linear) (lr, l1, l2, l2_shrinkage), for lr_power -0.5
  kFtrlByLr,                 // the same, with linear multiplied by lr
  kCount,
};

template <typename T> struct UpdateLoops {
  UpdateLoop<T> loops[static_cast<int>(UpdateRule::kCount)];
  UpdateLoop<T> operator[](UpdateRule rule) const { return loops[static_cast<int>(rule)]; }
};

/// T is float or double. Cheap, but not free: ask once for each kernel.
template <typename T> const UpdateLoops<T>& GetUpdateLoops();

/// FTRL for any lr_power: (var, accum, linear) (lr, l1, l2, l2_shrinkage, lr_power).
template <typename T> void FtrlPowerLoop(T* const* states, const T* gradient, const T* scalars, int64_t count);
template <typename T> void FtrlPowerByLrLoop(T* const* states, const T* gradient, const T* scalars, int64_t count);

}  // namespace headrace
