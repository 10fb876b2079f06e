// A compiled function's kernels get a runner of their own that shares only the options: a runner that they hold, as an iterator
// does, then never holds them in turn.
#include "executor/function_runner.h"

#include <map>
#include <mutex>

#include "executor/step_plan.h"
#include "graph/import.h"

namespace headrace {

namespace {

constexpr int kMaxDepth = 64;  // of functions that compile functions

/// Tells functions with different attributes apart.
std::string InstanceKey(const FunctionRef& function) {
  std::string key = function.name;
  if (function.attrs == nullptr) return key;
  for (const auto& [name, value] : *function.attrs) key += StrCat('|', name, '=', value);
  return key;
}

/// One call; deletes itself at the end.
struct FunctionCall {
  std::shared_ptr<const StepPlan> plan;
  std::vector<Tensor> args;
  std::vector<Tensor> results;
  StepContext step;
  CompiledFunction::Done done;
};

class PlanFunction final : public CompiledFunction {
 public:
  PlanFunction(std::shared_ptr<const StepPlan> plan, FunctionBody& body, bool run_inline)
      : plan_(std::move(plan)),
        arg_types_(std::move(body.arg_types)),
        result_types_(std::move(body.result_types)),
        run_inline_(run_inline) {}

  const std::vector<DType>& arg_types() const override { return arg_types_; }
  const std::vector<DType>& result_types() const override { return result_types_; }
  bool stateless() const override { return plan_->is_stateless(); }

  void Run(std::vector<Tensor> args, CancellationToken* cancellation, Done done) const override {
    StepContext step = plan_->NewContext();
    step.cancellation = cancellation;
    step.run_inline = run_inline_;
    Start(std::move(step), std::move(args), std::move(done));
  }

  void RunInStep(const StepContext& caller, std::vector<Tensor> args, Done done) const override {
    StepContext step = plan_->NewContext();
    step.step_id = caller.step_id;
    step.cancellation = caller.cancellation;
    step.run_inline = caller.run_inline;
    Start(std::move(step), std::move(args), std::move(done));
  }

 private:
  void Start(StepContext step, std::vector<Tensor> args, Done done) const {
    if (args.size() != arg_types_.size()) {
      return done(InvalidArgument("The function takes ", arg_types_.size(), " arguments, ", args.size(), " are given"),
                  {});
    }
    auto* call = new FunctionCall{plan_, std::move(args), std::vector<Tensor>(plan_->fetches().size()), std::move(step),
                                  std::move(done)};
    call->step.args = call->args;
    call->step.owned_args = call->args;
    call->step.results = call->results;
    plan_->Run(&call->step, [call](const Status& status) {
      std::vector<Tensor> results = status.ok() ? std::move(call->results) : std::vector<Tensor>();
      const CompiledFunction::Done done = std::move(call->done);
      const std::shared_ptr<const StepPlan> plan = std::move(call->plan);  // until done is back
      delete call;  // its arguments go before the results are used
      done(status, std::move(results));
    });
  }

  const std::shared_ptr<const StepPlan> plan_;
  const std::vector<DType> arg_types_;
  const std::vector<DType> result_types_;
  const bool run_inline_;
};

class PlanFunctionRunner final : public FunctionRunner {
 public:
  PlanFunctionRunner(std::shared_ptr<const FunctionRunnerOptions> options, int depth)
      : options_(std::move(options)), depth_(depth) {}

  Result<std::shared_ptr<const CompiledFunction>> Compile(const FunctionRef& function) override {
    const std::string key = InstanceKey(function);
    {
      std::lock_guard lock(mutex_);
      const auto found = functions_.find(key);
      if (found != functions_.end()) return found->second;
    }
    // Compiled without the lock, as kernels compile functions in turn; of two at the same time the first one stays.
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompiledFunction> compiled, CompileNew(function));
    std::lock_guard lock(mutex_);
    return functions_.emplace(key, std::move(compiled)).first->second;
  }

 private:
  Result<std::shared_ptr<const CompiledFunction>> CompileNew(const FunctionRef& function) const {
    if (depth_ >= kMaxDepth)
      return InvalidArgument("Functions call each other over ", kMaxDepth, " deep, at ", function.name);
    HR_ASSIGN_OR_RETURN(FunctionBody body, InstantiateFunction(options_->library, function));
    PlanEnvironment environment;
    environment.device = options_->device;
    environment.runtime = options_->runtime;
    environment.resources = options_->resources;
    environment.functions = std::make_shared<PlanFunctionRunner>(options_, depth_ + 1);
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const StepPlan> plan,
                        StepPlan::Compile(std::make_shared<const Graph>(std::move(body.graph)), environment));
    return std::shared_ptr<const CompiledFunction>(
        std::make_shared<PlanFunction>(std::move(plan), body, options_->run_inline));
  }

  const std::shared_ptr<const FunctionRunnerOptions> options_;
  const int depth_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const CompiledFunction>> functions_;  // guarded by mutex_
};

}  // namespace

std::shared_ptr<FunctionRunner> MakeFunctionRunner(FunctionRunnerOptions options) {
  return std::make_shared<PlanFunctionRunner>(std::make_shared<const FunctionRunnerOptions>(std::move(options)), 0);
}

}  // namespace headrace
