// ResourceScatterUpdate, Add, Sub, Mul, Div, Min, Max: variable[indices[i...], :] op= updates[i..., :], or op= a scalar.
// In place under the variable's lock, after all checks: an error leaves the variable as it was. Repeated indices count each.
// Errors: kInvalidArgument for an index out of range, shapes that do not fit, or an integer division by 0; kNotFound.
#include "ops/signature_types.h"
#include "ops/state/scatter_rows.h"
#include "ops/state/state_ops.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

Status ScatterShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(const PartialShape params, DeclaredShape(c, 0, "dtype"));
  const PartialShape& indices = c.input(1);
  const PartialShape& updates = c.input(2);
  if (!params.has_rank() || !indices.has_rank() || !updates.has_rank() || updates.rank() == 0) return OkStatus();
  if (params.rank() < 1) return InvalidArgument(c.node().op(), ": the variable must be at least 1-D, got ", params);
  PartialShape expected = indices;
  for (int i = 1; i < params.rank(); ++i) expected.AppendDim(params.dim(i));
  if (expected.IsCompatibleWith(updates)) return OkStatus();
  return InvalidArgument(c.node().op(), ": updates do not fit: params=", params, " indices=", indices, " updates=", updates);
}

// Runs `update(table, rows)` on the variable's own value, under its lock.
template <typename Function>
Status ScatterInto(KernelContext& c, DType dtype, Function update) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable, LookupVariable(c, 0, dtype));
  std::unique_lock lock(variable->mutex());
  HR_RETURN_IF_ERROR(RequireInitialized(variable->value_locked(), c));
  HR_RETURN_IF_ERROR(CheckScatter(variable->value_locked(), c.input(1), c.input(2)));
  HR_ASSIGN_OR_RETURN(const RowIndices rows, RowIndices::Make(c.input(1), variable->value_locked().dim(0)));
  if (rows.size() == 0) return OkStatus();
  HR_ASSIGN_OR_RETURN(Tensor* table, variable->MutableValueLocked(c.runtime().memory));
  update(table, rows);
  return OkStatus();
}

class ScatterAssign final : public Kernel {
 public:
  explicit ScatterAssign(KernelConstruction& c) : dtype_(c.attr<DType>("dtype")) {}
  Status Compute(KernelContext& c) override {
    return ScatterInto(c, dtype_, [&c](Tensor* table, const RowIndices& rows) { AssignRows(table, rows, c.input(2)); });
  }

 private:
  const DType dtype_;
};

template <template <typename> typename Update, typename T>
Status Scatter(KernelContext& c) {
  HR_RETURN_IF_ERROR(CheckDivisors<Update<T>>(c.input(2)));
  return ScatterInto(c, kDTypeOf<T>, [&c](Tensor* table, const RowIndices& rows) {
    UpdateRows<Update<T>>(table, rows, c.input(2));
  });
}

OpDefinition ScatterOp(std::string_view name, std::string_view types, std::vector<KernelDefinition> kernels) {
  return OpDefinition(StrCat(name, "(resource: resource, indices: Tindices, updates: dtype) -> () | dtype: type", types,
                             " | Tindices: type in {i32,i64} | stateful"))
      .Shape(ScatterShape)
      .NoGradient("stateful")
      .Kernels(std::move(kernels));
}

template <template <typename> typename Update, typename... Ts>
OpDefinition UpdateOp(std::string_view name) {
  return ScatterOp(name, StrCat(" in ", kNumberTypes),
                   KernelsFor<Ts...>("dtype", []<typename T>() { return FunctionKernel(Scatter<Update, T>); }));
}

template <template <typename> typename Update, typename... More>
OpDefinition RealUpdateOp(std::string_view name) {
  return UpdateOp<Update, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
                  More...>(name);
}

template <template <typename> typename Update>
OpDefinition NumberUpdateOp(std::string_view name) {
  return RealUpdateOp<Update, std::complex<float>, std::complex<double>>(name);
}

}  // namespace

std::vector<OpDefinition> ResourceScatterOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(ScatterOp("ResourceScatterUpdate", "", AnyType(ClassKernel<ScatterAssign>())));
  ops.push_back(NumberUpdateOp<AddUpdate>("ResourceScatterAdd"));
  ops.push_back(NumberUpdateOp<SubUpdate>("ResourceScatterSub"));
  ops.push_back(NumberUpdateOp<MulUpdate>("ResourceScatterMul"));
  ops.push_back(NumberUpdateOp<DivUpdate>("ResourceScatterDiv"));
  ops.push_back(RealUpdateOp<MinUpdate>("ResourceScatterMin"));
  ops.push_back(RealUpdateOp<MaxUpdate>("ResourceScatterMax"));
  return ops;
}

}  // namespace headrace
