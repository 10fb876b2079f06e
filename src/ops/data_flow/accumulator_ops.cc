// ConditionalAccumulator, SparseConditionalAccumulator: the handle of an accumulator (accumulator.h). AccumulatorApplyGradient adds a
// gradient, AccumulatorTakeGradient waits for num_required of them, without a thread, and gives their mean or sum;
// AccumulatorSetGlobalStep; AccumulatorNumAccumulated. Resource... take a resource handle, the others a ref.
// Errors: kInvalidArgument where dtype or shape are not the accumulator's, and for num_required < 1.
#include "ops/data_flow/accumulator.h"

#include "ops/data_flow/data_flow_ops.h"
#include "ops/io/type_text.h"
#include "ops/resource_op.h"

namespace headrace {

namespace {

constexpr std::string_view kAccumulatorTypes =
    "{f32,f64,i32,u8,i16,i8,c64,i64,qi8,qu8,qi32,bf16,qi16,qu16,u16,c128,f16,u32,u64}";

template <bool kSparse> class AccumulatorHandle final : public ResourceOp<Accumulator> {
 public:
  explicit AccumulatorHandle(KernelConstruction& c)
      : ResourceOp(c),
        dtype_(c.attr<DType>("dtype")),
        shape_(c.attr<PartialShape>("shape")),
        takes_mean_(c.attr<std::string>("reduction_type", "MEAN") == "MEAN") {}

 protected:
  Result<std::shared_ptr<Accumulator>> Make() const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<GradientSum> sum,
                        kSparse ? MakeSparseSum(dtype_, shape_) : MakeDenseSum(dtype_, shape_));
    return std::make_shared<Accumulator>(dtype_, takes_mean_, std::move(sum));
  }

 private:
  const DType dtype_;
  const PartialShape shape_;
  const bool takes_mean_;
};

template <typename T> Result<T> ScalarOf(const KernelContext& c, int i) {
  if (c.input(i).num_elements() == 1) return c.input(i).scalar<T>();
  return InvalidArgument(c.node().op(), ": input ", i, " must be a scalar, it is ", c.input(i));
}

std::string_view HandleText(const KernelContext& c) {
  return c.input(0).dtype() == DType::kString ? "string_ref" : "resource";
}

Result<std::shared_ptr<Accumulator>> Find(const KernelContext& c, bool is_sparse) {
  HR_ASSIGN_OR_RETURN(std::shared_ptr<Accumulator> found, LookupState<Accumulator>(c, 0));
  if (found->is_sparse() != is_sparse) {
    return InvalidArgument(c.node().op(), ": the accumulator is another kind: ", found->DebugString());
  }
  return found;
}

Status ApplyDense(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Accumulator> accumulator, Find(c, /*is_sparse=*/false));
  HR_ASSIGN_OR_RETURN(const int64_t local_step, ScalarOf<int64_t>(c, 1));
  const DType dtype = c.input(2).dtype();
  if (dtype != accumulator->dtype()) {
    return InvalidArgument("Signature mismatch, have: ", HandleText(c), ", int64, ", TypeText(dtype),
                           "-> expected: ", HandleText(c), ", int64, ", TypeText(accumulator->dtype()), "->");
  }
  return accumulator->Apply(local_step, {c.TakeInput(2)}, c.runtime());
}

class ApplySparse final : public Kernel {
 public:
  explicit ApplySparse(KernelConstruction& c) : has_known_shape_(c.attr<bool>("has_known_shape")) {}

  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<Accumulator> accumulator, Find(c, /*is_sparse=*/true));
    HR_ASSIGN_OR_RETURN(const int64_t local_step, ScalarOf<int64_t>(c, 1));
    const DType dtype = c.input(3).dtype();
    if (dtype != accumulator->dtype()) {
      return InvalidArgument("Signature mismatch, have: string_ref, int64, int64, ", TypeText(dtype),
                             ", int64-> expected: string_ref, int64, int64, ", TypeText(accumulator->dtype()),
                             ", int64->");
    }
    Tensor shape = has_known_shape_ ? c.TakeInput(4) : Tensor::Vector<int64_t>({});
    return accumulator->Apply(local_step, {c.TakeInput(2), c.TakeInput(3), std::move(shape)}, c.runtime());
  }

 private:
  const bool has_known_shape_;
};

template <bool kSparse> class TakeGradient final : public AsyncKernel {
 public:
  explicit TakeGradient(KernelConstruction& c) : dtype_(c.attr<DType>("dtype")) {}

  void ComputeAsync(KernelContext& c, Done done) override {
    const Status status = Start(c, done);
    if (!status.ok()) done(status);
  }

 private:
  Status Start(KernelContext& c, const Done& done) const {
    HR_ASSIGN_OR_RETURN(std::shared_ptr<Accumulator> accumulator, Find(c, kSparse));
    HR_ASSIGN_OR_RETURN(const int32_t num_required, ScalarOf<int32_t>(c, 1));
    if (num_required < 1) return InvalidArgument("Argument num_required must be positive, but was ", num_required);
    if (dtype_ != accumulator->dtype()) {
      return InvalidArgument("Signature mismatch, have: ", HandleText(c), ", int32->", TypeText(dtype_),
                             " expected: ", HandleText(c), ", int32->", TypeText(accumulator->dtype()));
    }
    Accumulator& taken_from = *accumulator;
    taken_from.Take(num_required, c.runtime(), c.cancellation(),
                    [&c, accumulator = std::move(accumulator), done](const Status& status, Gradient gradient) {
                      done(status.ok() ? Give(c, std::move(gradient)) : status);
                    });
    return OkStatus();
  }

  static Status Give(KernelContext& c, Gradient gradient) {
    for (int i = 0; i < c.num_outputs(); ++i) {
      HR_RETURN_IF_ERROR(c.SetOutput(i, std::move(gradient[static_cast<size_t>(i)])));
    }
    return OkStatus();
  }

  const DType dtype_;
};

Status SetGlobalStep(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Accumulator> accumulator, LookupState<Accumulator>(c, 0));
  HR_ASSIGN_OR_RETURN(const int64_t step, ScalarOf<int64_t>(c, 1));
  accumulator->SetGlobalStep(step);
  return OkStatus();
}

Status NumAccumulated(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::shared_ptr<Accumulator> accumulator, LookupState<Accumulator>(c, 0));
  return c.SetOutput(0, Tensor::Scalar<int32_t>(static_cast<int32_t>(accumulator->num_accumulated())));
}

Status SparseTakeShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.SetOutput(0, PartialShape::UnknownOfRank(1)));
  return c.SetOutput(2, PartialShape::UnknownOfRank(1));
}

OpDefinition Define(const std::string& signature, ShapeFunction shape, KernelFactory kernel, bool cheap = false) {
  return OpDefinition(signature)
      .Shape(std::move(shape))
      .NoGradient("an accumulator")
      .Kernels(AnyType(std::move(kernel), cheap));
}

std::string HandleSignature(std::string_view name, std::string_view handle) {
  return StrCat(
      name, "() -> (handle: ", handle, ") | dtype: type in ", kAccumulatorTypes,
      " | shape: shape | container: string = '' | shared_name: string = '' | reduction_type: string = 'MEAN' in "
      "{'MEAN','SUM'} | stateful");
}

}  // namespace

std::vector<OpDefinition> AccumulatorOps() {
  std::vector<OpDefinition> ops;
  const std::string dtype = StrCat(" | dtype: type in ", kAccumulatorTypes);
  for (const bool is_ref : {true, false}) {
    const std::string_view prefix = is_ref ? "" : "Resource", handle = is_ref ? "Ref(str)" : "resource",
                           stateful = is_ref ? "" : " | stateful";
    ops.push_back(Define(HandleSignature(StrCat(prefix, "ConditionalAccumulator"), handle), HandleShape,
                         ClassKernel<AccumulatorHandle<false>>(), true));
    ops.push_back(Define(StrCat(prefix, "AccumulatorApplyGradient(handle: ", handle,
                                ", local_step: i64, gradient: dtype) -> ()", dtype, stateful),
                         NoOutputs, FunctionKernel(ApplyDense)));
    ops.push_back(Define(StrCat(prefix, "AccumulatorTakeGradient(handle: ", handle,
                                ", num_required: i32) -> (average: dtype)", dtype, stateful),
                         UnknownShape, ClassKernel<TakeGradient<false>>()));
    ops.push_back(
        Define(StrCat(prefix, "AccumulatorSetGlobalStep(handle: ", handle, ", new_global_step: i64) -> ()", stateful),
               NoOutputs, FunctionKernel(SetGlobalStep), true));
    ops.push_back(
        Define(StrCat(prefix, "AccumulatorNumAccumulated(handle: ", handle, ") -> (num_accumulated: i32)", stateful),
               ScalarShape, FunctionKernel(NumAccumulated), true));
  }
  ops.push_back(Define(HandleSignature("SparseConditionalAccumulator", "Ref(str)"), HandleShape,
                       ClassKernel<AccumulatorHandle<true>>(), true));
  ops.push_back(
      Define(StrCat("SparseAccumulatorApplyGradient(handle: Ref(str), local_step: i64, gradient_indices: i64, "
                    "gradient_values: dtype, gradient_shape: i64) -> ()",
                    dtype, " | has_known_shape: bool"),
             NoOutputs, ClassKernel<ApplySparse>()));
  ops.push_back(Define(StrCat("SparseAccumulatorTakeGradient(handle: Ref(str), num_required: i32) -> (indices: i64, "
                              "values: dtype, shape: i64)",
                              dtype),
                       SparseTakeShape, ClassKernel<TakeGradient<true>>()));
  return ops;
}

}  // namespace headrace
