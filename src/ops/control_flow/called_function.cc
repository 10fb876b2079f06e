#include "ops/control_flow/called_function.h"

namespace headrace {

void CalledFunction::Call(const KernelContext& context, std::vector<Tensor> args, size_t num_results,
                          CompiledFunction::Done done) {
  const Result<const CompiledFunction*> function = Compiled(num_results);
  if (!function.ok()) return done(function.status(), {});
  (*function)->RunInStep(context.step(), std::move(args),
                         [this, done = std::move(done)](const Status& status, std::vector<Tensor> results) {
                           if (status.ok()) return done(status, std::move(results));
                           done(status.WithFrame(StrCat("in function '", function_.name, "'")), {});
                         });
}

Result<const CompiledFunction*> CalledFunction::Compiled(size_t num_results) {
  if (const CompiledFunction* ready = ready_.load(std::memory_order_acquire)) return ready;
  if (functions_ == nullptr) return FailedPrecondition("There is no function library for '", function_.name, "'");
  std::lock_guard lock(mutex_);
  if (compiled_ == nullptr) {
    Result<std::shared_ptr<const CompiledFunction>> compiled = functions_->Compile(function_);
    if (!compiled.ok()) return compiled.status();
    if ((*compiled)->result_types().size() != num_results) {
      return InvalidArgument("Function '", function_.name, "' returns ", (*compiled)->result_types().size(),
                             " tensors, ", num_results, " are expected");
    }
    compiled_ = *std::move(compiled);
    ready_.store(compiled_.get(), std::memory_order_release);
  }
  return compiled_.get();
}

std::vector<Tensor> TakeInputs(KernelContext& context, int first) {
  std::vector<Tensor> inputs;
  inputs.reserve(static_cast<size_t>(context.num_inputs() - first));
  for (int i = first; i < context.num_inputs(); ++i) inputs.push_back(context.TakeInput(i));
  return inputs;
}

Status SetOutputs(KernelContext& context, std::vector<Tensor> results) {
  for (size_t i = 0; i < results.size(); ++i) {
    HR_RETURN_IF_ERROR(context.SetOutput(static_cast<int>(i), std::move(results[i])));
  }
  return OkStatus();
}

Result<bool> ToCondition(const Tensor& value) {
  if (value.rank() > 0) return value.num_elements() > 0;
  bool is_true = false;
  HR_RETURN_IF_ERROR((ForDType<bool, float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                               uint64_t, std::string>(value.dtype(), "A condition", [&]<typename T>() {
    is_true = value.scalar<T>() != T();
    return OkStatus();
  })));
  return is_true;
}

Status OutputShapesAttr(ShapeContext& c) {
  std::vector<PartialShape> shapes = c.attr<std::vector<PartialShape>>("output_shapes");
  if (shapes.empty()) return OkStatus();
  if (std::ssize(shapes) != c.num_outputs()) {
    return InvalidArgument(c.node().op(), ": output_shapes has ", shapes.size(), " shapes, there are ", c.num_outputs(),
                           " outputs");
  }
  for (int i = 0; i < c.num_outputs(); ++i) {
    HR_RETURN_IF_ERROR(c.SetOutput(i, std::move(shapes[static_cast<size_t>(i)])));
  }
  return OkStatus();
}

}  // namespace headrace
