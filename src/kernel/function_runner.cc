#include "kernel/function_runner.h"

#include "kernel/kernel.h"
#include "sync/notification.h"

namespace headrace {

void CompiledFunction::RunInStep(const StepContext& caller, std::vector<Tensor> args, Done done) const {
  Run(std::move(args), caller.cancellation, std::move(done));
}

Result<std::vector<Tensor>> CompiledFunction::RunAndWait(std::vector<Tensor> args,
                                                         CancellationToken* cancellation) const {
  Notification finished;
  Status status;
  std::vector<Tensor> results;
  Run(std::move(args), cancellation, [&](const Status& outcome, std::vector<Tensor> values) {
    status = outcome;
    results = std::move(values);
    finished.Notify();
  });
  finished.Wait();
  if (!status.ok()) return status;
  return results;
}

}  // namespace headrace
