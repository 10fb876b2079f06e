#include "sync/timers.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace headrace {
namespace {

class ThreadTimers final : public Timers {
 public:
  ThreadTimers() : thread_([this] { Work(); }) {}
  ~ThreadTimers() override {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  uint64_t At(TimePoint when, std::function<void()> callback) override {
    std::lock_guard lock(mutex_);
    const uint64_t id = ++last_id_;
    const auto place = due_.emplace(std::pair(when, id), std::move(callback)).first;
    times_.emplace(id, when);
    if (place == due_.begin()) wake_.notify_all();
    return id;
  }

  bool Cancel(uint64_t id) override {
    std::function<void()> dropped;  // its captures end after the lock is released
    std::lock_guard lock(mutex_);
    const auto found = times_.find(id);
    if (found == times_.end()) return false;
    const auto place = due_.find({found->second, id});
    dropped = std::move(place->second);
    due_.erase(place);
    times_.erase(found);
    return true;
  }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      if (due_.empty()) {
        wake_.wait(lock);
        continue;
      }
      const auto next = due_.begin();
      const auto [when, id] = next->first;
      if (RealClock().Now() < when) {
        wake_.wait_until(lock, when);
        continue;
      }
      std::function<void()> callback = std::move(next->second);
      due_.erase(next);
      times_.erase(id);
      lock.unlock();
      callback();
      callback = nullptr;
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::pair<TimePoint, uint64_t>, std::function<void()>> due_;  // guarded by mutex_, as are the rest
  std::map<uint64_t, TimePoint> times_;
  uint64_t last_id_ = 0;
  bool ending_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace

std::unique_ptr<Timers> MakeTimers() { return std::make_unique<ThreadTimers>(); }

Timers& SharedTimers() {
  static Timers& timers = *new ThreadTimers();
  return timers;
}

}  // namespace headrace
