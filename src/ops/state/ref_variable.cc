// Variables on ref edges, as TensorFlow 1 programs make them. VariableV2 (Variable): the variable of this node's name, or of
// shared_name, in a container; without a value at first. Assign, AssignAdd, AssignSub change it and hand it on;
// IsVariableInitialized says whether it has a value. An update holds the variable's lock whatever use_locking says.
// A counter (one integer) is counted in place: who has read it through its ref in the same step sees it count, as in TensorFlow, where
// reading a ref copies nothing. Programs rely on it for their global step (SyncReplicasOptimizer's tokens).
// Errors: kInvalidArgument where shapes differ; kFailedPrecondition for an update of a variable without a value.
#include <atomic>

#include "ops/signature_types.h"
#include "ops/state/state_ops.h"
#include "ops/state/update.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

Status VariableShapeAttr(ShapeContext& c) { return c.SetOutput(0, c.attr<PartialShape>("shape")); }

bool IsCounter(const Tensor& value) { return IsInteger(value.dtype()) && value.num_elements() == 1; }

class RefVariable final : public Kernel {
 public:
  explicit RefVariable(KernelConstruction& c)
      : container_(c.attr<std::string>("container")),
        name_(c.attr<std::string>("shared_name")),
        dtype_(c.attr<DType>("dtype")),
        shape_(c.attr<PartialShape>("shape")) {
    if (name_.empty()) name_ = c.node().name();
  }

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(
        std::shared_ptr<Variable> variable,
        c.resources().LookupOrCreate<Variable>(container_, name_, [this]() -> Result<std::shared_ptr<Variable>> {
          return std::make_shared<Variable>(dtype_, shape_);
        }));
    if (variable->dtype() != dtype_) {
      return InvalidArgument("Variable ", name_, " exists with another dtype: ", DTypeName(variable->dtype()),
                             ", wanted ", DTypeName(dtype_));
    }
    return c.SetOutputVariable(0, std::move(variable));
  }

 private:
  const std::string container_;
  std::string name_;
  const DType dtype_;
  const PartialShape shape_;
};

Status AssignShape(ShapeContext& c) {
  if (!c.attr<bool>("validate_shape", true)) return c.SetOutput(0, c.input(1));
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.input(0).MergeWith(c.input(1)));
  return c.SetOutput(0, std::move(shape));
}

Status UpdateShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, c.input(0).MergeWith(c.input(1)));
  return c.SetOutput(0, std::move(shape));
}

class AssignKernel final : public Kernel {
 public:
  explicit AssignKernel(KernelConstruction& c) : validate_shape_(c.attr<bool>("validate_shape", true)) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable, TakeRefVariable(c, 0));
    Tensor value = c.TakeInput(1);
    {
      std::unique_lock lock(variable->mutex());
      const Tensor& old = variable->value_locked();
      const PartialShape expected = old.valid() ? PartialShape(old.shape()) : variable->shape();
      if (validate_shape_ && !expected.IsCompatibleWith(value.shape())) {
        return InvalidArgument("Assign requires shapes of both tensors to match. lhs shape= ", expected,
                               " rhs shape= ", value.shape());
      }
    }
    if (IsCounter(value)) {
      HR_ASSIGN_OR_RETURN(value, value.Clone(c.runtime().memory));  // else a constant would count with it
    }
    variable->Assign(std::move(value));
    return c.SetOutputVariable(0, variable);
  }

 private:
  const bool validate_shape_;
};

template <template <typename> typename Update, typename T> Status UpdateRefVariable(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable, TakeRefVariable(c, 0));
  const Tensor& value = c.input(1);
  std::unique_lock lock(variable->mutex());
  HR_RETURN_IF_ERROR(RequireInitialized(variable->value_locked(), c));
  if (variable->value_locked().shape() != value.shape()) {
    return InvalidArgument("Parameters and update must be the same size: ", variable->value_locked().shape(), " and ",
                           value.shape());
  }
  if constexpr (std::is_integral_v<T>) {
    if (IsCounter(value)) {
      Tensor counter = variable->value_locked();
      const std::atomic_ref<T> count(counter.mutable_data<T>()[0]);
      count.store(Update<T>::Apply(count.load(), value.scalar<T>()));
      return c.SetOutputVariable(0, variable);
    }
  }
  HR_ASSIGN_OR_RETURN(Tensor * target, variable->MutableValueLocked(c.runtime().memory));
  T* to = target->mutable_data<T>().data();
  const T* from = value.data<T>().data();
  c.ParallelFor(value.num_elements(), 0.25 * sizeof(T), [to, from](int64_t begin, int64_t end) {
    UpdateElements<Update<T>>(to + begin, from + begin, end - begin);
  });
  return c.SetOutputVariable(0, variable);
}

Status IsInitialized(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable, TakeRefVariable(c, 0));
  return c.SetOutput(0, Tensor::Scalar<bool>(variable->IsInitialized()));
}

OpDefinition VariableDefinition(std::string_view name) {
  return OpDefinition(
             StrCat(name,
                    "() -> (ref: Ref(dtype)) | shape: shape | dtype: type | container: string = '' | shared_name: "
                    "string = '' | stateful"))
      .Shape(VariableShapeAttr)
      .NoGradient("stateful")
      .Kernels(AnyType(ClassKernel<RefVariable>(), true));
}

template <template <typename> typename Update> OpDefinition UpdateDefinition(std::string_view name) {
  return OpDefinition(StrCat(name, "(ref: Ref(T), value: T) -> (output_ref: Ref(T)) | T: type in ", kNumberTypes,
                             " | use_locking: bool = false"))
      .Shape(UpdateShape)
      .NoGradient("stateful")
      .Kernels(KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                          uint64_t, std::complex<float>, std::complex<double>>(
          "T", []<typename T>() { return FunctionKernel(UpdateRefVariable<Update, T>); }));
}

}  // namespace

OpDefinition VariableV2() { return VariableDefinition("VariableV2"); }
OpDefinition VariableV1() { return VariableDefinition("Variable"); }

OpDefinition Assign() {
  return OpDefinition(
             "Assign(ref: Ref(T), value: T) -> (output_ref: Ref(T)) | T: type | validate_shape: bool = true | "
             "use_locking: bool = "
             "true | allows_uninitialized_input")
      .Shape(AssignShape)
      .NoGradient("stateful")
      .Kernels(AnyType(ClassKernel<AssignKernel>(), true));
}

OpDefinition AssignAdd() { return UpdateDefinition<AddUpdate>("AssignAdd"); }
OpDefinition AssignSub() { return UpdateDefinition<SubUpdate>("AssignSub"); }

OpDefinition IsVariableInitialized() {
  return OpDefinition(
             "IsVariableInitialized(ref: Ref(dtype)) -> (is_initialized: bool) | dtype: type | "
             "allows_uninitialized_input")
      .Shape(ScalarShape)
      .NoGradient("not differentiable")
      .Kernels(AnyType(FunctionKernel(IsInitialized), true));
}

}  // namespace headrace
