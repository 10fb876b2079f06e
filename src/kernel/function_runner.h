// FunctionRunner: runs the graph functions that kernels and dataset stages call.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "graph/attr_value.h"
#include "sync/cancellation.h"
#include "tensor/tensor.h"

namespace headrace {

struct StepContext;

/// A function compiled for this runner.
class HR_EXPORT CompiledFunction {
 public:
  using Done = std::function<void(const Status& status, std::vector<Tensor> results)>;

  virtual ~CompiledFunction() = default;
  virtual const std::vector<DType>& arg_types() const = 0;
  virtual const std::vector<DType>& result_types() const = 0;
  /// True when no op of it has state: it may be skipped when its results are not needed.
  virtual bool stateless() const = 0;
  /// Runs on the calling thread (and the compute pool); `done` is called once, maybe before Run returns. Errors:
  /// kInvalidArgument for arguments that do not fit; what the function's ops report.
  virtual void Run(std::vector<Tensor> args, CancellationToken* cancellation, Done done) const = 0;
  /// The same as a part of the step that calls: under its id, with its cancellation, and on more threads where it may use them.
  virtual void RunInStep(const StepContext& caller, std::vector<Tensor> args, Done done) const;
  /// The same as Run, waiting for the end. Not on a compute thread, unless the function's ops are all synchronous.
  Result<std::vector<Tensor>> RunAndWait(std::vector<Tensor> args, CancellationToken* cancellation) const;
};

/// Thread-safe. Owns the function library it was made with and the device's state, and so outlives the session that made it for
/// as long as an iterator holds it.
class HR_EXPORT FunctionRunner {
 public:
  virtual ~FunctionRunner() = default;
  /// Compiles the function, or returns it compiled before. Errors: kNotFound, and the function's own faults.
  virtual Result<std::shared_ptr<const CompiledFunction>> Compile(const FunctionRef& function) = 0;
};

}  // namespace headrace
