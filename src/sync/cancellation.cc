#include "sync/cancellation.h"

#include <thread>
#include <utility>

#include "base/check.h"
#include "sync/notification.h"

namespace headrace {

namespace {

/// One callback that runs.
struct RunningCallback {
  explicit RunningCallback(uint64_t callback_id) : id(callback_id) {}

  const uint64_t id;
  const std::thread::id thread = std::this_thread::get_id();
  Notification done;
};

/// The threads that wait in Deregister, and for which callback. Callbacks of two tokens may each deregister the other: then one of
/// them must not wait, as it must not for a callback on its own stack.
class Waits {
 public:
  static Waits& Instance() {
    static auto* waits = new Waits;
    return *waits;
  }
  /// Waits for the end of `callback`, unless that waits for this thread.
  void Await(const std::shared_ptr<RunningCallback>& callback) {
    if (!Begin(callback)) return;
    callback->done.Wait();
    std::lock_guard lock(mutex_);
    waits_.erase(std::this_thread::get_id());
  }

 private:
  bool Begin(const std::shared_ptr<RunningCallback>& callback) {
    const std::thread::id self = std::this_thread::get_id();
    std::lock_guard lock(mutex_);
    const RunningCallback* next = callback.get();
    while (next != nullptr && !next->done.HasBeenNotified()) {
      if (next->thread == self) return false;
      const auto found = waits_.find(next->thread);
      next = found == waits_.end() ? nullptr : found->second.get();
    }
    waits_.emplace(self, callback);
    return true;
  }

  std::mutex mutex_;
  std::map<std::thread::id, std::shared_ptr<RunningCallback>> waits_;  // guarded by mutex_
};

}  // namespace

/// What a cancelled token still has to call.
struct CancellationToken::Waiting {
  std::mutex mutex;
  std::map<uint64_t, std::function<void()>> callbacks;  // not begun; guarded by mutex, as the next
  std::shared_ptr<RunningCallback> current;

  bool Next(std::function<void()>* callback) {
    std::lock_guard lock(mutex);
    current = nullptr;
    if (callbacks.empty()) return false;
    current = std::make_shared<RunningCallback>(callbacks.begin()->first);
    *callback = std::move(callbacks.begin()->second);
    callbacks.erase(callbacks.begin());
    return true;
  }
};

Status CancellationToken::status() const {
  if (!IsCancelled()) return OkStatus();
  std::lock_guard lock(mutex_);
  return reason_;
}

void CancellationToken::Cancel(Status reason) {
  HR_CHECK(!reason.ok());
  const auto waiting = std::make_shared<Waiting>();
  {
    std::lock_guard lock(mutex_);
    if (IsCancelled()) return;
    reason_ = std::move(reason);
    waiting->callbacks.swap(callbacks_);
    running_ = waiting;
    cancelled_.store(true, std::memory_order_release);
  }
  // A callback may lead to this token's end: only what is held here is touched from now on.
  std::function<void()> callback;
  while (waiting->Next(&callback)) {
    const std::shared_ptr<RunningCallback> current = waiting->current;
    callback();
    callback = nullptr;
    current->done.Notify();
  }
}

uint64_t CancellationToken::OnCancel(std::function<void()> callback) {
  std::lock_guard lock(mutex_);
  if (IsCancelled()) return 0;
  const uint64_t id = next_id_++;
  callbacks_.emplace(id, std::move(callback));
  return id;
}

bool CancellationToken::Deregister(uint64_t id) {
  if (id == 0) return false;
  std::shared_ptr<Waiting> running;
  {
    std::lock_guard lock(mutex_);
    if (callbacks_.erase(id) > 0) return true;
    running = running_;
  }
  if (running == nullptr) return false;
  std::shared_ptr<RunningCallback> current;
  {
    std::lock_guard lock(running->mutex);
    if (running->callbacks.erase(id) > 0) return true;
    current = running->current;
  }
  if (current != nullptr && current->id == id) Waits::Instance().Await(current);
  return false;
}

}  // namespace headrace
