// PartitionedCall, StatefulPartitionedCall: call a function. If, StatelessIf: call one of two. Case, StatelessCase: one of many; an
// index that names none calls the last one. ToBool: what a condition makes of a value. FakeParam: a value that nobody uses, where
// a branch has to return one. Errors name the node in the function. Source: TensorFlow's ops of the same names.
#include <algorithm>

#include "kernel/kernel.h"
#include "ops/control_flow/called_function.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {
namespace {

/// Calls the function and makes its results the outputs.
void CallForOutputs(CalledFunction& function, KernelContext& context, int first_input, AsyncKernel::Done done) {
  function.Call(context, TakeInputs(context, first_input), static_cast<size_t>(context.num_outputs()),
                [&context, done = std::move(done)](const Status& status, std::vector<Tensor> results) {
                  done(status.ok() ? SetOutputs(context, std::move(results)) : status);
                });
}

class CallKernel final : public AsyncKernel {
 public:
  explicit CallKernel(KernelConstruction& c) : function_(c, c.attr<FunctionRef>("f")) {}
  void ComputeAsync(KernelContext& context, Done done) override {
    CallForOutputs(function_, context, 0, std::move(done));
  }

 private:
  CalledFunction function_;
};

class IfKernel final : public AsyncKernel {
 public:
  explicit IfKernel(KernelConstruction& c)
      : then_(c, c.attr<FunctionRef>("then_branch")), else_(c, c.attr<FunctionRef>("else_branch")) {}
  void ComputeAsync(KernelContext& context, Done done) override {
    const Result<bool> condition = ToCondition(context.input(0));
    if (!condition.ok()) return done(condition.status());
    CallForOutputs(*condition ? then_ : else_, context, 1, std::move(done));
  }

 private:
  CalledFunction then_;
  CalledFunction else_;
};

class CaseKernel final : public AsyncKernel {
 public:
  explicit CaseKernel(KernelConstruction& c) {
    for (FunctionRef& branch : c.attr<std::vector<FunctionRef>>("branches")) {
      branches_.push_back(std::make_unique<CalledFunction>(c, std::move(branch)));
    }
  }
  void ComputeAsync(KernelContext& context, Done done) override {
    const Tensor& index = context.input(0);
    if (index.num_elements() != 1) return done(InvalidArgument("branch_index must be a scalar, got ", index));
    const auto branch = static_cast<int64_t>(index.data<int32_t>()[0]);
    const bool is_one = branch >= 0 && branch < std::ssize(branches_);
    CallForOutputs(is_one ? *branches_[static_cast<size_t>(branch)] : *branches_.back(), context, 1, std::move(done));
  }

 private:
  std::vector<std::unique_ptr<CalledFunction>> branches_;  // one at least, as the signature says
};

Status ToBoolKernel(KernelContext& context) {
  HR_ASSIGN_OR_RETURN(const bool value, ToCondition(context.input(0)));
  return context.SetOutput(0, Tensor::Scalar(value));
}

Status FakeParamShape(ShapeContext& c) { return c.SetOutput(0, c.attr<PartialShape>("shape")); }

class FakeParamKernel final : public Kernel {
 public:
  static Result<std::unique_ptr<Kernel>> Create(KernelConstruction& c) {
    const auto shape = c.attr<PartialShape>("shape");
    std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
    if (!shape.IsFullyKnown()) std::ranges::replace(dims, PartialShape::kUnknownDim, int64_t{0});
    if (!shape.has_rank()) dims = {0};
    HR_ASSIGN_OR_RETURN(const Shape known, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor value, Tensor::Allocate(c.attr<DType>("dtype"), known));
    if (IsPlainData(value.dtype())) std::memset(value.mutable_raw(), 0, static_cast<size_t>(value.size_bytes()));
    return std::unique_ptr<Kernel>(std::make_unique<FakeParamKernel>(std::move(value)));
  }
  explicit FakeParamKernel(Tensor value) : value_(std::move(value)) {}
  Status Compute(KernelContext& context) override { return context.SetOutput(0, value_); }

 private:
  const Tensor value_;
};

OpDefinition FunctionOp(std::string_view signature, KernelFactory kernel) {
  return OpDefinition(signature)
      .Shape(OutputShapesAttr)
      .NoGradient(kFunctionGradient)
      .Kernels(AnyType(std::move(kernel)));
}

}  // namespace

std::vector<OpDefinition> CallOps() {
  std::vector<OpDefinition> ops;
  for (const auto& [prefix, stateful] : {std::pair("", ""), std::pair("Stateful", " | stateful")}) {
    ops.push_back(FunctionOp(StrCat(prefix,
                                    "PartitionedCall(args: list(Tin)) -> (output: list(Tout)) | Tin: list(type) >= 0 | "
                                    "Tout: list(type) >= 0 | f: func | config: string = '' | "
                                    "config_proto: string = '' | executor_type: string = ''",
                                    stateful),
                             ClassKernel<CallKernel>()));
  }
  for (const auto& [prefix, stateful] : {std::pair("", " | stateful"), std::pair("Stateless", "")}) {
    ops.push_back(FunctionOp(
        StrCat(prefix,
               "If(cond: Tcond, input: list(Tin)) -> (output: list(Tout)) | Tcond: type | Tin: list(type) >= 0 | "
               "Tout: list(type) >= 0 | then_branch: func | else_branch: func | output_shapes: list(shape) = []",
               stateful),
        ClassKernel<IfKernel>()));
    ops.push_back(
        FunctionOp(StrCat(prefix,
                          "Case(branch_index: i32, input: list(Tin)) -> (output: list(Tout)) | Tin: list(type) >= 0 | "
                          "Tout: list(type) >= 0 | branches: list(func) >= 1 | output_shapes: list(shape) = []",
                          stateful),
                   ClassKernel<CaseKernel>()));
  }
  ops.push_back(OpDefinition("ToBool(input: T) -> (output: bool) | T: type")
                    .Shape(ScalarShape)
                    .NoGradient("not differentiable: a decision")
                    .Kernels(AnyType(FunctionKernel(ToBoolKernel), /*cheap=*/true)));
  ops.push_back(OpDefinition("FakeParam() -> (output: dtype) | dtype: type | shape: shape")
                    .Shape(FakeParamShape)
                    .NoGradient("no inputs")
                    .Kernels(AnyType(ClassKernel<FakeParamKernel>(), /*cheap=*/true)));
  return ops;
}

}  // namespace headrace
