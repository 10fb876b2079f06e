#include "session/session_step.h"

#include <atomic>
#include <chrono>
#include <mutex>

#include "sync/timers.h"

namespace headrace {

namespace {

constexpr std::chrono::seconds kForRootCause(1);

std::vector<Tensor> InCallersOrder(const std::vector<size_t>& order, const std::vector<Tensor>& tensors) {
  std::vector<Tensor> ordered;
  ordered.reserve(order.size());
  for (const size_t index : order) ordered.push_back(tensors[index]);
  return ordered;
}

void BindArgs(const StepBinding& binding, std::span<const Tensor* const> feeds, std::vector<Tensor>* args) {
  for (size_t i = 0; i < feeds.size(); ++i) {
    if (binding.local_args[i] >= 0) (*args)[static_cast<size_t>(binding.local_args[i])] = *feeds[i];
  }
}

/// A step of a local plan that nobody waits for.
struct LocalStep {
  std::shared_ptr<const StepBinding> binding;
  std::shared_ptr<ActiveStep> active;
  std::vector<Tensor> args;
  std::vector<Tensor> results;
  StepContext context;
  StepDone done;

  static void Start(std::shared_ptr<const StepBinding> binding, const std::vector<Tensor>& feeds, int64_t step_id,
                    std::shared_ptr<ActiveStep> active, StepDone done) {
    auto step = std::make_shared<LocalStep>();
    const StepPlan& plan = *binding->prepared->local_plan();
    step->binding = std::move(binding);
    step->active = std::move(active);
    step->args.resize(plan.feeds().size());
    step->results.resize(plan.fetches().size());
    step->context = plan.NewContext();
    step->context.step_id = step_id;
    step->context.cancellation = &step->active->cancellation();
    step->context.results = step->results;
    step->done = std::move(done);
    std::vector<const Tensor*> pointers;
    for (const Tensor& feed : feeds) pointers.push_back(&feed);
    BindArgs(*step->binding, pointers, &step->args);
    step->context.args = step->args;
    plan.Run(&step->context, [step](const Status& status) { step->Finish(status); });
  }
  void Finish(const Status& status) {
    std::vector<Tensor> fetches;
    if (status.ok()) fetches = InCallersOrder(binding->local_results, results);
    active->Unfollow();
    done(status, std::move(fetches));
  }
};

/// A step over the workers of its parts; also a traced one of a single plan. Kept by the callbacks of the calls.
class DistributedStep : public std::enable_shared_from_this<DistributedStep> {
 public:
  DistributedStep(std::shared_ptr<const StepBinding> binding, int64_t step_id, std::shared_ptr<ActiveStep> active,
                  std::shared_ptr<ActiveSteps> active_steps, std::shared_ptr<StepTrace> trace, StepDone done)
      : binding_(std::move(binding)),
        prepared_(*binding_->prepared),
        step_id_(step_id),
        active_(std::move(active)),
        active_steps_(std::move(active_steps)),
        trace_(std::move(trace)),
        done_(std::move(done)),
        fetched_(prepared_.signature().fetches.size()),
        num_running_(prepared_.parts().size()) {}

  void Start(const std::vector<Tensor>& feeds, const std::string& session_handle) {
    std::vector<const Tensor*> by_signature(prepared_.signature().feeds.size());
    for (size_t i = 0; i < feeds.size(); ++i) by_signature[binding_->feeds[i]] = &feeds[i];
    for (const PreparedPart& part : prepared_.parts()) {
      RunGraphRequest request{
          .session_handle = session_handle, .graph_handle = part.graph_handle, .step_id = step_id_, .trace = trace_};
      for (const PreparedEnd& feed : part.feeds) request.feeds.push_back({feed.key, *by_signature[feed.index]});
      for (const PreparedEnd& fetch : part.fetches) request.fetch_keys.push_back(fetch.key);
      part.worker->RunGraph(std::move(request), &active_->cancellation(),
                            [self = shared_from_this(), &part](const Status& status, std::vector<Tensor> fetches) {
                              self->PartEnded(part, status, std::move(fetches));
                            });
    }
  }

 private:
  void PartEnded(const PreparedPart& part, const Status& status, std::vector<Tensor> fetches) {
    if (status.ok()) {
      for (size_t i = 0; i < fetches.size() && i < part.fetches.size(); ++i) {
        fetched_[part.fetches[i].index] = std::move(fetches[i]);
      }
    } else {
      PartFailed(part, status);
    }
    if (num_running_.fetch_sub(1) > 1) return;
    CleanupStep(prepared_, step_id_, active_steps_);
    active_->Unfollow();
    const Status outcome = OutcomeOf(status_, *active_);
    done_(outcome, outcome.ok() ? InCallersOrder(binding_->fetches, fetched_) : std::vector<Tensor>());
  }

  void PartFailed(const PreparedPart& part, const Status& status) {
    CancellationToken& token = active_->cancellation();
    const Status reason = token.status();
    // What fails after the step was cancelled from outside follows from that, whatever the peer says; after an error of another
    // part only the cancelled calls do.
    const bool is_derived = !reason.ok() && (!reason.derived() || status.code() == Code::kCancelled);
    const Status reported = is_derived ? status.AsDerived() : status;
    const Status named = prepared_.local_plan() != nullptr ? reported : WithTaskName(reported, part.task);
    {
      std::lock_guard lock(mutex_);
      KeepRootCause(&status_, named);
    }
    if (named.derived() && reason.ok()) return AwaitRootCause(named);
    token.Cancel(named.AsDerived());
  }

  /// The part whose failure this one follows from is about to report it; cancelling it now could lose its reason on the way.
  void AwaitRootCause(const Status& consequence) {
    SharedTimers().At(RealClock().Now() + kForRootCause, [weak = weak_from_this(), consequence] {
      if (const auto self = weak.lock()) self->active_->cancellation().Cancel(consequence);
    });
  }

  const std::shared_ptr<const StepBinding> binding_;
  const PreparedGraph& prepared_;
  const int64_t step_id_;
  const std::shared_ptr<ActiveStep> active_;
  const std::shared_ptr<ActiveSteps> active_steps_;
  const std::shared_ptr<StepTrace> trace_;
  const StepDone done_;
  std::vector<Tensor> fetched_;  // by index in the signature; each written by one part
  std::atomic<size_t> num_running_;
  std::mutex mutex_;
  Status status_;  // guarded by mutex_
};

}  // namespace

StepBinding::StepBinding(std::shared_ptr<const PreparedGraph> graph, const SignatureOrder& order)
    : prepared(std::move(graph)), feeds(order.feeds), fetches(order.fetches) {
  if (prepared->local_plan() == nullptr) return;
  for (const size_t feed : feeds) local_args.push_back(prepared->local_feeds()[feed]);
  for (const size_t fetch : fetches) local_results.push_back(static_cast<size_t>(prepared->local_fetches()[fetch]));
}

Status CheckFeedShape(const PreparedGraph& prepared, size_t index, const Tensor& value) {
  const PartialShape& expected = prepared.feed_shapes()[index];
  const Shape& actual = value.shape();
  bool fits = !expected.has_rank() || expected.rank() == actual.rank();
  for (int dim = 0; fits && dim < expected.rank(); ++dim) {
    fits = expected.dim(dim) == PartialShape::kUnknownDim || expected.dim(dim) == actual.dim(dim);
  }
  if (fits) return OkStatus();
  return InvalidArgument("Cannot feed value of shape ", actual, " for Tensor '", prepared.signature().feeds[index],
                         "', which has shape ", expected);
}

Status CheckFeedShapes(const StepBinding& binding, std::span<const Tensor* const> feeds) {
  for (size_t i = 0; i < feeds.size(); ++i) {
    HR_RETURN_IF_ERROR(CheckFeedShape(*binding.prepared, binding.feeds[i], *feeds[i]));
  }
  return OkStatus();
}

Result<std::vector<Tensor>> RunLocalStep(const StepBinding& binding, std::span<const Tensor* const> feeds,
                                         int64_t step_id, ActiveStep* active) {
  const StepPlan& plan = *binding.prepared->local_plan();
  std::vector<Tensor> args(plan.feeds().size());
  std::vector<Tensor> results(plan.fetches().size());
  BindArgs(binding, feeds, &args);
  StepContext context = plan.NewContext();
  context.step_id = step_id;
  context.cancellation = &active->cancellation();
  context.args = args;
  context.results = results;
  HR_RETURN_IF_ERROR(plan.RunAndWait(&context));
  return InCallersOrder(binding.local_results, results);
}

void StartStep(std::shared_ptr<const StepBinding> binding, std::vector<Tensor> feeds, int64_t step_id,
               const std::string& session_handle, std::shared_ptr<ActiveStep> active,
               std::shared_ptr<ActiveSteps> active_steps, std::shared_ptr<StepTrace> trace, StepDone done) {
  if (binding->prepared->local_plan() != nullptr && trace == nullptr) {
    return LocalStep::Start(std::move(binding), feeds, step_id, std::move(active), std::move(done));
  }
  std::make_shared<DistributedStep>(std::move(binding), step_id, std::move(active), std::move(active_steps),
                                    std::move(trace), std::move(done))
      ->Start(feeds, session_handle);
}

void CleanupStep(const PreparedGraph& prepared, int64_t step_id, const std::shared_ptr<ActiveSteps>& active_steps) {
  for (const PreparedPart& part : prepared.parts()) {
    active_steps->AddPending();
    part.worker->CleanupGraph(step_id, [active_steps](const Status&) { active_steps->RemovePending(); });
  }
}

Status WithTaskName(const Status& status, const std::string& task) {
  const Status named(status.code(), StrCat("From ", task, ":\n", status.message()));
  return status.derived() ? named.AsDerived() : named;
}

Status OutcomeOf(const Status& status, ActiveStep& active) {
  const Status reason = active.cancellation().status();
  if (!status.derived() || reason.ok() || reason.derived()) return status;
  // A part that ends by the deadline says what it waited for.
  if (reason.code() == Code::kDeadlineExceeded && status.code() == reason.code())
    return Status(status.code(), status.message());
  return reason;
}

}  // namespace headrace
