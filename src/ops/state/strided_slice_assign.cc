// StridedSliceAssign: ref[begin:end:stride, ...] = value, handing the variable on; ResourceStridedSliceAssign: the same of a resource
// variable. The value is broadcast to the slice. In place under the variable's lock; an error leaves the variable as it was.
// Errors: kInvalidArgument; kFailedPrecondition for a variable without a value. Source: TensorFlow's ops of the same names.
#include "ops/array/slice_spec.h"
#include "ops/integers.h"
#include "ops/state/state_ops.h"
#include "ops/state/variable_handle.h"

namespace headrace {

namespace {

template <bool kIsRef> Status SliceAssignShape(ShapeContext& c) {
  HR_ASSIGN_OR_RETURN(PartialShape shape, kIsRef ? Result<PartialShape>(c.input(0)) : DeclaredShape(c, 0, "T"));
  const auto begin = ConstantIntegers(c, 1), end = ConstantIntegers(c, 2), strides = ConstantIntegers(c, 3);
  if (shape.has_rank() && begin && end && strides) {
    HR_RETURN_IF_ERROR(SliceSpec::Resolve(shape.dims(), *begin, *end, *strides, SliceMasks::Of(c)).status());
  }
  return kIsRef ? c.SetOutput(0, std::move(shape)) : OkStatus();
}

/// The value with the slice's shape. Errors: kInvalidArgument where it cannot be broadcast to it.
Result<Tensor> BroadcastValue(KernelContext& c, const Tensor& value, const Shape& shape) {
  if (value.shape() == shape) return value;
  const std::optional<std::vector<CopyDim>> dims = BroadcastDims(value.shape(), shape);
  if (!dims) return InvalidArgument("Cannot broadcast input shape ", value.shape(), " into final shape ", shape);
  HR_ASSIGN_OR_RETURN(Tensor repeated, c.AllocateTemporary(value.dtype(), shape));
  StridedCopy(c, value.dtype(), *dims, value.raw(), repeated.mutable_raw());
  return repeated;
}

template <bool kIsRef> class SliceAssign final : public Kernel {
 public:
  explicit SliceAssign(KernelConstruction& c) : dtype_(c.attr<DType>("T")), masks_(SliceMasks::Of(c)) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<Variable> variable,
                        kIsRef ? TakeRefVariable(c, 0) : LookupVariable(c, 0, dtype_));
    std::unique_lock lock(variable->mutex());
    HR_RETURN_IF_ERROR(RequireInitialized(variable->value_locked(), c));
    const Shape& shape = variable->value_locked().shape();
    HR_ASSIGN_OR_RETURN(const SliceSpec spec,
                        SliceSpec::Resolve(shape.dims(), IntegersOf(c.input(1)), IntegersOf(c.input(2)),
                                           IntegersOf(c.input(3)), masks_));
    HR_ASSIGN_OR_RETURN(SliceLayout layout, SliceLayout::Make(shape, spec));
    if (layout.shape.num_elements() > 0) {
      HR_ASSIGN_OR_RETURN(const Tensor value, BroadcastValue(c, c.input(4), layout.shape));
      HR_ASSIGN_OR_RETURN(Tensor * target, variable->MutableValueLocked(c.runtime().memory));
      layout.Reverse();
      StridedCopy(c, dtype_, layout.dims, value.raw(), Elements(dtype_).At(target->mutable_raw(), layout.offset));
    }
    return kIsRef ? c.SetOutputVariable(0, variable) : OkStatus();
  }

 private:
  const DType dtype_;
  const SliceMasks masks_;
};

template <bool kIsRef> OpDefinition SliceAssignOp() {
  const std::string_view rest = "begin: Index, end: Index, strides: Index, value: T) -> ";
  const std::string_view types = " | T: type | Index: type in {i32,i64}";
  return OpDefinition(
             kIsRef ? StrCat("StridedSliceAssign(ref: Ref(T), ", rest, "(output_ref: Ref(T))", types, kSliceMaskAttrs)
                    : StrCat("ResourceStridedSliceAssign(ref: resource, ", rest, "()", types, kSliceMaskAttrs,
                             " | stateful"))
      .Shape(SliceAssignShape<kIsRef>)
      .NoGradient("stateful")
      .Kernels(AnyType(ClassKernel<SliceAssign<kIsRef>>()));
}

}  // namespace

std::vector<OpDefinition> StridedSliceAssignOps() { return {SliceAssignOp<true>(), SliceAssignOp<false>()}; }

}  // namespace headrace
