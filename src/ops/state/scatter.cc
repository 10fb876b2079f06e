// ScatterUpdate, Add, Sub, Mul, Div, Min, Max: variable[indices[i...], :] op= updates[i..., :], or op= a scalar; "Resource..."
// on a resource variable, else on a ref variable, which is handed on. In place under the variable's lock, whatever use_locking
// says, and after all checks: an error leaves the variable as it was. Repeated indices count each.
// Errors: kInvalidArgument for an index out of range, shapes that do not fit, or an integer division by 0; kNotFound.
#include "ops/signature_types.h"
#include "ops/state/scatter_rows.h"
#include "ops/state/state_ops.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

template <bool kIsRef> Status ScatterShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape params, kIsRef ? Result<PartialShape>(c.input(0)) : DeclaredShape(c, 0, "dtype"));
  const PartialShape& indices = c.input(1);
  const PartialShape& updates = c.input(2);
  if (params.has_rank() && indices.has_rank() && updates.has_rank() && updates.rank() > 0) {
    if (params.rank() < 1) return InvalidArgument(c.node().op(), ": the variable must be at least 1-D, got ", params);
    PartialShape expected = indices;
    for (int i = 1; i < params.rank(); ++i) expected.AppendDim(params.dim(i));
    if (!expected.IsCompatibleWith(updates)) {
      return InvalidArgument(c.node().op(), ": updates do not fit: params=", params, " indices=", indices,
                             " updates=", updates);
    }
  }
  return kIsRef ? c.SetOutput(0, std::move(params)) : OkStatus();
}

// Runs `update(table, rows)` on the variable's own value, under its lock.
template <bool kIsRef, typename Function> Status ScatterInto(KernelContext& c, DType dtype, Function update) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable,
                      kIsRef ? TakeRefVariable(c, 0) : LookupVariable(c, 0, dtype));
  std::unique_lock lock(variable->mutex());
  HR_RETURN_IF_ERROR(RequireInitialized(variable->value_locked(), c));
  HR_RETURN_IF_ERROR(CheckScatter(variable->value_locked(), c.input(1), c.input(2)));
  HR_ASSIGN_OR_RETURN(const RowIndices rows, RowIndices::Make(c.input(1), variable->value_locked().dim(0)));
  if (rows.size() > 0) {
    HR_ASSIGN_OR_RETURN(Tensor * table, variable->MutableValueLocked(c.runtime().memory));
    update(table, rows);
  }
  return kIsRef ? c.SetOutputVariable(0, variable) : OkStatus();
}

template <bool kIsRef> class ScatterAssign final : public Kernel {
 public:
  explicit ScatterAssign(KernelConstruction& c) : dtype_(c.attr<DType>(kIsRef ? "T" : "dtype")) {}
  Status Compute(KernelContext& c) override {
    return ScatterInto<kIsRef>(c, dtype_,
                               [&c](Tensor* table, const RowIndices& rows) { AssignRows(table, rows, c.input(2)); });
  }

 private:
  const DType dtype_;
};

template <template <typename> typename Update, bool kIsRef, typename T> Status Scatter(KernelContext& c) {
  HR_RETURN_IF_ERROR(CheckDivisors<Update<T>>(c.input(2)));
  return ScatterInto<kIsRef>(
      c, kDTypeOf<T>, [&c](Tensor* table, const RowIndices& rows) { UpdateRows<Update<T>>(table, rows, c.input(2)); });
}

template <bool kIsRef>
OpDefinition ScatterOp(std::string_view name, std::string_view types, std::string_view use_locking,
                       std::vector<KernelDefinition> kernels) {
  const std::string in_types = types.empty() ? "" : StrCat(" in ", types);
  const std::string signature =
      kIsRef ? StrCat("Scatter", name, "(ref: Ref(T), indices: Tindices, updates: T) -> (output_ref: Ref(T)) | T: type",
                      in_types, " | Tindices: type in {i32,i64} | use_locking: bool = ", use_locking)
             : StrCat("ResourceScatter", name,
                      "(resource: resource, indices: Tindices, updates: dtype) -> () | dtype: type", in_types,
                      " | Tindices: type in {i32,i64} | stateful");
  return OpDefinition(signature).Shape(ScatterShape<kIsRef>).NoGradient("stateful").Kernels(std::move(kernels));
}

template <template <typename> typename Update, bool kIsRef, typename... Ts>
OpDefinition UpdateOp(std::string_view name, std::string_view types) {
  return ScatterOp<kIsRef>(name, types, "false", KernelsFor<Ts...>(kIsRef ? "T" : "dtype", []<typename T>() {
                             return FunctionKernel(Scatter<Update, kIsRef, T>);
                           }));
}

template <template <typename> typename Update, bool kIsRef> OpDefinition NumberOp(std::string_view name) {
  return UpdateOp<Update, kIsRef, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                  uint32_t, uint64_t, std::complex<float>, std::complex<double>>(name, kNumberTypes);
}

template <template <typename> typename Update> OpDefinition ResourceOrderOp(std::string_view name) {
  return UpdateOp<Update, false, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
                  uint32_t, uint64_t>(name, kNumberTypes);
}

template <template <typename> typename Update> OpDefinition RefOrderOp(std::string_view name) {
  return UpdateOp<Update, true, Half, BFloat16, float, double, int32_t, int64_t>(name, "{f16,bf16,f32,f64,i32,i64}");
}

}  // namespace

std::vector<OpDefinition> ResourceScatterOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(ScatterOp<false>("Update", "", "", AnyType(ClassKernel<ScatterAssign<false>>())));
  ops.push_back(NumberOp<AddUpdate, false>("Add"));
  ops.push_back(NumberOp<SubUpdate, false>("Sub"));
  ops.push_back(NumberOp<MulUpdate, false>("Mul"));
  ops.push_back(NumberOp<DivUpdate, false>("Div"));
  ops.push_back(ResourceOrderOp<MinUpdate>("Min"));
  ops.push_back(ResourceOrderOp<MaxUpdate>("Max"));
  return ops;
}

std::vector<OpDefinition> RefScatterOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(ScatterOp<true>("Update", "", "true", AnyType(ClassKernel<ScatterAssign<true>>())));
  ops.push_back(NumberOp<AddUpdate, true>("Add"));
  ops.push_back(NumberOp<SubUpdate, true>("Sub"));
  ops.push_back(NumberOp<MulUpdate, true>("Mul"));
  ops.push_back(NumberOp<DivUpdate, true>("Div"));
  ops.push_back(RefOrderOp<MinUpdate>("Min"));
  ops.push_back(RefOrderOp<MaxUpdate>("Max"));
  return ops;
}

}  // namespace headrace
