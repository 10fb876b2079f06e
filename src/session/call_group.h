// CallGroup: waits for calls to several workers, which answer on any thread and in any order.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "base/status.h"
#include "sync/notification.h"

namespace headrace {

/// Thread-safe. Made with std::make_shared, so that every callback can keep it.
class CallGroup {
 public:
  explicit CallGroup(size_t num_calls) : answered_(num_calls, false), statuses_(num_calls), num_missing_(num_calls) {
    if (num_calls == 0) all_answered_.Notify();
  }

  /// Once for each call.
  void Answer(size_t call, const Status& status) {
    bool is_last;
    {
      std::lock_guard lock(mutex_);
      answered_[call] = true;
      statuses_[call] = status;
      is_last = --num_missing_ == 0;
    }
    if (is_last) all_answered_.Notify();
  }

  /// Returns false when `deadline` passed first.
  bool WaitUntil(TimePoint deadline) { return all_answered_.WaitUntil(deadline); }
  void Wait() { all_answered_.Wait(); }

  /// The calls that have not answered.
  std::vector<size_t> Missing() const {
    std::lock_guard lock(mutex_);
    std::vector<size_t> missing;
    for (size_t i = 0; i < answered_.size(); ++i) {
      if (!answered_[i]) missing.push_back(i);
    }
    return missing;
  }
  /// REQUIRES: all have answered.
  const std::vector<Status>& statuses() const { return statuses_; }
  Status RootCause() const {
    Status root;
    for (const Status& status : statuses_) KeepRootCause(&root, status);
    return root;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<bool> answered_;    // guarded by mutex_
  std::vector<Status> statuses_;  // guarded by mutex_
  size_t num_missing_;            // guarded by mutex_
  Notification all_answered_;
};

}  // namespace headrace
