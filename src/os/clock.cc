#include "os/clock.h"

#include <sys/random.h>

#include "base/check.h"

namespace headrace {

namespace {

class SystemClock final : public Clock {
 public:
  TimePoint Now() override { return std::chrono::steady_clock::now(); }
  int64_t WallMicros() override {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

Clock& RealClock() {
  static auto* clock = new SystemClock;
  return *clock;
}

uint64_t RandomBits() {
  uint64_t bits;
  HR_CHECK(getrandom(&bits, sizeof(bits), 0) == sizeof(bits));
  return bits;
}

}  // namespace headrace
