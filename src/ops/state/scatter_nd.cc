// Updates of parts of a tensor that index tuples pick. ScatterNdUpdate, ...Add, ...Sub, ...Min, ...Max: of a ref variable, which is
// handed on; ResourceScatterNd...: of a resource variable; both in place under the variable's lock, whatever use_locking says, and
// after all checks. TensorScatterUpdate, ...Add, ...Sub, ...Min, ...Max, ScatterNdNonAliasingAdd: of a tensor. Tuples that repeat
// count each. A tuple out of range is an error; with bad_indices_policy "IGNORE" it is left out.
// Errors: kInvalidArgument; kFailedPrecondition for a variable without a value.
#include "kernel/elements.h"
#include "ops/array/indexed_parts.h"
#include "ops/formula.h"
#include "ops/signature_types.h"
#include "ops/state/state_ops.h"
#include "ops/state/update.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

enum class Target { kRef, kResource, kTensor };

/// Updates the part at `to` by that at `from`.
using PartUpdate = void (*)(DType dtype, void* to, const void* from, int64_t count);

void AssignPart(DType dtype, void* to, const void* from, int64_t count) { Elements(dtype).Copy(from, to, count); }

template <typename Update, typename T = typename Update::Type>
void UpdatePart(DType, void* to, const void* from, int64_t count) {
  UpdateElements<Update>(static_cast<T*>(to), static_cast<const T*>(from), count);
}

template <Target kTarget> Status NdShape(ShapeContext& c) {
  PartialShape params = c.input(0);
  if constexpr (kTarget == Target::kResource) {
    HR_ASSIGN_OR_RETURN(params, DeclaredShape(c, 0, "T"));
  }
  HR_RETURN_IF_ERROR(c.RequireRankAtLeast(1, 1));
  HR_ASSIGN_OR_RETURN(const PartialShape updates, ShapeOfParts(c.input(1), params));
  if (!updates.IsCompatibleWith(c.input(2)))
    return InvalidArgument(c.node().op(), ": updates must have shape ", updates, ", has ", c.input(2));
  return kTarget == Target::kResource ? OkStatus() : c.SetOutput(0, std::move(params));
}

/// The parts that indices name in a tensor of that shape, with updates that fit. Errors: kInvalidArgument.
Result<IndexedParts> CheckedParts(const KernelContext& c, const Shape& shape, bool ignore) {
  const Tensor &indices = c.input(1), &updates = c.input(2);
  HR_ASSIGN_OR_RETURN(IndexedParts parts, IndexedParts::Make(c.node().op(), indices, shape));
  HR_ASSIGN_OR_RETURN(const PartialShape expected, ShapeOfParts(indices.shape(), shape));
  if (!expected.IsCompatibleWith(updates.shape()))
    return InvalidArgument(c.node().op(), ": updates must have shape ", expected, ", has ", updates.shape());
  for (size_t t = 0; t < parts.places.size() && !ignore; ++t) {
    if (parts.places[t] < 0) {
      return InvalidArgument(IndexTuple(indices, static_cast<int64_t>(t)), " does not index into shape ", shape);
    }
  }
  return parts;
}

void Apply(const IndexedParts& parts, const Tensor& updates, PartUpdate update, Tensor* target) {
  const Elements elements(target->dtype());
  const int64_t size = parts.slice_elements;
  for (size_t t = 0; t < parts.places.size(); ++t) {
    if (parts.places[t] < 0) continue;
    update(target->dtype(), elements.At(target->mutable_raw(), parts.places[t] * size),
           elements.At(updates.raw(), static_cast<int64_t>(t) * size), size);
  }
}

template <Target kTarget> class ScatterNdInto final : public Kernel {
 public:
  ScatterNdInto(KernelConstruction& c, PartUpdate update)
      : update_(update), dtype_(c.attr<DType>("T")), ignore_(c.attr<std::string>("bad_indices_policy") == "IGNORE") {}

  Status Compute(KernelContext& c) override {
    if constexpr (kTarget == Target::kTensor) {
      return ComputeTensor(c);
    } else {
      HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable,
                          kTarget == Target::kRef ? TakeRefVariable(c, 0) : LookupVariable(c, 0, dtype_));
      std::unique_lock lock(variable->mutex());
      HR_RETURN_IF_ERROR(RequireInitialized(variable->value_locked(), c));
      HR_ASSIGN_OR_RETURN(const IndexedParts parts, CheckedParts(c, variable->value_locked().shape(), ignore_));
      if (!parts.places.empty()) {
        HR_ASSIGN_OR_RETURN(Tensor * value, variable->MutableValueLocked(c.runtime().memory));
        Apply(parts, c.input(2), update_, value);
      }
      return kTarget == Target::kRef ? c.SetOutputVariable(0, variable) : OkStatus();
    }
  }

 private:
  Status ComputeTensor(KernelContext& c) const {
    const Tensor& input = c.input(0);
    HR_ASSIGN_OR_RETURN(const IndexedParts parts, CheckedParts(c, input.shape(), ignore_));
    if (IsPlainData(dtype_) && input.OwnsBuffer()) {
      Tensor output = c.TakeInput(0);
      Apply(parts, c.input(2), update_, &output);
      return c.SetOutput(0, std::move(output));
    }
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, input.shape()));
    Elements(dtype_).Copy(input.raw(), output->mutable_raw(), input.num_elements());
    Apply(parts, c.input(2), update_, output);
    return OkStatus();
  }

  const PartUpdate update_;
  const DType dtype_;
  const bool ignore_;
};

template <Target kTarget> KernelFactory Factory(PartUpdate update) {
  return [update](KernelConstruction& c) -> Result<std::unique_ptr<Kernel>> {
    return std::unique_ptr<Kernel>(std::make_unique<ScatterNdInto<kTarget>>(c, update));
  };
}

template <template <typename> typename Update, Target kTarget, typename... Ts>
std::vector<KernelDefinition> UpdateKernels() {
  return {KernelDefinition{.types = {{"T", {kDTypeOf<Ts>}}}, .factory = Factory<kTarget>(UpdatePart<Update<Ts>>)}...};
}

template <template <typename> typename Update, Target kTarget> std::vector<KernelDefinition> NumberKernels() {
  return UpdateKernels<Update, kTarget, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t, std::complex<float>, std::complex<double>>();
}

template <template <typename> typename Update, Target kTarget> std::vector<KernelDefinition> OrderKernels() {
  return UpdateKernels<Update, kTarget, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t>();
}

// The gradient of what is left of the tensor: 0 where parts were replaced.
Status UpdateGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c), updates = InputFormula(c, 2);
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, dy.Apply("TensorScatterUpdate", {c.input(1), ZerosLike(updates)})));
  return c.SetInputGradient(2, dy.Apply("GatherNd", {c.input(1)}));
}

template <int kSign> Status SumGradient(GradientContext& c) {
  const Formula updates = OutputGradientFormula(c).Apply("GatherNd", {c.input(1)});
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, c.raw_output_gradient(0)));
  return c.SetInputGradient(2, kSign > 0 ? updates : -updates);
}

// To the tensor, and to the updates, in equal parts to all that equal the result.
Status ExtremumGradient(GradientContext& c) {
  const Formula dy = OutputGradientFormula(c), y = OutputFormula(c), x = InputFormula(c, 0),
                updates = InputFormula(c, 2);
  const Endpoint indices = c.input(1);
  const AttrMap to_type = {{"DstT", RemoveRef(c.input(0).dtype())}};
  const Formula kept = x.Apply("Equal", {y}).Apply("Cast", {}, to_type);
  const Formula taken = updates.Apply("Equal", {y.Apply("GatherNd", {indices})}).Apply("Cast", {}, to_type);
  const Formula share = dy / kept.Apply("TensorScatterAdd", {indices, taken});
  HR_RETURN_IF_ERROR(c.SetInputGradient(0, share * kept));
  return c.SetInputGradient(2, share.Apply("GatherNd", {indices}) * taken);
}

std::string Signature(std::string_view name, Target target, std::string_view types, std::string_view use_locking) {
  const std::string in_types = types.empty() ? "" : StrCat(" in ", types);
  const std::string_view policy = " | bad_indices_policy: string = ''";
  switch (target) {
    case Target::kRef:
      return StrCat("ScatterNd", name, "(ref: Ref(T), indices: Tindices, updates: T) -> (output_ref: Ref(T)) | T: type",
                    in_types, " | Tindices: type in {i32,i64} | use_locking: bool = ", use_locking, policy);
    case Target::kResource:
      return StrCat("ResourceScatterNd", name,
                    "(ref: resource, indices: Tindices, updates: T) -> () | T: type | Tindices: type in {i32,i64} | ",
                    "use_locking: bool = true", policy, " | stateful");
    default:
      return StrCat("TensorScatter", name, "(tensor: T, indices: Tindices, updates: T) -> (output: T) | T: type | ",
                    "Tindices: type in ", name == "Update" ? "{i16,i32,i64,u16}" : "{i32,i64}", policy);
  }
}

template <Target kTarget>
OpDefinition NdOp(std::string_view name, std::string_view types, std::vector<KernelDefinition> kernels,
                  GradientFunction gradient) {
  OpDefinition op = OpDefinition(Signature(name, kTarget, types, name == "Update" ? "true" : "false"))
                        .Shape(NdShape<kTarget>)
                        .Kernels(std::move(kernels));
  if (kTarget == Target::kTensor) return std::move(op).Gradient(std::move(gradient));
  return std::move(op).NoGradient("stateful");
}

template <Target kTarget> void AddOps(std::vector<OpDefinition>* ops) {
  ops->push_back(NdOp<kTarget>("Update", "", AnyType(Factory<kTarget>(AssignPart)), UpdateGradient));
  ops->push_back(NdOp<kTarget>("Add", kNumberTypes, NumberKernels<AddUpdate, kTarget>(), SumGradient<1>));
  ops->push_back(NdOp<kTarget>("Sub", kNumberTypes, NumberKernels<SubUpdate, kTarget>(), SumGradient<-1>));
  ops->push_back(NdOp<kTarget>("Min", kNumberTypes, OrderKernels<MinUpdate, kTarget>(), ExtremumGradient));
  ops->push_back(NdOp<kTarget>("Max", kNumberTypes, OrderKernels<MaxUpdate, kTarget>(), ExtremumGradient));
}

}  // namespace

std::vector<OpDefinition> ScatterNdVariableOps() {
  std::vector<OpDefinition> ops;
  AddOps<Target::kRef>(&ops);
  AddOps<Target::kResource>(&ops);
  AddOps<Target::kTensor>(&ops);
  ops.push_back(
      OpDefinition("ScatterNdNonAliasingAdd(input: T, indices: Tindices, updates: T) -> (output: T) | T: type in "
                   "{f32,f64,i32,u8,i16,i8,c64,i64,qi8,qu8,qi32,bf16,qi16,qu16,u16,c128,f16,u32,u64,bool} | "
                   "Tindices: type in {i32,i64} | bad_indices_policy: string = ''")
          .Shape(NdShape<Target::kTensor>)
          .Gradient(SumGradient<1>)
          .Kernels(NumberKernels<AddUpdate, Target::kTensor>()));
  return ops;
}

}  // namespace headrace
