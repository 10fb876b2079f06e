// The start and the end of a step, its errors, and the memory that steps share.
#include "executor/step.h"

namespace headrace {

namespace {

constexpr uint32_t kStepsMeasuredAtFirst = 4;
constexpr uint32_t kStepsPerMeasuredOne = 64;
constexpr size_t kMaxInterruptedNamed = 4;

Status WithNodeName(const Status& status, const Node& node) {
  if (status.message().find("{{node ") != std::string::npos) return status;
  const Status named(status.code(), StrCat(status.message(), " [[{{node ", node.name(), "}}]]"));
  return status.derived() ? named.AsDerived() : named;
}

}  // namespace

Step::Step(const Plan& plan, StepPool* pool)
    : plan_(plan), pool_(pool), root_(plan, plan.frames[0]), free_runs_(plan.frames.size()) {
  main_.outputs.resize(static_cast<size_t>(plan.max_outputs));
}

Step::~Step() = default;

void Step::Run(StepContext* context, StepPlan::Done done, StepObserver* observer) {
  context_ = context;
  done_ = std::move(done);
  const uint32_t index = plan_.num_steps.fetch_add(1, std::memory_order_relaxed);
  is_measured_ = index < kStepsMeasuredAtFirst || index % kStepsPerMeasuredOne == 0;
  root_.Reset(plan_, plan_.frames[0]);
  root_.context = context;
  num_active_.store(1, std::memory_order_relaxed);
  if (observer != nullptr) BeginObserving(observer);
  // The pool has a thread for each core. A client that works beside them makes one too many, and the kernel is slow (4 ms) to
  // spread them anew when the client waits.
  main_.leaves_costly =
      plan_.is_long.load(std::memory_order_relaxed) && !context->run_inline && !context->runtime->compute->InPool();

  Frame frame;
  const Status status = CheckContext();
  if (status.ok()) {
    BindTokens();
    BindValues();
    main_.cheap.clear();
    for (const int32_t root : plan_.roots) main_.cheap.push_back({root, &root_});
    RunLoop(&main_);
  } else {
    Fail(status, nullptr);
  }
  Leave();
}

Status Step::CheckContext() const {
  const auto& args = context_->args;
  if (args.size() < plan_.feeds.size()) {
    return InvalidArgument("Expects ", plan_.feeds.size(), " arguments, but ", args.size(), " is provided");
  }
  if (context_->results.size() < plan_.fetches.size()) {
    return Internal("A step with ", plan_.fetches.size(), " results has room for ", context_->results.size());
  }
  for (size_t i = 0; i < plan_.feeds.size(); ++i) {
    const DType expected = plan_.feeds[i].dtype;
    if (expected == DType::kInvalid || args[i].dtype() == expected) continue;
    return InvalidArgument("Expects arg[", i, "] to be ", DTypeName(expected), " but ", DTypeName(args[i].dtype()),
                           " is provided: ", plan_.feeds[i].name);
  }
  return OkStatus();
}

void Step::BindTokens() {
  if (!plan_.has_async) return;
  token_.emplace();
  parent_token_ = std::exchange(context_->cancellation, &*token_);
  if (parent_token_ == nullptr) return;
  parent_callback_ = parent_token_->OnCancel([this] { token_->Cancel(parent_token_->status()); });
  if (parent_callback_ == 0) token_->Cancel(parent_token_->status());
}

void Step::BindValues() {
  for (Tensor& result : context_->results) result = Tensor();
  const auto argument = [this](const PlanBinding& binding) -> Tensor {
    const auto index = static_cast<size_t>(binding.value_index);
    return binding.last && !context_->owned_args.empty() ? std::move(context_->owned_args[index])
                                                         : context_->args[index];
  };
  for (const PlanBinding& binding : plan_.arg_slots) {
    root_.Slot(binding.slot).tensor = argument(binding);
  }
  for (const PlanBinding& binding : plan_.arg_results) {
    context_->results[static_cast<size_t>(binding.slot)] = argument(binding);
  }
  for (const PlanBinding& binding : plan_.constant_results) {
    context_->results[static_cast<size_t>(binding.slot)] = plan_.constants[static_cast<size_t>(binding.value_index)];
  }
}

void Step::Fail(const Status& status, const PlanNode* node) {
  const Status named = node == nullptr ? status : WithNodeName(status, *node->node);
  {
    std::lock_guard lock(mutex_);
    KeepRootCause(&status_, named);
  }
  if (failed_.exchange(true)) return;
  if (token_.has_value()) token_->Cancel(named.AsDerived());
  if (context_->rendezvous != nullptr) context_->rendezvous->StartAbort(named.AsDerived());
}

void Step::NoteInterrupted(const Node* node) {
  std::lock_guard lock(mutex_);
  if (interrupted_.size() < kMaxInterruptedNamed) interrupted_.push_back(node);
}

bool Step::IsStopped() {
  if (failed_.load(std::memory_order_relaxed)) return true;
  if (context_->cancellation == nullptr || !context_->cancellation->IsCancelled()) return false;
  Fail(context_->cancellation->status(), nullptr);
  return true;
}

Status Step::CollectStatus() {
  if (failed_.load(std::memory_order_acquire)) {
    std::lock_guard lock(mutex_);
    const std::vector<const Node*> interrupted = std::exchange(interrupted_, {});
    const Status status = std::exchange(status_, OkStatus());
    if (status.code() != Code::kDeadlineExceeded || interrupted.empty()) return status;
    std::string waited_for;
    for (const Node* node : interrupted) waited_for += StrCat(waited_for.empty() ? "" : ", ", *node);
    return Status(status.code(), StrCat(status.message(), "; it waited for ", waited_for));
  }
  for (size_t i = 0; i < plan_.fetches.size(); ++i) {
    if (plan_.fetches[i].dtype != DType::kInvalid && !context_->results[i].valid()) {
      return InvalidArgument("The tensor returned for ", plan_.fetches[i].name, " was not valid.");
    }
  }
  return OkStatus();
}

void Step::Finish() {
  const Status status = CollectStatus();
  if (is_measured_) UpdateIsLong();
  if (failed_.exchange(false) || num_runs_alive_ > 0) Clear();
  if (token_.has_value()) {
    if (parent_token_ != nullptr) parent_token_->Deregister(parent_callback_);
    context_->cancellation = std::exchange(parent_token_, nullptr);
  }
  if (observer_ != nullptr) EndObserving();
  const StepPlan::Done done = std::move(done_);
  pool_->Give(this);  // from here on this may be another step
  done(status);
}

/// After a step that did not run to its end.
void Step::Clear() {
  root_.ClearSlots(plan_);
  for (InputValue& output : main_.outputs) output = InputValue();
  for (std::vector<LoopRun*>& free : free_runs_) free.clear();
  runs_.clear();
  num_runs_alive_ = 0;
}

Step* StepPool::Take() {
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      Step* step = free_.back().release();
      free_.pop_back();
      return step;
    }
  }
  return new Step(plan_, this);
}

void StepPool::Give(Step* step) {
  std::unique_ptr<Step> surplus(step);  // ends after the lock
  std::lock_guard lock(mutex_);
  if (free_.size() < kMaxKept) free_.push_back(std::move(surplus));
}

}  // namespace headrace
