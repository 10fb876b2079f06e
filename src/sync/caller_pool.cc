#include "sync/caller_pool.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace headrace {

namespace {

class GrowingPool final : public ThreadPool {
 public:
  void Schedule(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    tasks_.push_back(std::move(task));
    if (num_idle_ >= static_cast<int>(tasks_.size())) return wake_.notify_one();
    try {
      std::thread([this] { Work(); }).detach();
      ++num_threads_;
    } catch (const std::system_error&) {  // no more threads: those that are there take it when they can
      if (num_threads_ > 0) return;
      task = std::move(tasks_.back());
      tasks_.pop_back();
      lock.unlock();
      task();
    }
  }
  int num_threads() const override {
    std::lock_guard lock(mutex_);
    return num_threads_;
  }
  bool InPool() const override { return in_pool; }

 private:
  void Work() {
    in_pool = true;
    pthread_setname_np(pthread_self(), "hr-caller");
    std::unique_lock lock(mutex_);
    while (true) {
      while (tasks_.empty()) {
        ++num_idle_;
        wake_.wait(lock);
        --num_idle_;
      }
      std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;  // its captures end before the lock is taken again
      lock.lock();
    }
  }

  static thread_local bool in_pool;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_, as are the next two
  int num_idle_ = 0;
  int num_threads_ = 0;
};

thread_local bool GrowingPool::in_pool = false;

}  // namespace

ThreadPool& CallerPool() {
  static auto* pool = new GrowingPool;
  return *pool;
}

}  // namespace headrace
