// Clock and entropy: time and randomness come through these, so that a test can supply its own.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/export.h"

namespace headrace {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

class HR_EXPORT Clock {
 public:
  virtual ~Clock() = default;
  /// Never goes backwards.
  virtual TimePoint Now() = 0;
  /// Microseconds since 1970, UTC.
  virtual int64_t WallMicros() = 0;
};

HR_EXPORT Clock& RealClock();

/// 64 unpredictable bits from the system. Thread-safe.
HR_EXPORT uint64_t RandomBits();

}  // namespace headrace
