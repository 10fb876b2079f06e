// CountUpTo, ResourceCountUpTo: give a scalar variable's value and add 1 to it.
// Errors: kOutOfRange once the value is `limit`; kInvalidArgument for a variable that is not a scalar.
#include "graph/shape_context.h"
#include "ops/state/state_ops.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

template <typename T, bool kRef> class CountUpToCpu final : public Kernel {
 public:
  explicit CountUpToCpu(KernelConstruction& c) : limit_(c.attr<int64_t>("limit")) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable,
                        kRef ? TakeRefVariable(c, 0) : LookupVariable(c, 0, kDTypeOf<T>));
    std::unique_lock lock(variable->mutex());
    HR_RETURN_IF_ERROR(RequireInitialized(variable->value_locked(), c));
    if (!variable->value_locked().shape().IsScalar()) {
      return InvalidArgument("input is not a scalar: ", variable->value_locked().shape());
    }
    const T value = variable->value_locked().scalar<T>();
    if (static_cast<int64_t>(value) >= limit_) return OutOfRange("Reached limit of ", limit_);
    HR_ASSIGN_OR_RETURN(Tensor * changed, variable->MutableValueLocked(c.runtime().memory));
    changed->mutable_data<T>()[0] = static_cast<T>(value + 1);
    return c.SetOutput(0, Tensor::Scalar<T>(value));
  }

 private:
  const int64_t limit_;
};

template <bool kRef> OpDefinition Define(std::string_view signature) {
  return OpDefinition(signature)
      .Shape(ScalarShape)
      .NoGradient("stateful")
      .Kernels(KernelsFor<int32_t, int64_t>("T", []<typename T>() { return ClassKernel<CountUpToCpu<T, kRef>>(); }));
}

}  // namespace

std::vector<OpDefinition> CountUpToOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(Define<true>("CountUpTo(ref: Ref(T)) -> (output: T) | limit: int | T: type in {i32,i64}"));
  ops.push_back(Define<false>(
      "ResourceCountUpTo(resource: resource) -> (output: T) | limit: int | T: type in {i32,i64} | stateful"));
  return ops;
}

}  // namespace headrace
