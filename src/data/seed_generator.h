// SeedGenerator: the seeds of a shuffle's epochs, as TensorFlow's seed generators give them.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "kernel/philox.h"
#include "kernel/resource.h"
#include "os/clock.h"

namespace headrace {

struct Seeds {
  uint64_t seed;
  uint64_t seed2;

  /// Seeds as an op has them: both zero means unpredictable.
  static Seeds FromOp(int64_t seed, int64_t seed2) {
    if (seed == 0 && seed2 == 0) return {RandomBits(), RandomBits()};
    return {static_cast<uint64_t>(seed), static_cast<uint64_t>(seed2)};
  }
};

/// Thread-safe. Belongs to one dataset, or is a resource that datasets share.
class HR_EXPORT SeedGenerator final : public Resource {
 public:
  /// With `reshuffle` each call of Next gives other seeds, drawn from these; without, these.
  SeedGenerator(Seeds seeds, bool reshuffle)
      : seeds_(seeds), reshuffle_(reshuffle), epoch_seeds_(seeds.seed, seeds.seed2) {}
  Seeds Next() {
    if (!reshuffle_) return seeds_;
    std::lock_guard lock(mutex_);
    const uint64_t seed = epoch_seeds_.Next();
    return {seed, epoch_seeds_.Next()};
  }
  std::string DebugString() const override { return "SeedGenerator"; }

 private:
  const Seeds seeds_;
  const bool reshuffle_;
  std::mutex mutex_;
  PhiloxWords epoch_seeds_;  // guarded by mutex_
};

}  // namespace headrace
