#include "ops/train/apply_kernel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "graph/shape_context.h"
#include "kernel/rows.h"
#include "ops/signature_types.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

constexpr size_t kMaxStates = 4;
constexpr size_t kMaxScalars = 6;

// An ApplyOp with the numbers of its inputs.
struct Plan {
  ApplyOp op;
  bool is_ref = false;
  int gradient = -1;
  int indices = -1;
  std::vector<int> scalars;

  int num_states() const { return static_cast<int>(op.states.size()); }
  std::string_view InputName(int i) const {
    return i < num_states() ? op.states[static_cast<size_t>(i)] : op.inputs[static_cast<size_t>(i - num_states())];
  }
};

std::shared_ptr<const Plan> MakePlan(const ApplyOp& op, bool is_ref) {
  auto plan = std::make_shared<Plan>(Plan{.op = op, .is_ref = is_ref});
  for (int i = plan->num_states(); i < plan->num_states() + static_cast<int>(op.inputs.size()); ++i) {
    const std::string_view name = plan->InputName(i);
    if (name == "grad" || name == "delta") {
      plan->gradient = i;
    } else if (name == "indices") {
      plan->indices = i;
    } else {
      plan->scalars.push_back(i);
    }
  }
  return plan;
}

Status ApplyShape(ShapeContext& c, const Plan& plan) {
  PartialShape shape;
  for (int i = 0; i < plan.num_states(); ++i) {
    HR_ASSIGN_OR_RETURN(const PartialShape state,
                        plan.is_ref ? Result<PartialShape>(c.input(i)) : DeclaredShape(c, i, "T"));
    HR_ASSIGN_OR_RETURN(shape, shape.MergeWith(state));
  }
  for (int i : plan.scalars) HR_RETURN_IF_ERROR(c.RequireScalar(i));
  const PartialShape& gradient = c.input(plan.gradient);
  if (plan.indices < 0) {
    HR_ASSIGN_OR_RETURN(shape, shape.MergeWith(gradient));
  } else {
    HR_ASSIGN_OR_RETURN(const PartialShape indices, c.InputOfRank(plan.indices, 1));
    PartialShape expected = shape;
    if (shape.has_rank() && shape.rank() > 0) expected.SetDim(0, indices.dim(0));
    HR_RETURN_IF_ERROR(expected.MergeWith(gradient).status());
  }
  return plan.is_ref ? c.SetOutput(0, std::move(shape)) : OkStatus();
}

Status CheckDense(const Plan& plan, const Shape& var, const Tensor& gradient) {
  if (var == gradient.shape()) return OkStatus();
  return InvalidArgument("var and ", plan.InputName(plan.gradient), " do not have the same shape", var, " ",
                         gradient.shape());
}

Status CheckSparse(const Shape& var, const Tensor& gradient, const Tensor& indices) {
  if (var.rank() < 1) return InvalidArgument("var must be at least 1 dimensional");
  if (indices.rank() != 1) return InvalidArgument("indices must be one-dimensional");
  if (gradient.rank() != var.rank()) return InvalidArgument("grad must have the same number of dimensions as var");
  for (int i = 1; i < var.rank(); ++i) {
    if (var.dim(i) != gradient.dim(i)) return InvalidArgument("var and grad must match in dimension ", i);
  }
  if (gradient.dim(0) != indices.dim(0)) {
    return InvalidArgument("grad must be the same size as indices in the first dimension.");
  }
  if (const int64_t bad = RowIndices::FindOutOfRange(indices, var.dim(0)); bad >= 0) {
    return InvalidArgument("Index ", IndexAt(indices, bad), " at offset ", bad, " in indices is out of range");
  }
  return OkStatus();
}

// TensorFlow checks FTRL's constants in its sparse ops alone.
Status CheckFtrlConstants(const std::array<double, kMaxScalars>& scalars, bool by_lr) {
  if (!(scalars[0] > 0 || (by_lr && scalars[0] >= 0))) {
    return InvalidArgument("lr is not a positive scalar (or zero if multiply_linear_by_lr is set): ", scalars[0]);
  }
  if (!(scalars[1] >= 0))
    return InvalidArgument("l1 regularization strength is not a non-negative scalar: ", scalars[1]);
  if (!(scalars[2] >= 0))
    return InvalidArgument("l2 regularization strength is not a non-negative scalar: ", scalars[2]);
  if (!(scalars[3] >= 0)) {
    return InvalidArgument("l2 shrinkage regularization strength is not a non-negative scalar: ", scalars[3]);
  }
  if (!(scalars[4] <= 0)) return InvalidArgument("lr_power is not a non-positive scalar: ", scalars[4]);
  return OkStatus();
}

// The variables of one call, locked together: in the order of their addresses, so that no two calls wait for each other.
class LockedStates {
 public:
  Status Lock(KernelContext& c, const Plan& plan, DType dtype) {
    const size_t count = plan.op.states.size();
    for (size_t i = 0; i < count; ++i) {
      HR_ASSIGN_OR_RETURN(variables_[i], Find(c, plan, static_cast<int>(i), dtype));
    }
    std::array<Variable*, kMaxStates> order{};
    for (size_t i = 0; i < count; ++i) order[i] = variables_[i].get();
    std::sort(order.begin(), order.begin() + count, std::less<>());
    const auto end = std::unique(order.begin(), order.begin() + count);
    for (auto it = order.begin(); it != end; ++it)
      locks_[static_cast<size_t>(it - order.begin())] = std::unique_lock((*it)->mutex());
    for (size_t i = 0; i < count; ++i) {
      const Tensor& value = variables_[i]->value_locked();
      HR_RETURN_IF_ERROR(RequireInitialized(value, c));
      if (value.shape() == shape()) continue;
      return InvalidArgument("var and ", plan.op.states[i], " do not have the same shape", shape(), " ", value.shape());
    }
    return OkStatus();
  }

  const Shape& shape() const { return variables_[0]->value_locked().shape(); }
  const std::shared_ptr<Variable>& variable() const { return variables_[0]; }

  /// After all checks: the values' own memory, copied where somebody still reads it.
  template <typename T> Status Pointers(KernelContext& c, std::array<T*, kMaxStates>* pointers) {
    for (size_t i = 0; i < kMaxStates && variables_[i] != nullptr; ++i) {
      HR_ASSIGN_OR_RETURN(Tensor * value, variables_[i]->MutableValueLocked(c.runtime().memory));
      (*pointers)[i] = value->mutable_data<T>().data();
    }
    return OkStatus();
  }

 private:
  static Result<std::shared_ptr<Variable>> Find(KernelContext& c, const Plan& plan, int i, DType dtype) {
    if (!plan.is_ref) {
      Result<std::shared_ptr<Variable>> found = LookupVariable(c, i, dtype);
      return found.status().code() == Code::kNotFound ? CouldNotFindVariable(c, i, found.status().message()) : found;
    }
    return TakeRefVariable(c, i);
  }

  std::array<std::shared_ptr<Variable>, kMaxStates> variables_;
  std::array<std::unique_lock<std::shared_mutex>, kMaxStates> locks_;
};

// Runs a loop on T itself, or on pieces converted to float.
template <typename T, typename Wide>
void RunLoop(UpdateLoop<Wide> loop, int num_states, T* const* states, const T* gradient, const Wide* scalars,
             int64_t count) {
  if constexpr (std::is_same_v<T, Wide>) {
    loop(states, gradient, scalars, count);
  } else {
    constexpr int64_t kPiece = 256;
    Wide wide[kMaxStates][kPiece], wide_gradient[kPiece];
    Wide* pointers[kMaxStates] = {wide[0], wide[1], wide[2], wide[3]};
    for (int64_t begin = 0; begin < count; begin += kPiece) {
      const int64_t size = std::min(kPiece, count - begin);
      for (int k = 0; k < num_states; ++k) std::copy_n(states[k] + begin, size, wide[k]);
      std::copy_n(gradient + begin, size, wide_gradient);
      loop(pointers, wide_gradient, scalars, size);
      for (int k = 0; k < num_states; ++k) {
        std::transform(wide[k], wide[k] + size, states[k] + begin, [](Wide value) { return static_cast<T>(value); });
      }
    }
  }
}

template <typename T> class ApplyKernel final : public Kernel {
 public:
  ApplyKernel(std::shared_ptr<const Plan> plan, const KernelConstruction& c)
      : plan_(std::move(plan)), choice_(plan_->op.choose(c)), loop_(GetUpdateLoops<Wide>()[choice_.rule]) {}

  Status Compute(KernelContext& c) override {
    std::array<double, kMaxScalars> scalars{};
    HR_RETURN_IF_ERROR(ReadScalars(c, &scalars));
    const bool is_ftrl = choice_.rule == UpdateRule::kFtrl || choice_.rule == UpdateRule::kFtrlByLr;
    if (is_ftrl && plan_->indices >= 0) HR_RETURN_IF_ERROR(CheckFtrlConstants(scalars, choice_.by_lr));
    UpdateLoop<Wide> loop = loop_;
    if (is_ftrl && scalars[4] != -0.5) loop = choice_.by_lr ? FtrlPowerByLrLoop<Wide> : FtrlPowerLoop<Wide>;
    std::array<Wide, kMaxScalars> constants;
    std::copy(scalars.begin(), scalars.end(), constants.begin());

    LockedStates states;
    HR_RETURN_IF_ERROR(states.Lock(c, *plan_, kDTypeOf<T>));
    const Tensor& gradient = c.input(plan_->gradient);
    HR_RETURN_IF_ERROR(plan_->indices < 0 ? CheckDense(*plan_, states.shape(), gradient)
                                          : CheckSparse(states.shape(), gradient, c.input(plan_->indices)));
    std::array<T*, kMaxStates> pointers{};
    HR_RETURN_IF_ERROR(states.Pointers(c, &pointers));
    if (plan_->indices < 0) {
      RunDense(c, loop, pointers, gradient, constants.data());
    } else {
      RunSparse(loop, pointers, gradient, c.input(plan_->indices), constants.data());
    }
    return plan_->is_ref ? c.SetOutputVariable(0, states.variable()) : OkStatus();
  }

 private:
  using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

  Status ReadScalars(const KernelContext& c, std::array<double, kMaxScalars>* scalars) const {
    for (size_t i = 0; i < plan_->scalars.size(); ++i) {
      const Tensor& value = c.input(plan_->scalars[i]);
      if (!value.shape().IsScalar()) {
        return InvalidArgument(plan_->InputName(plan_->scalars[i]), " is not a scalar: ", value.shape());
      }
      (*scalars)[i] = value.dtype() == DType::kInt64 ? static_cast<double>(value.scalar<int64_t>())
                                                     : static_cast<double>(value.scalar<T>());
    }
    if (plan_->op.prepare != nullptr) plan_->op.prepare(scalars->data());
    return OkStatus();
  }

  void RunDense(KernelContext& c, UpdateLoop<Wide> loop, const std::array<T*, kMaxStates>& pointers,
                const Tensor& gradient, const Wide* constants) const {
    const T* g = gradient.data<T>().data();
    const int num_states = plan_->num_states();
    const double cost_ns = 0.15 * static_cast<double>(sizeof(Wide)) * num_states * (std::is_same_v<T, Wide> ? 1 : 10);
    c.ParallelFor(gradient.num_elements(), cost_ns, [&](int64_t begin, int64_t end) {
      std::array<T*, kMaxStates> from = pointers;
      for (int k = 0; k < num_states; ++k) from[static_cast<size_t>(k)] += begin;
      RunLoop<T, Wide>(loop, num_states, from.data(), g + begin, constants, end - begin);
    });
  }

  // Repeated indices take their turns in order.
  void RunSparse(UpdateLoop<Wide> loop, const std::array<T*, kMaxStates>& pointers, const Tensor& gradient,
                 const Tensor& indices, const Wide* constants) const {
    if (gradient.num_elements() == 0) return;
    const RowIndices rows = RowIndices::Unchecked(indices);
    const int64_t width = gradient.num_elements() / rows.size();
    const int num_states = plan_->num_states();
    const T* g = gradient.data<T>().data();
    for (int64_t i = 0; i < rows.size(); ++i) {
      std::array<T*, kMaxStates> row = pointers;
      for (int k = 0; k < num_states; ++k) {
        if (i + 8 < rows.size()) PrefetchRow(row[k], rows[i + 8] * width * static_cast<int64_t>(sizeof(T)));
        row[static_cast<size_t>(k)] += rows[i] * width;
      }
      RunLoop<T, Wide>(loop, num_states, row.data(), g + i * width, constants, width);
    }
  }

  const std::shared_ptr<const Plan> plan_;
  const UpdateChoice choice_;
  const UpdateLoop<Wide> loop_;
};

std::string Signature(const Plan& plan) {
  const ApplyOp& op = plan.op;
  std::vector<std::string> args;
  for (std::string_view state : op.states) args.push_back(StrCat(state, plan.is_ref ? ": Ref(T)" : ": resource"));
  for (std::string_view input : op.inputs) {
    args.push_back(StrCat(input, input == "indices" ? ": Tindices" : input == "global_step" ? ": i64" : ": T"));
  }
  return StrCat(plan.is_ref ? "" : "Resource", op.name, "(", StrJoin(args, ", "), ") -> (",
                plan.is_ref ? "out: Ref(T)" : "", ") | T: type in ", kNumberTypes,
                plan.indices >= 0 ? " | Tindices: type in {i32,i64}" : "", " | use_locking: bool = false",
                op.attrs.empty() ? "" : " | ", op.attrs, plan.is_ref ? "" : " | stateful");
}

OpDefinition Definition(const ApplyOp& op, bool is_ref) {
  const std::shared_ptr<const Plan> plan = MakePlan(op, is_ref);
  return OpDefinition(Signature(*plan))
      .Shape([plan](ShapeContext& c) { return ApplyShape(c, *plan); })
      .NoGradient("stateful")
      .Kernels(KernelsFor<float, double, Half, BFloat16>("T", [plan]<typename T>() -> KernelFactory {
        return [plan](KernelConstruction& c) -> Result<std::unique_ptr<Kernel>> {
          return std::unique_ptr<Kernel>(std::make_unique<ApplyKernel<T>>(plan, c));
        };
      }));
}

}  // namespace

OpDefinition ResourceApplyDefinition(const ApplyOp& op) { return Definition(op, false); }
OpDefinition RefApplyDefinition(const ApplyOp& op) { return Definition(op, true); }

}  // namespace headrace
