// Timers: callbacks at given times, for deadlines and periodic work.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "os/clock.h"

namespace headrace {

/// Thread-safe.
class HR_EXPORT Timers {
 public:
  virtual ~Timers() = default;
  /// Runs `callback` once at `when` or soon after, on the timers' own thread, which it must not block. Returns an id, never 0.
  virtual uint64_t At(TimePoint when, std::function<void()> callback) = 0;
  /// Returns false when the callback has run or runs now (it does not wait for its end).
  virtual bool Cancel(uint64_t id) = 0;
};

/// Timers on one thread of their own; callbacks that are not due when they are destroyed do not run.
HR_EXPORT std::unique_ptr<Timers> MakeTimers();

/// The process's; made at first use and never ended.
HR_EXPORT Timers& SharedTimers();

}  // namespace headrace
