// While, StatelessWhile: calls `body` on the loop's variables for as long as `cond` says so. An iteration costs two function calls
// and no node of the graph around it; no thread waits, and a loop that takes long leaves the thread that started it.
// Errors: those of the functions, kCancelled and the like when the step is cancelled, within an iteration. Source: TensorFlow's ops.
#include <atomic>
#include <chrono>

#include "kernel/kernel.h"
#include "ops/control_flow/called_function.h"
#include "ops/control_flow/control_flow_ops.h"

namespace headrace {
namespace {

constexpr std::chrono::microseconds kLongForTheCaller(300);

/// One loop; deletes itself at the end.
class Loop {
 public:
  Loop(KernelContext& context, CalledFunction& cond, CalledFunction& body, AsyncKernel::Done done)
      : context_(context),
        cond_(cond),
        body_(body),
        done_(std::move(done)),
        variables_(TakeInputs(context, 0)),
        num_variables_(variables_.size()),
        begin_(context.runtime().clock->Now()) {}

  /// Goes on until something waits, or the loop ends. A call that ends at once is followed by the next one here, not in its
  /// callback, so that the stack stays flat.
  void Run() {
    do {
      call_.store(Call::kUnderWay, std::memory_order_relaxed);
      StartCall();
      if (call_.exchange(Call::kLeft, std::memory_order_acq_rel) == Call::kUnderWay) return;
    } while (TakeResults());
  }

 private:
  enum class Call { kUnderWay, kLeft, kDone };  // kLeft: its callback goes on

  void StartCall() {
    const auto done = [this](const Status& status, std::vector<Tensor> results) {
      status_ = status;
      results_ = std::move(results);
      if (call_.exchange(Call::kDone, std::memory_order_acq_rel) == Call::kLeft && TakeResults()) Run();
    };
    if (is_testing_) {
      cond_.Call(context_, variables_, 1, done);
    } else {
      body_.Call(context_, std::move(variables_), num_variables_, done);
    }
  }

  /// False when the loop does not go on here.
  bool TakeResults() {
    if (!status_.ok()) return End(status_);
    CancellationToken* const cancellation = context_.cancellation();
    if (cancellation != nullptr && cancellation->IsCancelled()) return End(cancellation->status());
    if (is_testing_) {
      const Result<bool> goes_on = ToCondition(results_[0]);
      if (!goes_on.ok()) return End(goes_on.status());
      if (!*goes_on) return End(SetOutputs(context_, std::move(variables_)));
      is_testing_ = false;
      return true;
    }
    variables_ = std::move(results_);
    is_testing_ = true;
    return !LeaveThread();
  }

  /// Once, so that other nodes of the step get the thread on which it began.
  bool LeaveThread() {
    if (has_left_ || context_.step().run_inline) return false;
    if (context_.runtime().clock->Now() - begin_ < kLongForTheCaller) return false;
    has_left_ = true;
    context_.runtime().compute->Schedule([this] { Run(); });
    return true;
  }

  bool End(const Status& status) {
    const AsyncKernel::Done done = std::move(done_);
    const Status outcome = status;
    delete this;
    done(outcome);
    return false;
  }

  KernelContext& context_;
  CalledFunction& cond_;
  CalledFunction& body_;
  AsyncKernel::Done done_;
  std::vector<Tensor> variables_;
  const size_t num_variables_;
  const TimePoint begin_;
  bool is_testing_ = true;
  bool has_left_ = false;

  std::atomic<Call> call_{Call::kUnderWay};
  Status status_;                // of the last call
  std::vector<Tensor> results_;  // of the last call
};

class WhileKernel final : public AsyncKernel {
 public:
  explicit WhileKernel(KernelConstruction& c)
      : cond_(c, c.attr<FunctionRef>("cond")), body_(c, c.attr<FunctionRef>("body")) {}
  void ComputeAsync(KernelContext& context, Done done) override {
    (new Loop(context, cond_, body_, std::move(done)))->Run();
  }

 private:
  CalledFunction cond_;
  CalledFunction body_;
};

}  // namespace

std::vector<OpDefinition> WhileOps() {
  std::vector<OpDefinition> ops;
  for (const auto& [prefix, stateful] : {std::pair("", " | stateful"), std::pair("Stateless", "")}) {
    ops.push_back(OpDefinition(StrCat(prefix,
                                      "While(input: list(T)) -> (output: list(T)) | T: list(type) >= 0 | cond: func | "
                                      "body: func | output_shapes: list(shape) = [] | parallel_iterations: int = 10",
                                      stateful))
                      .Shape(OutputShapesAttr)
                      .NoGradient(kFunctionGradient)
                      .Kernels(AnyType(ClassKernel<WhileKernel>())));
  }
  return ops;
}

}  // namespace headrace
