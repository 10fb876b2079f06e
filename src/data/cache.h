// MemoryCache: the elements of a finished run, kept for the runs that follow.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "data/dataset.h"
#include "kernel/resource.h"

namespace headrace {

/// Thread-safe. Belongs to one dataset, or is a resource that datasets share.
class HR_EXPORT MemoryCache final : public Resource {
 public:
  using Elements = std::shared_ptr<const std::vector<Element>>;

  /// Null until a run has reached its end.
  Elements Find() const {
    std::lock_guard lock(mutex_);
    return elements_;
  }
  /// Of runs that end at the same time the first counts.
  void Complete(std::vector<Element> elements) {
    auto kept = std::make_shared<const std::vector<Element>>(std::move(elements));
    std::lock_guard lock(mutex_);
    if (elements_ == nullptr) elements_ = std::move(kept);
  }
  std::string DebugString() const override { return "MemoryCache"; }

 private:
  mutable std::mutex mutex_;
  Elements elements_;  // guarded by mutex_
};

}  // namespace headrace
