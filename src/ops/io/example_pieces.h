// A batch of serialized examples, parsed piece by piece by whatever threads there are.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "kernel/kernel.h"

namespace headrace {

/// A dataset's functions keep to their caller's thread, but a batch of Examples is worth the pool all the same.
inline void ForAllExamples(const KernelContext& c, int64_t num_examples, double example_ns,
                           const std::function<void(int64_t, int64_t)>& body) {
  const StepContext& step = c.step();
  if (!step.run_inline || step.runtime == nullptr) return c.ParallelFor(num_examples, example_ns, body);
  step.runtime->compute->ParallelFor(num_examples, example_ns, body);
}

/// Returns the pieces by their first example. `make(begin, end)` gives a piece, its Parse(&bad) stops at the first bad example
/// and tells which; of several the first is reported.
template <typename Piece, typename Make>
Result<std::map<int64_t, Piece>> ParsePieces(const KernelContext& c, std::span<const std::string> serialized,
                                             const Make& make) {
  double total_bytes = 0;
  for (const std::string& example : serialized) total_bytes += static_cast<double>(example.size());
  const auto num_examples = std::ssize(serialized);
  const double example_ns = 100 + 2 * total_bytes / static_cast<double>(std::max<int64_t>(num_examples, 1));

  std::mutex mutex;
  std::map<int64_t, Piece> pieces;
  int64_t first_bad = num_examples;
  Status kept;
  ForAllExamples(c, num_examples, example_ns, [&](int64_t begin, int64_t end) {
    Piece piece = make(begin, end);
    int64_t bad = begin;
    Status status = piece.Parse(&bad);
    std::lock_guard lock(mutex);
    if (!status.ok() && bad < first_bad) {
      first_bad = bad;
      kept = std::move(status);
    }
    pieces.emplace(begin, std::move(piece));
  });
  HR_RETURN_IF_ERROR(kept);
  return pieces;
}

}  // namespace headrace
