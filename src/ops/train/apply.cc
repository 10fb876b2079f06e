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

// Ops without a sparse twin.
std::vector<ApplyOp> DenseRows() {
  using enum UpdateRule;
  return {
      {"ApplyGradientDescent", {"var"}, {"alpha", "delta"}, "", Always<kGradientDescent>},
      {"ApplyAdam",
       {"var", "m", "v"},
       {"beta1_power", "beta2_power", "lr", "beta1", "beta2", "epsilon", "grad"},
       kUseNesterov,
       ByNesterov<kAdam, kAdamNesterov>,
       PrepareAdam},
      {"ApplyAdaMax",
       {"var", "m", "v"},
       {"beta1_power", "lr", "beta1", "beta2", "epsilon", "grad"},
       "",
       Always<kAdaMax>,
       PrepareAdaMax},
  };
}

// Ops with a sparse twin: "Sparse" + name, whose gradient is "grad" and followed by "indices".
std::vector<ApplyOp> TwinRows() {
  using enum UpdateRule;
  const auto momentum = ByNesterov<UpdateRule::kMomentum, UpdateRule::kNesterov>;
  const auto adagrad = ByUpdateSlots<kAdagrad, kAdagradFixed>;
  const auto adagrad_v2 = ByUpdateSlots<kAdagradV2, kAdagradV2Fixed>;
  const std::vector<std::string_view> rms = {"lr", "rho", "momentum", "epsilon", "grad"};
  const std::vector<std::string_view> ftrl_states = {"var", "accum", "linear"};
  return {
      {"ApplyMomentum", {"var", "accum"}, {"lr", "grad", "momentum"}, kUseNesterov, momentum},
      {"ApplyAdagrad", {"var", "accum"}, {"lr", "grad"}, kUpdateSlots, adagrad},
      {"ApplyAdagradV2", {"var", "accum"}, {"lr", "epsilon", "grad"}, kUpdateSlots, adagrad_v2},
      {"ApplyRMSProp", {"var", "ms", "mom"}, rms, "", Always<kRmsProp>},
      {"ApplyCenteredRMSProp", {"var", "mg", "ms", "mom"}, rms, "", Always<kCenteredRmsProp>},
      {"ApplyAdadelta", {"var", "accum", "accum_update"}, {"lr", "rho", "epsilon", "grad"}, "", Always<kAdadelta>},
      {"ApplyProximalGradientDescent", {"var"}, {"alpha", "l1", "l2", "delta"}, "", Always<kProximalGradientDescent>},
      {"ApplyProximalAdagrad", {"var", "accum"}, {"lr", "l1", "l2", "grad"}, "", Always<kProximalAdagrad>},
      {"ApplyAdagradDA",
       {"var", "gradient_accumulator", "gradient_squared_accumulator"},
       {"grad", "lr", "l1", "l2", "global_step"},
       "",
       Always<kAdagradDa>,
       PrepareAdagradDa},
      {"ApplyFtrl", ftrl_states, {"grad", "lr", "l1", "l2", "lr_power"}, kMultiplyByLr, ByLr, PrepareFtrl},
      {"ApplyFtrlV2", ftrl_states, {"grad", "lr", "l1", "l2", "l2_shrinkage", "lr_power"}, kMultiplyByLr, ByLr},
  };
}

ApplyOp SparseTwin(ApplyOp op) {
  op.name = "Sparse" + op.name;
  const auto gradient = std::ranges::find_if(op.inputs, [](auto name) { return name == "grad" || name == "delta"; });
  *gradient = "grad";
  op.inputs.insert(gradient + 1, "indices");
  return op;
}

}  // namespace

std::vector<OpDefinition> ApplyOps() {
  std::vector<ApplyOp> rows = DenseRows();
  for (const ApplyOp& row : TwinRows()) {
    rows.push_back(row);
    rows.push_back(SparseTwin(row));
  }
  std::vector<OpDefinition> ops;
  for (const ApplyOp& row : rows) {
    ops.push_back(ResourceApplyDefinition(row));
    ops.push_back(RefApplyDefinition(row));
  }
  return ops;
}

}  // namespace headrace
