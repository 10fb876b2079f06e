// Single numbers from a Philox stream, with TensorFlow's bits.
#pragma once

#include "kernel/philox.h"
#include "ops/random/distributions.h"

namespace headrace {

inline uint64_t DrawWord(PhiloxWords& words) {
  const uint64_t low = words.Next();
  return uint64_t{words.Next()} << 32 | low;
}
/// Uniform in [0, 1).
inline double DrawUnit(PhiloxWords& words) {
  const uint32_t high = words.Next();
  return UnitDouble(high, words.Next());
}
/// Uniform in [0, n), without the bias of a plain remainder: words below 2^64 mod n are drawn again. REQUIRES: n > 0.
inline uint64_t DrawBelow(PhiloxWords& words, uint64_t n) {
  if ((n & (n - 1)) == 0) return DrawWord(words) & (n - 1);
  const uint64_t least = ~uint64_t{0} % n + 1;
  while (true) {
    if (const uint64_t word = DrawWord(words); word >= least) return word % n;
  }
}

}  // namespace headrace
