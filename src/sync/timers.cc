#include "sync/timers.h"

#include <algorithm>
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
    due_.emplace(std::pair(when, id), std::move(callback));
    times_.emplace(id, when);
    if (when < wakes_at_) wake_.notify_all();
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
      const TimePoint now = RealClock().Now();
      if (due_.empty() || now < due_.begin()->first.first) {
        Sleep(lock, now);
        continue;
      }
      const auto next = due_.begin();
      std::function<void()> callback = std::move(next->second);
      times_.erase(next->first.second);
      due_.erase(next);
      lock.unlock();
      callback();
      callback = nullptr;
      lock.lock();
    }
  }

  /// Waits for the next time, or one that was the next and is cancelled now: where each step has a deadline, most are cancelled,
  /// and waking the thread for each of them would cost more than waking once in vain.
  void Sleep(std::unique_lock<std::mutex>& lock, TimePoint now) {
    const TimePoint next = due_.empty() ? kNever : due_.begin()->first.first;
    wakes_at_ = wakes_at_ > now ? std::min(wakes_at_, next) : next;
    if (wakes_at_ == kNever) {
      wake_.wait(lock);
    } else {
      wake_.wait_until(lock, wakes_at_);
    }
  }

  static constexpr TimePoint kNever = TimePoint::max();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::pair<TimePoint, uint64_t>, std::function<void()>> due_;  // guarded by mutex_, as are the rest
  std::map<uint64_t, TimePoint> times_;
  uint64_t last_id_ = 0;
  TimePoint wakes_at_ = kNever;
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
