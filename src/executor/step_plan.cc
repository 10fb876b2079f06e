#include "executor/step_plan.h"

#include "executor/step.h"
#include "sync/notification.h"

namespace headrace {

std::string KeyOfTransfer(const Node& node) {
  RendezvousKey key;
  key.edge_name = GetAttrOr<std::string>(node.attrs(), "tensor_name", "");
  key.src_device = GetAttrOr<std::string>(node.attrs(), "send_device", "");
  key.dst_device = GetAttrOr<std::string>(node.attrs(), "recv_device", "");
  key.src_incarnation = static_cast<uint64_t>(GetAttrOr<int64_t>(node.attrs(), "send_device_incarnation", 0));
  return key.ToString();
}

StepPlan::StepPlan(std::unique_ptr<const Plan> plan)
    : plan_(std::move(plan)), pool_(std::make_unique<StepPool>(*plan_)) {}
StepPlan::~StepPlan() = default;

Result<std::shared_ptr<const StepPlan>> StepPlan::Compile(std::shared_ptr<const Graph> graph,
                                                          const PlanEnvironment& environment) {
  HR_ASSIGN_OR_RETURN(std::unique_ptr<const Plan> plan, CompilePlan(std::move(graph), environment));
  return std::shared_ptr<const StepPlan>(new StepPlan(std::move(plan)));
}

const std::string& StepPlan::device() const { return plan_->environment.device; }
const std::vector<PlanEnd>& StepPlan::feeds() const { return plan_->feeds; }
const std::vector<PlanEnd>& StepPlan::fetches() const { return plan_->fetches; }
bool StepPlan::is_synchronous() const { return !plan_->has_async; }
bool StepPlan::is_stateless() const { return plan_->stateless; }

StepContext StepPlan::NewContext() const {
  const PlanEnvironment& environment = plan_->environment;
  StepContext context;
  context.device = environment.device;
  context.runtime = environment.runtime.get();
  context.resources = environment.resources.get();
  context.functions = environment.functions;
  return context;
}

void StepPlan::Run(StepContext* step, Done done, StepObserver* observer) const {
  pool_->Take()->Run(step, std::move(done), observer);
}

Status StepPlan::RunAndWait(StepContext* step) const {
  Notification finished;
  Status result;
  Run(step, [&](const Status& status) {
    result = status;
    finished.Notify();
  });
  finished.Wait();
  return result;
}

}  // namespace headrace
