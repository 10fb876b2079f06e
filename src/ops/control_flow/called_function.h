// CalledFunction: a function that a kernel calls as a part of its step. What the function-calling ops share.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "graph/shape_context.h"
#include "kernel/kernel.h"

namespace headrace {

/// Compiled at its first call, as functions may call each other in a circle. Thread-safe.
class CalledFunction {
 public:
  CalledFunction(const KernelConstruction& construction, FunctionRef function)
      : functions_(construction.functions()), function_(std::move(function)) {}

  /// Runs the function as a part of the context's step; `done` is called once, maybe before Call returns, its errors say which
  /// function they come from. Errors: also kInvalidArgument where it does not return `num_results` tensors.
  void Call(const KernelContext& context, std::vector<Tensor> args, size_t num_results, CompiledFunction::Done done);

 private:
  Result<const CompiledFunction*> Compiled(size_t num_results);

  const std::shared_ptr<FunctionRunner> functions_;
  const FunctionRef function_;
  std::atomic<const CompiledFunction*> ready_{nullptr};
  std::mutex mutex_;
  std::shared_ptr<const CompiledFunction> compiled_;  // guarded by mutex_
};

/// Takes the inputs from `first` on away.
std::vector<Tensor> TakeInputs(KernelContext& context, int first);

/// Makes the results the node's outputs.
Status SetOutputs(KernelContext& context, std::vector<Tensor> results);

/// A value as a condition, as TensorFlow has it: a scalar is true when it is not zero or empty, another tensor when it has elements.
Result<bool> ToCondition(const Tensor& value);

/// The attribute `output_shapes` where it is given. Errors: kInvalidArgument for another number of shapes than of outputs.
Status OutputShapesAttr(ShapeContext& c);

/// Why an op that calls functions has no gradient function: autodiff differentiates what it calls.
inline constexpr std::string_view kFunctionGradient = "autodiff differentiates the functions that it calls";

}  // namespace headrace
