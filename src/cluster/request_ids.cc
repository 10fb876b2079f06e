#include "cluster/request_ids.h"

#include <atomic>

#include "os/clock.h"

namespace headrace {

Status RequestIds::Add(int64_t id, std::string_view method) {
  if (id == 0) return OkStatus();
  std::lock_guard lock(mutex_);
  if (!known_.insert(id).second) {
    return Aborted(method, ": this request was handled before and cannot be repeated (request id ", id, ")");
  }
  int64_t& oldest = ring_[next_];
  if (oldest != 0) known_.erase(oldest);
  oldest = id;
  next_ = (next_ + 1) % ring_.size();
  return OkStatus();
}

int64_t RequestIds::New() {
  // Random numbers cost a system call each; a counter from a random start is as good.
  static std::atomic<uint64_t> next{RandomBits()};
  const auto id = static_cast<int64_t>(next.fetch_add(1, std::memory_order_relaxed) & 0x7fff'ffff'ffff'ffff);
  return id == 0 ? New() : id;
}

}  // namespace headrace
