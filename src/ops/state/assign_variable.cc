// AssignVariableOp: the variable takes `value` as its own, sharing the buffer; creates the variable. With validate_shape,
// the value must have the shape of the one before, the first one the declared shape. AssignAddVariableOp, AssignSubVariableOp: variable += value, variable -= value,
// element by element and in place unless somebody still reads the old value. Equal shapes; no broadcast.
#include "ops/state/state_ops.h"
#include "ops/state/update.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

Status AssignShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(0));
  HR_ASSIGN_OR_RETURN(const PartialShape declared, DeclaredShape(c, 0, "dtype"));
  if (declared.IsCompatibleWith(c.input(1))) return OkStatus();
  return InvalidArgument(c.node().op(), ": the value does not fit the variable: variable=", declared,
                         " value=", c.input(1));
}

class AssignVariable final : public Kernel {
 public:
  explicit AssignVariable(KernelConstruction& c)
      : dtype_(c.attr<DType>("dtype")), validate_shape_(c.attr<bool>("validate_shape", false)) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable, FindOrCreate(c));
    if (variable->dtype() != dtype_) {
      return InvalidArgument("Trying to assign variable with wrong dtype. Expected ", DTypeName(variable->dtype()),
                             " got ", DTypeName(dtype_));
    }
    Tensor value = c.TakeInput(1);
    if (validate_shape_) {
      const Tensor old = variable->Read();
      const PartialShape expected = old.valid() ? PartialShape(old.shape()) : variable->shape();
      if (!expected.IsCompatibleWith(value.shape())) {
        HR_ASSIGN_OR_RETURN(const ResourceHandle* handle, c.Handle(0));
        return InvalidArgument("Trying to assign to variable with tensor with wrong shape. Expected ", expected,
                               " got ", value.shape(), ". Variable: ", handle->name);
      }
    }
    variable->Assign(std::move(value));
    return OkStatus();
  }

 private:
  Result<std::shared_ptr<Variable>> FindOrCreate(const KernelContext& c) const {
    Result<std::shared_ptr<Variable>> found = c.LookupResource<Variable>(0);
    if (found.ok() || found.status().code() != Code::kNotFound) return found;
    HR_ASSIGN_OR_RETURN(const ResourceHandle* handle, c.Handle(0));
    return c.resources().LookupOrCreate<Variable>(
        handle->container, handle->name, [this, handle]() -> Result<std::shared_ptr<Variable>> {
          const bool declared = !handle->dtypes_and_shapes.empty();
          return std::make_shared<Variable>(dtype_, declared ? handle->dtypes_and_shapes[0].shape : PartialShape());
        });
  }

  const DType dtype_;
  const bool validate_shape_;
};

template <template <typename> typename Update, typename T> Status UpdateVariable(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable, LookupVariable(c, 0, kDTypeOf<T>));
  const Tensor& value = c.input(1);
  std::unique_lock lock(variable->mutex());
  HR_RETURN_IF_ERROR(RequireInitialized(variable->value_locked(), c));
  if (variable->value_locked().shape() != value.shape()) {
    return InvalidArgument("Cannot update variable with shape ", variable->value_locked().shape(),
                           " using a Tensor with shape ", value.shape(), ", shapes must be equal.");
  }
  HR_ASSIGN_OR_RETURN(Tensor * target, variable->MutableValueLocked(c.runtime().memory));
  T* to = target->mutable_data<T>().data();
  const T* from = value.data<T>().data();
  c.ParallelFor(value.num_elements(), 0.25 * sizeof(T), [to, from](int64_t begin, int64_t end) {
    UpdateElements<Update<T>>(to + begin, from + begin, end - begin);
  });
  return OkStatus();
}

template <template <typename> typename Update> OpDefinition UpdateOp(std::string_view name) {
  return OpDefinition(StrCat(name, "(resource: resource, value: dtype) -> () | dtype: type | stateful"))
      .Shape(AssignShape)
      .NoGradient("stateful")
      .Kernels(KernelsFor<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                          uint64_t, std::complex<float>, std::complex<double>>(
          "dtype", []<typename T>() { return FunctionKernel(UpdateVariable<Update, T>); }));
}

}  // namespace

OpDefinition AssignVariableOp() {
  return OpDefinition(
             "AssignVariableOp(resource: resource, value: dtype) -> () | dtype: type | validate_shape: bool = false | "
             "stateful")
      .Shape(AssignShape)
      .NoGradient("stateful")
      .Kernels(AnyType(ClassKernel<AssignVariable>(), true));
}

OpDefinition AssignAddVariableOp() { return UpdateOp<AddUpdate>("AssignAddVariableOp"); }
OpDefinition AssignSubVariableOp() { return UpdateOp<SubUpdate>("AssignSubVariableOp"); }

}  // namespace headrace
