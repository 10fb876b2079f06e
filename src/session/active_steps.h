// ActiveSteps: the steps of a session that run, so that Close can end them and wait for them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "sync/cancellation.h"
#include "sync/notification.h"

namespace headrace {

class ActiveSteps;

/// One step. Ends with its last reference.
class ActiveStep {
 public:
  ~ActiveStep();
  /// Reaches everything that runs for the step.
  CancellationToken& cancellation() { return cancellation_; }
  /// Passes the caller's cancellation on until the step has ended. `outer` may be null.
  void Follow(CancellationToken* outer);
  void Unfollow();

 private:
  friend class ActiveSteps;
  std::shared_ptr<ActiveSteps> owner_;
  CancellationToken cancellation_;
  CancellationToken* outer_ = nullptr;
  uint64_t outer_id_ = 0;
  std::weak_ptr<ActiveStep> self_;
  ActiveStep* previous_ = nullptr;  // the list is guarded by the owner's mutex
  ActiveStep* next_ = nullptr;
};

/// Thread-safe.
class ActiveSteps : public std::enable_shared_from_this<ActiveSteps> {
 public:
  /// Errors: kFailedPrecondition after Close.
  Result<std::shared_ptr<ActiveStep>> Begin();
  /// Something else that Close waits for.
  void AddPending();
  void RemovePending();
  /// Cancels all steps with `reason`, calls `let_go` so that the owner drops what it holds of them, and waits until nothing is
  /// left. Returns false when it was closed before.
  bool Close(const Status& reason, const std::function<void()>& let_go);
  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  friend class ActiveStep;
  void Remove(ActiveStep* step);
  void RemovePendingLocked();

  mutable std::mutex mutex_;
  bool closed_ = false;  // guarded by mutex_, as is all below
  ActiveStep* first_ = nullptr;
  int num_pending_ = 0;  // steps included
  std::shared_ptr<Notification> drained_;
};

}  // namespace headrace
