// The optimizers' ops: Apply*, SparseApply* on ref variables and ResourceApply*, ResourceSparseApply* on resource variables, one
// row for each pair. The formulas are in update_loops.cc. A dense gradient has the variable's shape; a sparse one has rows that
// meet the variable's rows `indices`, one after the other.
//
// The variable and its slots are updated in place, under the locks of all of them whatever use_locking says (TensorFlow runs
// without where it is false, and may lose updates), and after all checks: an error changes nothing.
// Errors: kInvalidArgument for shapes that do not fit, an index out of range, constants that are no scalars;
// kFailedPrecondition for a variable without a value.
#include <algorithm>
#include <cmath>

#include "ops/train/apply_kernel.h"
#include "ops/train/train_ops.h"

namespace headrace {

namespace {

template <UpdateRule kRule> UpdateChoice Always(const KernelConstruction&) { return {kRule}; }
template <UpdateRule kPlain, UpdateRule kNesterov> UpdateChoice ByNesterov(const KernelConstruction& c) {
  return {c.attr<bool>("use_nesterov") ? kNesterov : kPlain};
}
template <UpdateRule kUpdating, UpdateRule kFixed> UpdateChoice ByUpdateSlots(const KernelConstruction& c) {
  return {c.attr<bool>("update_slots", true) ? kUpdating : kFixed};
}
UpdateChoice ByLr(const KernelConstruction& c) {
  const bool by_lr = c.attr<bool>("multiply_linear_by_lr");
  return {by_lr ? UpdateRule::kFtrlByLr : UpdateRule::kFtrl, by_lr};
}

// (beta1_power, beta2_power, lr, beta1, beta2, epsilon) to (alpha, beta1, beta2, epsilon)
void PrepareAdam(double* s) {
  s[0] = s[2] * std::sqrt(1 - s[1]) / (1 - s[0]);
  s[1] = s[3];
  s[2] = s[4];
  s[3] = s[5];
}

// (beta1_power, lr, beta1, beta2, epsilon) to (alpha, beta1, beta2, epsilon)
void PrepareAdaMax(double* s) {
  s[0] = s[1] / (1 - s[0]);
  std::copy(s + 2, s + 5, s + 1);
}

// (lr, l1, l2, global_step) to (lr, l1 * step, l2 * step * lr)
void PrepareAdagradDa(double* s) {
  s[1] *= s[3];
  s[2] *= s[3] * s[0];
}

// (lr, l1, l2, lr_power) to (lr, l1, l2, l2_shrinkage, lr_power)
void PrepareFtrl(double* s) {
  s[4] = s[3];
  s[3] = 0;
}

constexpr char kUseNesterov[] = "use_nesterov: bool = false", kUpdateSlots[] = "update_slots: bool = true",
               kMultiplyByLr[] = "multiply_linear_by_lr: bool = false";

std::vector<ApplyOp> Rows() {
  using enum UpdateRule;
  const auto momentum = ByNesterov<UpdateRule::kMomentum, UpdateRule::kNesterov>;
  const auto adam = ByNesterov<kAdam, kAdamNesterov>;
  const auto adagrad = ByUpdateSlots<kAdagrad, kAdagradFixed>;
  const auto adagrad_v2 = ByUpdateSlots<kAdagradV2, kAdagradV2Fixed>;
  const std::vector<std::string_view> dual_averaging = {"var", "gradient_accumulator", "gradient_squared_accumulator"};
  return {
      {"ApplyGradientDescent", {"var"}, {"alpha", "delta"}, "", Always<kGradientDescent>},
      {"ApplyMomentum", {"var", "accum"}, {"lr", "grad", "momentum"}, kUseNesterov, momentum},
      {"SparseApplyMomentum", {"var", "accum"}, {"lr", "grad", "indices", "momentum"}, kUseNesterov, momentum},
      {"ApplyAdagrad", {"var", "accum"}, {"lr", "grad"}, kUpdateSlots, adagrad},
      {"SparseApplyAdagrad", {"var", "accum"}, {"lr", "grad", "indices"}, kUpdateSlots, adagrad},
      {"ApplyAdagradV2", {"var", "accum"}, {"lr", "epsilon", "grad"}, kUpdateSlots, adagrad_v2},
      {"SparseApplyAdagradV2", {"var", "accum"}, {"lr", "epsilon", "grad", "indices"}, kUpdateSlots, adagrad_v2},
      {"ApplyAdam",
       {"var", "m", "v"},
       {"beta1_power", "beta2_power", "lr", "beta1", "beta2", "epsilon", "grad"},
       kUseNesterov,
       adam,
       PrepareAdam},
      {"ApplyRMSProp", {"var", "ms", "mom"}, {"lr", "rho", "momentum", "epsilon", "grad"}, "", Always<kRmsProp>},
      {"SparseApplyRMSProp",
       {"var", "ms", "mom"},
       {"lr", "rho", "momentum", "epsilon", "grad", "indices"},
       "",
       Always<kRmsProp>},
      {"ApplyCenteredRMSProp",
       {"var", "mg", "ms", "mom"},
       {"lr", "rho", "momentum", "epsilon", "grad"},
       "",
       Always<kCenteredRmsProp>},
      {"SparseApplyCenteredRMSProp",
       {"var", "mg", "ms", "mom"},
       {"lr", "rho", "momentum", "epsilon", "grad", "indices"},
       "",
       Always<kCenteredRmsProp>},
      {"ApplyAdadelta", {"var", "accum", "accum_update"}, {"lr", "rho", "epsilon", "grad"}, "", Always<kAdadelta>},
      {"SparseApplyAdadelta",
       {"var", "accum", "accum_update"},
       {"lr", "rho", "epsilon", "grad", "indices"},
       "",
       Always<kAdadelta>},
      {"ApplyAdaMax",
       {"var", "m", "v"},
       {"beta1_power", "lr", "beta1", "beta2", "epsilon", "grad"},
       "",
       Always<kAdaMax>,
       PrepareAdaMax},
      {"ApplyProximalGradientDescent", {"var"}, {"alpha", "l1", "l2", "delta"}, "", Always<kProximalGradientDescent>},
      {"SparseApplyProximalGradientDescent",
       {"var"},
       {"alpha", "l1", "l2", "grad", "indices"},
       "",
       Always<kProximalGradientDescent>},
      {"ApplyProximalAdagrad", {"var", "accum"}, {"lr", "l1", "l2", "grad"}, "", Always<kProximalAdagrad>},
      {"SparseApplyProximalAdagrad",
       {"var", "accum"},
       {"lr", "l1", "l2", "grad", "indices"},
       "",
       Always<kProximalAdagrad>},
      {"ApplyAdagradDA",
       dual_averaging,
       {"grad", "lr", "l1", "l2", "global_step"},
       "",
       Always<kAdagradDa>,
       PrepareAdagradDa},
      {"SparseApplyAdagradDA",
       dual_averaging,
       {"grad", "indices", "lr", "l1", "l2", "global_step"},
       "",
       Always<kAdagradDa>,
       PrepareAdagradDa},
      {"ApplyFtrl",
       {"var", "accum", "linear"},
       {"grad", "lr", "l1", "l2", "lr_power"},
       kMultiplyByLr,
       ByLr,
       PrepareFtrl},
      {"SparseApplyFtrl",
       {"var", "accum", "linear"},
       {"grad", "indices", "lr", "l1", "l2", "lr_power"},
       kMultiplyByLr,
       ByLr,
       PrepareFtrl},
      {"ApplyFtrlV2",
       {"var", "accum", "linear"},
       {"grad", "lr", "l1", "l2", "l2_shrinkage", "lr_power"},
       kMultiplyByLr,
       ByLr},
      {"SparseApplyFtrlV2",
       {"var", "accum", "linear"},
       {"grad", "indices", "lr", "l1", "l2", "l2_shrinkage", "lr_power"},
       kMultiplyByLr,
       ByLr},
  };
}

}  // namespace

std::vector<OpDefinition> ApplyOps() {
  std::vector<OpDefinition> ops;
  for (const ApplyOp& row : Rows()) {
    ops.push_back(ResourceApplyDefinition(row));
    ops.push_back(RefApplyDefinition(row));
  }
  return ops;
}

}  // namespace headrace
