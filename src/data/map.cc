// Map: applies a graph function to each element, in order. With num_parallel_calls > 1 that many calls are under way at once, on
// the blocking pool; their results still come in order. Memory: num_parallel_calls results.
#include <algorithm>
#include <deque>
#include <mutex>

#include "data/stage_function.h"
#include "sync/notification.h"

namespace headrace {

namespace {

class MapStage final : public Stage {
 public:
  MapStage(IteratorContext* context, std::unique_ptr<Stage> input, FunctionPtr function,
           const std::vector<Tensor>& captured)
      : context_(context), input_(std::move(input)), function_(std::move(function)), captured_(captured) {}
  Status Next(Element* element, bool* end) override {
    Element argument;
    HR_RETURN_IF_ERROR(input_->Next(&argument, end));
    if (*end) return OkStatus();
    HR_ASSIGN_OR_RETURN(*element, CallFunction(*function_, std::move(argument), captured_, context_));
    return OkStatus();
  }
  Result<int64_t> Skip(int64_t count) override {
    return function_->stateless() ? input_->Skip(count) : Stage::Skip(count);
  }
  bool MayBlock() const override { return true; }  // the function may

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const FunctionPtr function_;
  const std::vector<Tensor> captured_;
};

/// One call under way. Whoever claims it first runs it: a thread of the pool, or the consumer when it gets there before.
struct PendingCall {
  std::mutex mutex;
  bool claimed = false;  // guarded by mutex
  Element argument;
  Result<std::vector<Tensor>> result{std::vector<Tensor>()};
  Notification done;

  bool Claim() {
    std::lock_guard lock(mutex);
    return !std::exchange(claimed, true);
  }
};

class ParallelMapStage final : public Stage {
 public:
  ParallelMapStage(IteratorContext* context, std::unique_ptr<Stage> input, FunctionPtr function,
                   const std::vector<Tensor>& captured, int64_t num_parallel_calls)
      : context_(context),
        input_(std::move(input)),
        function_(std::move(function)),
        captured_(captured),
        num_parallel_calls_(static_cast<size_t>(num_parallel_calls)) {}
  ~ParallelMapStage() override {
    for (auto& call : pending_) {
      if (!call->Claim()) call->done.Wait();
    }
  }

  Status Next(Element* element, bool* end) override {
    while (!input_ended_ && pending_.size() < num_parallel_calls_) {
      // An error of the input is reported in its turn, after the elements before it.
      auto call = std::make_shared<PendingCall>();
      const InterruptionWatch interruption(*context_);
      const Status status = input_->Next(&call->argument, &input_ended_);
      if (interruption.Ended(status)) {
        if (pending_.empty()) return status;
        break;
      }
      if (status.ok() && input_ended_) break;
      if (status.ok()) {
        context_->runtime->blocking->Schedule([this, call] {
          if (call->Claim()) Run(call.get());
        });
      } else {
        call->result = status;
        call->Claim();
        call->done.Notify();
      }
      pending_.push_back(std::move(call));
    }
    *end = pending_.empty();
    if (*end) return OkStatus();
    const std::shared_ptr<PendingCall> call = std::move(pending_.front());
    pending_.pop_front();
    if (call->Claim()) {
      Run(call.get());
    } else {
      call->done.Wait();
    }
    HR_ASSIGN_OR_RETURN(*element, std::move(call->result));
    return OkStatus();
  }
  Result<int64_t> Skip(int64_t count) override {
    return function_->stateless() && pending_.empty() ? input_->Skip(count) : Stage::Skip(count);
  }
  bool MayBlock() const override { return true; }

 private:
  void Run(PendingCall* call) {
    call->result = CallFunction(*function_, std::move(call->argument), captured_, context_);
    call->done.Notify();
  }

  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const FunctionPtr function_;
  const std::vector<Tensor> captured_;
  const size_t num_parallel_calls_;
  std::deque<std::shared_ptr<PendingCall>> pending_;
  bool input_ended_ = false;
};

class MapDataset final : public SpecDataset {
 public:
  MapDataset(DatasetPtr input, FunctionPtr function, std::vector<Tensor> captured, ElementSpec spec, MapOptions options)
      : SpecDataset(std::move(spec)),
        input_(std::move(input)),
        function_(std::move(function)),
        captured_(std::move(captured)),
        options_(options) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    const int64_t threads = context->runtime->compute->num_threads();
    const int64_t calls =
        options_.num_parallel_calls < 0 ? threads : std::min(options_.num_parallel_calls, 4 * threads);
    if (calls <= 1) {
      return std::unique_ptr<Stage>(std::make_unique<MapStage>(context, std::move(input), function_, captured_));
    }
    return std::unique_ptr<Stage>(
        std::make_unique<ParallelMapStage>(context, std::move(input), function_, captured_, calls));
  }
  int64_t Cardinality() const override { return options_.preserve_cardinality ? input_->Cardinality() : kUnknown; }

 private:
  const DatasetPtr input_;
  const FunctionPtr function_;
  const std::vector<Tensor> captured_;
  const MapOptions options_;
};

}  // namespace

DatasetPtr MakeMapDataset(DatasetPtr input, FunctionPtr function, std::vector<Tensor> captured, ElementSpec spec,
                          MapOptions options) {
  return std::make_shared<MapDataset>(std::move(input), std::move(function), std::move(captured), std::move(spec),
                                      options);
}

}  // namespace headrace
