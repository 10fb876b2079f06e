#include "sync/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace headrace {

namespace {

thread_local const ThreadPool* current_pool = nullptr;

/// One queue under one lock: with a handful of threads the lock is not what costs (some 0.1 us), waking a thread is.
class QueuePool final : public ThreadPool {
 public:
  QueuePool(std::string name, int num_threads) : name_(std::move(name)) {
    for (int i = 0; i < num_threads; ++i) threads_.emplace_back([this] { Work(); });
  }
  ~QueuePool() override {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void Schedule(std::function<void()> task) override {
    bool wake;
    {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      wake = num_idle_ > 0;
    }
    if (wake) wake_.notify_one();
  }
  int num_threads() const override { return static_cast<int>(threads_.size()); }
  bool InPool() const override { return current_pool == this; }

 private:
  void Work() {
    current_pool = this;
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    std::unique_lock lock(mutex_);
    while (true) {
      while (tasks_.empty()) {
        if (ending_) return;
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

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_, as are the next two
  int num_idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

/// The pieces of one ParallelFor. Shared with the tasks, which may start after the call has returned: then nothing is left.
struct Pieces {
  int64_t total;
  int64_t piece_size;
  const std::function<void(int64_t, int64_t)>* body;  // valid while pieces are left or running
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::condition_variable all_done;
  int64_t done = 0;  // items; guarded by mutex

  void Run() {
    int64_t mine = 0;
    while (true) {
      const int64_t begin = next.fetch_add(piece_size, std::memory_order_relaxed);
      if (begin >= total) break;
      const int64_t end = std::min(begin + piece_size, total);
      (*body)(begin, end);
      mine += end - begin;
    }
    if (mine == 0) return;
    std::lock_guard lock(mutex);
    done += mine;
    if (done == total) all_done.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex);
    all_done.wait(lock, [this] { return done == total; });
  }
};

constexpr double kWorthAHandoffNs = 50'000;

}  // namespace

void ThreadPool::ParallelFor(int64_t total, double cost_ns, const std::function<void(int64_t, int64_t)>& body) {
  if (total <= 0) return;
  const double pieces_worth = static_cast<double>(total) * std::max(cost_ns, 0.01) / kWorthAHandoffNs;
  const int64_t workers = std::min<int64_t>(num_threads(), static_cast<int64_t>(pieces_worth));
  if (workers <= 1 || total == 1) return body(0, total);
  // A few pieces for each worker, so that one that is held up does not hold up all.
  const int64_t num_pieces = std::min<int64_t>({total, workers * 4, static_cast<int64_t>(pieces_worth)});
  auto pieces = std::make_shared<Pieces>();
  pieces->total = total;
  pieces->piece_size = (total + num_pieces - 1) / num_pieces;
  pieces->body = &body;
  for (int64_t i = 1; i < workers; ++i) Schedule([pieces] { pieces->Run(); });
  pieces->Run();
  pieces->Wait();
}

std::unique_ptr<ThreadPool> MakeThreadPool(std::string name, int num_threads) {
  return std::make_unique<QueuePool>(std::move(name), std::max(num_threads, 1));
}

namespace {

int NumCores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace

ThreadPool& ComputePool() {
  static ThreadPool* pool = MakeThreadPool("hr-compute", NumCores()).release();
  return *pool;
}

ThreadPool& BlockingPool() {
  static ThreadPool* pool = MakeThreadPool("hr-blocking", std::max(4, 2 * NumCores())).release();
  return *pool;
}

}  // namespace headrace
