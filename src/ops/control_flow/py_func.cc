// PyFunc, PyFuncStateless: calls of a function of the program that the engine is a part of, found by its token. Source:
// TensorFlow's ops of the same names.
//
// Such a function may block, on a lock of its language or on what another such function does, and may run steps of its own. So a
// call has a thread of its own (sync/caller_pool.h): on the compute pool, or on the blocking pool, which has a fixed number of
// threads, calls that wait for each other could end in a deadlock. A cancelled step does not wait for the function: its call ends
// at once, and what the function returns later is dropped.
#include <atomic>

#include "graph/shape_context.h"
#include "kernel/host_functions.h"
#include "kernel/kernel.h"
#include "ops/control_flow/control_flow_ops.h"
#include "ops/io/type_text.h"
#include "sync/caller_pool.h"

namespace headrace {

namespace {

/// One call. Whoever ends it first, the function or the step's cancellation, tells the step; then the context is gone.
class HostCall {
 public:
  HostCall(KernelContext& context, const std::string& token, AsyncKernel::Done done)
      : context_(context), token_(token), cancellation_(context.cancellation()), done_(std::move(done)) {}

  /// False when the call has ended already.
  bool ListenToCancellation(const std::shared_ptr<HostCall>& self) {
    if (cancellation_ == nullptr) return true;
    cancel_id_ = cancellation_->OnCancel([self] { self->EndCancelled(); });
    if (cancel_id_ == 0) EndCancelled();
    return cancel_id_ != 0;
  }

  void End(Result<std::vector<Tensor>> results) {
    if (ended_.exchange(true)) return;
    if (cancellation_ != nullptr) cancellation_->Deregister(cancel_id_);
    done_(results.ok() ? Give(*std::move(results)) : results.status());
  }

 private:
  void EndCancelled() {
    if (!ended_.exchange(true)) done_(cancellation_->status().AsDerived());
  }

  Status Give(std::vector<Tensor> results) {
    const size_t expected = static_cast<size_t>(context_.num_outputs());
    if (results.size() != expected) {
      return InvalidArgument(token_, " returns ", results.size(), " values, but expects to see ", expected, " values.");
    }
    for (size_t i = 0; i < expected; ++i) {
      const DType type = context_.node().output_types()[i];
      if (results[i].dtype() != type) {
        return InvalidArgument(i, "-th value returned by ", token_, " is ", TypeText(results[i].dtype()),
                               ", but expects ", TypeText(type));
      }
      HR_RETURN_IF_ERROR(context_.SetOutput(static_cast<int>(i), std::move(results[i])));
    }
    return OkStatus();
  }

  KernelContext& context_;
  const std::string token_;
  CancellationToken* const cancellation_;
  const AsyncKernel::Done done_;
  uint64_t cancel_id_ = 0;
  std::atomic<bool> ended_{false};
};

class PyFuncCpu final : public AsyncKernel {
 public:
  explicit PyFuncCpu(KernelConstruction& c) : token_(c.attr<std::string>("token")) {}

  void ComputeAsync(KernelContext& c, Done done) override {
    std::shared_ptr<const HostFunction> function = HostFunctions::Global().Find(token_);
    if (function == nullptr) {
      return done(InvalidArgument("callback ", token_, " is not found: the function of ", c.node().op(), " '",
                                  c.node().name(),
                                  "' lives in another process, the one that made the graph, and this task (",
                                  c.step().device, ") cannot call it"));
    }
    std::vector<Tensor> args;
    args.reserve(static_cast<size_t>(c.num_inputs()));
    for (int i = 0; i < c.num_inputs(); ++i) args.push_back(c.TakeInput(i));
    const auto call = std::make_shared<HostCall>(c, token_, std::move(done));
    if (!call->ListenToCancellation(call)) return;
    CallerPool().Schedule(
        [call, function, args = std::move(args)]() mutable { call->End((*function)(std::move(args))); });
  }

 private:
  const std::string token_;
};

}  // namespace

std::vector<OpDefinition> PyFuncOps() {
  std::vector<OpDefinition> ops;
  for (const bool stateful : {true, false}) {
    ops.push_back(OpDefinition(StrCat(stateful ? "PyFunc" : "PyFuncStateless",
                                      "(input: list(Tin)) -> (output: list(Tout)) | token: string | Tin: list(type) >= "
                                      "0 | Tout: list(type) >= 0",
                                      stateful ? " | stateful" : ""))
                      .Shape(UnknownShape)
                      .NoGradient("a function that the engine does not know")
                      .Kernels(AnyType(ClassKernel<PyFuncCpu>())));
  }
  return ops;
}

}  // namespace headrace
