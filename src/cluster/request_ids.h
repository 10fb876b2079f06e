// RequestIds: notices calls that arrive twice, as they do when a client repeats one whose reply was lost.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/status.h"

namespace headrace {

/// Remembers the last `capacity` ids. Thread-safe.
class RequestIds {
 public:
  explicit RequestIds(size_t capacity) : ring_(capacity, 0) {}

  /// Errors: kAborted for an id that was here before. Id 0 asks for no check.
  Status Add(int64_t id, std::string_view method);

  /// An id for a call of our own: positive, and not used before by anyone.
  static int64_t New();

 private:
  std::mutex mutex_;
  std::vector<int64_t> ring_;  // guarded by mutex_, as are the next two
  size_t next_ = 0;
  std::unordered_set<int64_t> known_;
};

}  // namespace headrace
