// Prefetch: produces elements ahead of the consumer, in order. Memory: up to buffer_size elements.
//
// Production is a task on the blocking pool that runs while there is room. A consumer that finds nothing produces itself when no
// task has begun yet, so that a pool whose threads are all taken can delay but never deadlock.
#include "data/prefetch.h"

#include <deque>
#include <mutex>

#include "data/stages.h"
#include "sync/condition.h"

namespace headrace {

namespace {

struct Produced {
  Status status;
  Element element;
  bool end = false;
};

}  // namespace

/// Shared by the stage and its production task, which may be scheduled when the stage is already gone.
class PrefetchStage::Production : public std::enable_shared_from_this<Production> {
 public:
  Production(IteratorContext* context, std::unique_ptr<Stage> input, size_t buffer_size)
      : context_(context), input_(std::move(input)), buffer_size_(buffer_size) {}

  Produced Take() {
    std::unique_lock lock(mutex_);
    while (ready_.empty()) {
      if (finished_) return Produced{.status = {}, .element = {}, .end = true};
      const Status interrupted = context_->CheckInterruption("Prefetch");
      if (!interrupted.ok()) return Produced{.status = interrupted, .element = {}, .end = false};
      if (running_) {
        changed_.wait(lock);
      } else {
        ProduceOne(lock);
      }
    }
    Produced produced = std::move(ready_.front());
    ready_.pop_front();
    if (!finished_ && !scheduled_ && ready_.size() <= buffer_size_ / 2) Schedule();
    return produced;
  }

  bool HasNext() const {
    std::lock_guard lock(mutex_);
    return !ready_.empty() || finished_;
  }

  void Start() {
    std::unique_lock lock(mutex_);
    if (!finished_ && !scheduled_ && ready_.size() < buffer_size_) Schedule();
  }

  /// Passes over elements. Only before the first Take can it go to the input directly.
  Result<int64_t> SkipInput(int64_t count, bool* done) {
    std::unique_lock lock(mutex_);
    *done = !scheduled_ && !running_ && ready_.empty() && !finished_;
    return *done ? input_->Skip(count) : Result<int64_t>(int64_t{0});
  }

  /// Ends production, waiting for an element that is being made.
  void Close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.wait(lock, [this] { return !running_; });
    input_.reset();
    ready_.clear();
  }

 private:
  void Schedule() {
    scheduled_ = true;
    context_->runtime->blocking->Schedule([self = shared_from_this()] { self->Run(); });
  }

  void Run() {
    std::unique_lock lock(mutex_);
    // The consumer may be producing right now; it schedules again once it has taken something.
    bool going_on = true;
    while (going_on && !closed_ && !finished_ && !running_ && ready_.size() < buffer_size_) going_on = ProduceOne(lock);
    scheduled_ = false;
  }

  /// False when an interruption came before there was an element.
  bool ProduceOne(std::unique_lock<std::mutex>& lock) {
    running_ = true;
    lock.unlock();
    Produced produced;
    const InterruptionWatch interruption(*context_);
    produced.status = input_->Next(&produced.element, &produced.end);
    const bool was_interrupted = interruption.Ended(produced.status);
    lock.lock();
    running_ = false;
    if (produced.status.ok() && produced.end) {
      finished_ = true;
    } else if (!was_interrupted) {
      ready_.push_back(std::move(produced));
    }
    changed_.notify_all();
    return !was_interrupted;
  }

  IteratorContext* const context_;  // outlives the stage; not used once closed
  mutable std::mutex mutex_;
  Condition changed_;
  std::unique_ptr<Stage> input_;  // used by whoever set running_
  const size_t buffer_size_;
  std::deque<Produced> ready_;  // guarded by mutex_, as are the rest
  bool scheduled_ = false;
  bool running_ = false;
  bool finished_ = false;
  bool closed_ = false;
};

PrefetchStage::PrefetchStage(IteratorContext* context, std::unique_ptr<Stage> input, int64_t buffer_size)
    : production_(std::make_shared<Production>(context, std::move(input), static_cast<size_t>(buffer_size))) {}

PrefetchStage::~PrefetchStage() { production_->Close(); }

void PrefetchStage::Start() { production_->Start(); }

bool PrefetchStage::HasNext() const { return production_->HasNext(); }

Status PrefetchStage::Next(Element* element, bool* end) {
  Produced produced = production_->Take();
  *element = std::move(produced.element);
  *end = produced.end;
  return produced.status;
}

Result<int64_t> PrefetchStage::Skip(int64_t count) {
  bool done = false;
  Result<int64_t> skipped = production_->SkipInput(count, &done);
  return done ? std::move(skipped) : Stage::Skip(count);
}

namespace {

class PrefetchDataset final : public SpecDataset {
 public:
  PrefetchDataset(DatasetPtr input, int64_t buffer_size)
      : SpecDataset(SpecOf(*input)), input_(std::move(input)), buffer_size_(buffer_size) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    if (buffer_size_ == 0) return input;
    return std::unique_ptr<Stage>(std::make_unique<PrefetchStage>(context, std::move(input), buffer_size_));
  }
  int64_t Cardinality() const override { return input_->Cardinality(); }

 private:
  const DatasetPtr input_;
  const int64_t buffer_size_;
};

constexpr int64_t kChosenBufferSize = 4;

}  // namespace

Result<DatasetPtr> MakePrefetchDataset(DatasetPtr input, int64_t buffer_size) {
  if (buffer_size < -1) return InvalidArgument("Prefetch: buffer_size must be -1 or at least 0, got ", buffer_size);
  return DatasetPtr(
      std::make_shared<PrefetchDataset>(std::move(input), buffer_size < 0 ? kChosenBufferSize : buffer_size));
}

}  // namespace headrace
