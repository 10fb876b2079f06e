// CancellationToken: one for each step; it reaches kernels, RPCs, queues, dataset stages and functions.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/status.h"

namespace headrace {

/// Thread-safe. Cancelled at most once; the reason of the first call counts.
class HR_EXPORT CancellationToken {
 public:
  bool IsCancelled() const { return cancelled_.load(std::memory_order_acquire); }
  /// OK until cancelled, then the reason.
  Status status() const;
  /// Runs the registered callbacks on the calling thread. `reason` must not be OK.
  void Cancel(Status reason);
  /// Registers `callback` to run once on cancellation; returns an id for Deregister, or 0 when already cancelled (then the
  /// callback will not run).
  uint64_t OnCancel(std::function<void()> callback);
  /// After it returns, the callback neither runs nor will run. Returns false when it ran or is running elsewhere (then waits
  /// for its end, unless called from within a callback).
  bool Deregister(uint64_t id);

 private:
  struct Waiting;
  mutable std::mutex mutex_;
  std::atomic<bool> cancelled_{false};
  Status reason_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, std::function<void()>> callbacks_;
  std::shared_ptr<Waiting> running_;  // set while Cancel runs callbacks
};

}  // namespace headrace
