#include "session/graph_session.h"

#include <atomic>
#include <map>
#include <mutex>

#include "session/active_steps.h"
#include "session/partial_runs.h"
#include "session/prepared_graphs.h"
#include "session/session_step.h"
#include "session/session_tasks.h"
#include "sync/timers.h"

namespace headrace {

namespace {

constexpr auto kCloseTimeout = std::chrono::seconds(10);
constexpr uint64_t kStepIdMask = (uint64_t{1} << 56) - 1;  // the upper bits of a step id are reserved, as in TensorFlow

/// The end of a step that somebody waits for.
struct WaitedStep {
  Notification finished;
  Status status;
  std::vector<Tensor> fetches;
};

/// Cancels the step when its time is over; zero or less means never.
class StepTimeout {
 public:
  StepTimeout(int64_t timeout_ms, Clock& clock, const std::shared_ptr<ActiveStep>& step) {
    if (timeout_ms <= 0) return;
    timer_ = SharedTimers().At(clock.Now() + std::chrono::milliseconds(timeout_ms), [step, timeout_ms] {
      step->cancellation().Cancel(DeadlineExceeded("The step did not end within ", timeout_ms, " ms"));
    });
  }
  ~StepTimeout() {
    if (timer_ != 0) SharedTimers().Cancel(timer_);
  }
  StepTimeout(const StepTimeout&) = delete;
  StepTimeout& operator=(const StepTimeout&) = delete;

 private:
  uint64_t timer_ = 0;
};

class GraphSessionImpl final : public GraphSession {
 public:
  GraphSessionImpl(GraphSessionOptions options, std::shared_ptr<const SessionTasks> tasks, std::string handle)
      : options_(std::move(options)),
        tasks_(std::move(tasks)),
        handle_(std::move(handle)),
        graphs_(options_, tasks_, handle_),
        active_steps_(std::make_shared<ActiveSteps>()),
        next_step_id_(RandomBits()) {}
  ~GraphSessionImpl() override { (void)Close(); }

  const std::string& handle() const override { return handle_; }
  std::vector<DeviceAttributes> ListDevices() const override { return tasks_->Devices(); }

  Status Extend(const GraphDef& graph) override {
    if (active_steps_->closed()) return FailedPrecondition("Session has been closed.");
    return graphs_.Extend(graph);
  }

  Result<std::vector<Tensor>> Run(const std::vector<NamedTensor>& feeds, const std::vector<std::string>& fetches,
                                  const std::vector<std::string>& targets, const RunOptions& options,
                                  CancellationToken* cancellation) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<ActiveStep> active, active_steps_->Begin());
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const StepBinding> binding, graphs_.Find(feeds, fetches, targets));
    std::vector<const Tensor*> pointers;
    pointers.reserve(feeds.size());
    for (const NamedTensor& feed : feeds) pointers.push_back(&feed.tensor);
    return RunBinding(std::move(binding), pointers, options, cancellation, active);
  }

  void RunAsync(std::vector<NamedTensor> feeds, const std::vector<std::string>& fetches,
                const std::vector<std::string>& targets, CancellationToken* cancellation, RunDone done,
                std::shared_ptr<StepTrace> trace) override {
    Result<std::shared_ptr<ActiveStep>> active = active_steps_->Begin();
    if (!active.ok()) return done(active.status(), {});
    Result<std::shared_ptr<const StepBinding>> binding = graphs_.Find(feeds, fetches, targets);
    if (!binding.ok()) return done(binding.status(), {});
    std::vector<Tensor> values;
    for (NamedTensor& feed : feeds) values.push_back(std::move(feed.tensor));
    if (const Status status = CheckFeedShapes(**binding, Pointers(values)); !status.ok()) return done(status, {});
    StartBinding(*std::move(binding), std::move(values), cancellation, *std::move(active), std::move(trace),
                 std::move(done));
  }

  Result<int64_t> MakeCallable(const CallableSpec& spec) override {
    if (active_steps_->closed()) return FailedPrecondition("Session has been closed.");
    HR_ASSIGN_OR_RETURN(std::shared_ptr<const StepBinding> binding,
                        graphs_.Find(spec.feeds, spec.fetches, spec.targets));
    std::lock_guard lock(callables_mutex_);
    const int64_t id = next_callable_++;
    callables_.emplace(id, Callable{std::move(binding), spec.options});
    return id;
  }

  Result<std::vector<Tensor>> RunCallable(int64_t callable, std::span<const Tensor> feeds,
                                          CancellationToken* cancellation) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<ActiveStep> active, active_steps_->Begin());
    HR_ASSIGN_OR_RETURN(Callable found, FindCallable(callable, feeds.size()));
    return RunBinding(std::move(found.binding), Pointers(feeds), found.options, cancellation, active);
  }

  void RunCallableAsync(int64_t callable, std::vector<Tensor> feeds, CancellationToken* cancellation,
                        RunDone done) override {
    Result<std::shared_ptr<ActiveStep>> active = active_steps_->Begin();
    if (!active.ok()) return done(active.status(), {});
    Result<Callable> found = FindCallable(callable, feeds.size());
    if (!found.ok()) return done(found.status(), {});
    if (const Status status = CheckFeedShapes(*found->binding, Pointers(feeds)); !status.ok()) return done(status, {});
    StartBinding(std::move(found->binding), std::move(feeds), cancellation, *std::move(active), nullptr,
                 std::move(done));
  }

  Status ReleaseCallable(int64_t callable) override {
    std::lock_guard lock(callables_mutex_);
    if (callables_.erase(callable) == 0) return InvalidArgument("No such callable handle: ", callable);
    return OkStatus();
  }

  Result<std::string> PartialRunSetup(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches,
                                      const std::vector<std::string>& targets) override {
    HR_ASSIGN_OR_RETURN(std::shared_ptr<ActiveStep> active, active_steps_->Begin());
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<const StepBinding> binding, graphs_.Find(feeds, fetches, targets));
    HR_ASSIGN_OR_RETURN(Graph pruned, PruneForClient(*graphs_.graph(), binding->prepared->signature(), *tasks_));
    auto run = std::make_shared<headrace::PartialRun>(binding->prepared, std::move(pruned), NextStepId(), handle_,
                                                      std::move(active), active_steps_);
    std::string partial_run = partial_runs_.Add(std::move(run));
    if (active_steps_->closed()) {  // Close may have looked before the run was there
      partial_runs_.Remove(partial_run);
      return FailedPrecondition("Session has been closed.");
    }
    return partial_run;
  }

  Result<std::vector<Tensor>> PartialRun(const std::string& partial_run, const std::vector<NamedTensor>& feeds,
                                         const std::vector<std::string>& fetches,
                                         CancellationToken* cancellation) override {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<headrace::PartialRun> run, partial_runs_.Find(partial_run));
    bool ended = false;
    Result<std::vector<Tensor>> fetched = run->Run(feeds, fetches, cancellation, &ended);
    if (ended) partial_runs_.Remove(partial_run);
    return fetched;
  }

  Status Close() override {
    const bool was_open = active_steps_->Close(
        Cancelled("Step was cancelled by an explicit call to `Session::Close()`."), [this] { partial_runs_.Clear(); });
    if (was_open) tasks_->Close(handle_, options_.runtime->clock->Now() + kCloseTimeout);
    return OkStatus();
  }

 private:
  struct Callable {
    std::shared_ptr<const StepBinding> binding;
    RunOptions options;
  };

  int64_t NextStepId() {
    return static_cast<int64_t>(next_step_id_.fetch_add(1, std::memory_order_relaxed) & kStepIdMask);
  }

  Result<Callable> FindCallable(int64_t callable, size_t num_feeds) {
    std::lock_guard lock(callables_mutex_);
    const auto found = callables_.find(callable);
    if (found == callables_.end()) return InvalidArgument("No such callable handle: ", callable);
    if (found->second.binding->feeds.size() != num_feeds) {
      return InvalidArgument("Expected ", found->second.binding->feeds.size(), " feed tensors, but got ", num_feeds);
    }
    return found->second;
  }

  Result<std::vector<Tensor>> RunBinding(std::shared_ptr<const StepBinding> binding,
                                         std::span<const Tensor* const> feeds, const RunOptions& options,
                                         CancellationToken* cancellation, const std::shared_ptr<ActiveStep>& active) {
    HR_RETURN_IF_ERROR(CheckFeedShapes(*binding, feeds));
    const int64_t timeout_ms = options.timeout_ms > 0 ? options.timeout_ms : options_.operation_timeout_ms;
    const StepTimeout timeout(timeout_ms, *options_.runtime->clock, active);
    if (binding->prepared->local_plan() != nullptr && options.trace == nullptr) {
      active->Follow(cancellation);
      Result<std::vector<Tensor>> fetches = RunLocalStep(*binding, feeds, NextStepId(), active.get());
      active->Unfollow();
      return fetches;
    }
    WaitedStep waited;
    StartBinding(std::move(binding), Copy(feeds), cancellation, active, options.trace,
                 [&](const Status& status, std::vector<Tensor> fetches) {
                   waited.status = status;
                   waited.fetches = std::move(fetches);
                   waited.finished.Notify();
                 });
    waited.finished.Wait();
    if (!waited.status.ok()) return waited.status;
    return std::move(waited.fetches);
  }

  void StartBinding(std::shared_ptr<const StepBinding> binding, std::vector<Tensor> feeds,
                    CancellationToken* cancellation, std::shared_ptr<ActiveStep> active,
                    std::shared_ptr<StepTrace> trace, RunDone done) {
    active->Follow(cancellation);
    StartStep(std::move(binding), std::move(feeds), NextStepId(), handle_, std::move(active), active_steps_,
              std::move(trace), std::move(done));
  }

  static std::vector<const Tensor*> Pointers(std::span<const Tensor> tensors) {
    std::vector<const Tensor*> pointers;
    pointers.reserve(tensors.size());
    for (const Tensor& tensor : tensors) pointers.push_back(&tensor);
    return pointers;
  }
  static std::vector<Tensor> Copy(std::span<const Tensor* const> tensors) {
    std::vector<Tensor> copies;
    copies.reserve(tensors.size());
    for (const Tensor* tensor : tensors) copies.push_back(*tensor);
    return copies;
  }

  const GraphSessionOptions options_;
  const std::shared_ptr<const SessionTasks> tasks_;
  const std::string handle_;
  PreparedGraphs graphs_;
  PartialRuns partial_runs_;
  const std::shared_ptr<ActiveSteps> active_steps_;
  std::atomic<uint64_t> next_step_id_;

  std::mutex callables_mutex_;
  int64_t next_callable_ = 1;              // guarded by callables_mutex_
  std::map<int64_t, Callable> callables_;  // guarded by callables_mutex_
};

}  // namespace

Result<std::shared_ptr<GraphSession>> GraphSession::Create(const GraphDef& graph, GraphSessionOptions options) {
  const std::string handle = Hex16(RandomBits());
  HR_ASSIGN_OR_RETURN(std::shared_ptr<const SessionTasks> tasks, SessionTasks::Open(options, handle));
  auto session = std::make_shared<GraphSessionImpl>(std::move(options), std::move(tasks), handle);
  HR_RETURN_IF_ERROR(session->Extend(graph));
  return std::shared_ptr<GraphSession>(std::move(session));
}

}  // namespace headrace
