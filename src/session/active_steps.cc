#include "session/active_steps.h"

#include <vector>

namespace headrace {

ActiveStep::~ActiveStep() {
  Unfollow();
  owner_->Remove(this);
}

void ActiveStep::Follow(CancellationToken* outer) {
  if (outer == nullptr) return;
  outer_ = outer;
  outer_id_ = outer->OnCancel([this] { cancellation_.Cancel(outer_->status()); });
  if (outer_id_ == 0) cancellation_.Cancel(outer->status());
}

void ActiveStep::Unfollow() {
  if (outer_ == nullptr) return;
  outer_->Deregister(outer_id_);
  outer_ = nullptr;
}

Result<std::shared_ptr<ActiveStep>> ActiveSteps::Begin() {
  auto step = std::make_shared<ActiveStep>();
  step->owner_ = shared_from_this();
  step->self_ = step;
  std::lock_guard lock(mutex_);
  ++num_pending_;
  if (closed_) return FailedPrecondition("Session has been closed.");
  step->next_ = first_;
  if (first_ != nullptr) first_->previous_ = step.get();
  first_ = step.get();
  return step;
}

void ActiveSteps::Remove(ActiveStep* step) {
  std::lock_guard lock(mutex_);
  if (step->previous_ != nullptr) step->previous_->next_ = step->next_;
  if (step->next_ != nullptr) step->next_->previous_ = step->previous_;
  if (first_ == step) first_ = step->next_;
  RemovePendingLocked();
}

void ActiveSteps::AddPending() {
  std::lock_guard lock(mutex_);
  ++num_pending_;
}

void ActiveSteps::RemovePending() {
  std::lock_guard lock(mutex_);
  RemovePendingLocked();
}

void ActiveSteps::RemovePendingLocked() {
  if (--num_pending_ == 0 && drained_ != nullptr) drained_->Notify();
}

bool ActiveSteps::Close(const Status& reason, const std::function<void()>& let_go) {
  std::vector<std::shared_ptr<ActiveStep>> steps;
  auto drained = std::make_shared<Notification>();
  {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    closed_ = true;
    for (ActiveStep* step = first_; step != nullptr; step = step->next_) {
      if (std::shared_ptr<ActiveStep> held = step->self_.lock()) steps.push_back(std::move(held));
    }
    drained_ = drained;
    if (num_pending_ == 0) drained->Notify();
  }
  for (const auto& step : steps) step->cancellation().Cancel(reason);
  steps.clear();
  let_go();
  drained->Wait();
  return true;
}

}  // namespace headrace
