#include "sync/cancellation.h"

#include <thread>
#include <utility>

#include "base/check.h"
#include "sync/notification.h"

namespace headrace {

struct CancellationToken::Waiting {
  std::thread::id thread;
  Notification done;
};

Status CancellationToken::status() const {
  if (!IsCancelled()) return OkStatus();
  std::lock_guard lock(mutex_);
  return reason_;
}

void CancellationToken::Cancel(Status reason) {
  HR_CHECK(!reason.ok());
  std::map<uint64_t, std::function<void()>> callbacks;
  auto waiting = std::make_shared<Waiting>();
  waiting->thread = std::this_thread::get_id();
  {
    std::lock_guard lock(mutex_);
    if (IsCancelled()) return;
    reason_ = std::move(reason);
    callbacks.swap(callbacks_);
    running_ = waiting;
    cancelled_.store(true, std::memory_order_release);
  }
  for (auto& [id, callback] : callbacks) callback();
  // A callback may have led to this token's end: only what is held here is touched from now on.
  waiting->done.Notify();
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
  if (running != nullptr && running->thread != std::this_thread::get_id()) running->done.Wait();
  return false;
}

}  // namespace headrace
