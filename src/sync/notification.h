// Notification: one event that threads can wait for.
#pragma once

#include <condition_variable>
#include <mutex>

#include "os/clock.h"

namespace headrace {

/// Thread-safe. May be destroyed once every Notify and Wait has returned.
class HR_EXPORT Notification {
 public:
  void Notify() {
    std::lock_guard lock(mutex_);
    notified_ = true;
    condition_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    condition_.wait(lock, [this] { return notified_; });
  }
  /// Returns false when `deadline` passed first.
  bool WaitUntil(TimePoint deadline) {
    std::unique_lock lock(mutex_);
    return condition_.wait_until(lock, deadline, [this] { return notified_; });
  }
  bool HasBeenNotified() const {
    std::lock_guard lock(mutex_);
    return notified_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable condition_;
  bool notified_ = false;
};

}  // namespace headrace
