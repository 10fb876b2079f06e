// Shuffle: holds up to buffer_size elements and yields one of them at random, in the order that TensorFlow's ShuffleDataset
// yields at equal seeds; with a count, in the order of its ShuffleAndRepeatDataset, which begins to read an epoch while the one
// before still has elements in the buffer, but never mixes them. Memory: the buffer. The seeds of each run, and of each epoch of
// it, come from the dataset's generator, in the order in which they begin.
#include <deque>

#include "data/stages.h"

namespace headrace {

namespace {

constexpr int64_t kWholeInput = -2;  // a buffer of that size holds all that there is
constexpr size_t kMostEpochsHeld = 3;

class ShuffleStage final : public Stage {
 public:
  ShuffleStage(IteratorContext* context, DatasetPtr dataset, const ShuffleOptions& options)
      : context_(context),
        dataset_(std::move(dataset)),
        options_(options),
        buffer_size_(options.buffer_size == kWholeInput ? INT64_MAX : options.buffer_size),
        words_(FirstWords(options.seeds->Next())) {}

  /// Opens the first epoch's input, so that its faults are found early.
  Status Open() {
    if (options_.count == 0) return OkStatus();
    HR_RETURN_IF_ERROR(BeginEpoch());
    may_block_ = input_->MayBlock();
    return OkStatus();
  }

  Status Next(Element* element, bool* end) override {
    HR_RETURN_IF_ERROR(Fill());
    *end = buffer_.empty();
    if (*end) return OkStatus();
    while (epochs_.front().held == 0) {
      epochs_.pop_front();
      words_ = FirstWords(options_.seeds->Next());
    }
    // A random element of the first epoch leaves, the first takes its place.
    Epoch& epoch = epochs_.front();
    const size_t chosen = words_.Next() % static_cast<uint64_t>(epoch.held);
    *element = std::move(buffer_[chosen]);
    if (chosen != 0) buffer_[chosen] = std::move(buffer_.front());
    buffer_.pop_front();
    --epoch.held;
    return OkStatus();
  }
  bool MayBlock() const override { return may_block_; }

 private:
  struct Epoch {
    int64_t held = 0;  // elements in the buffer
    bool ended = false;
  };

  static PhiloxWords FirstWords(Seeds seeds) { return PhiloxWords(seeds.seed, seeds.seed2); }

  Status BeginEpoch() {
    HR_ASSIGN_OR_RETURN(input_, dataset_->MakeStage(context_));
    epochs_.emplace_back();
    ++epochs_begun_;
    return OkStatus();
  }

  bool WantsMore() const {
    if (input_ == nullptr && options_.count >= 0 && epochs_begun_ >= options_.count) return false;
    if (options_.buffer_size == kWholeInput && !epochs_.empty() && epochs_.front().ended && !buffer_.empty())
      return false;
    if (epochs_.size() > kMostEpochsHeld && !buffer_.empty()) return false;
    return static_cast<int64_t>(buffer_.size()) < buffer_size_;
  }

  Status Fill() {
    while (WantsMore()) {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("Shuffle"));
      if (input_ == nullptr) HR_RETURN_IF_ERROR(BeginEpoch());
      Element element;
      bool end = false;
      HR_RETURN_IF_ERROR(input_->Next(&element, &end));
      if (!end) {
        buffer_.push_back(std::move(element));
        ++epochs_.back().held;
        produced_ = true;
        continue;
      }
      epochs_.back().ended = true;
      input_.reset();
      if (!produced_ && options_.count < 0) break;  // repeating nothing for ever would never return
    }
    return OkStatus();
  }

  IteratorContext* const context_;
  const DatasetPtr dataset_;
  const ShuffleOptions options_;
  const int64_t buffer_size_;
  PhiloxWords words_;
  std::unique_ptr<Stage> input_;  // null between epochs
  std::deque<Element> buffer_;    // by epoch, in no order inside one
  std::deque<Epoch> epochs_;
  int64_t epochs_begun_ = 0;
  bool produced_ = false;
  bool may_block_ = false;
};

class ShuffleDataset final : public SpecDataset {
 public:
  ShuffleDataset(DatasetPtr input, ShuffleOptions options)
      : SpecDataset(SpecOf(*input)), input_(std::move(input)), options_(std::move(options)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    auto stage = std::make_unique<ShuffleStage>(context, input_, options_);
    HR_RETURN_IF_ERROR(stage->Open());
    return std::unique_ptr<Stage>(std::move(stage));
  }
  int64_t Cardinality() const override { return RepeatedCardinality(input_->Cardinality(), options_.count); }

 private:
  const DatasetPtr input_;
  const ShuffleOptions options_;
};

}  // namespace

Result<DatasetPtr> MakeShuffleDataset(DatasetPtr input, ShuffleOptions options) {
  if (options.buffer_size < 1 && options.buffer_size != kWholeInput) {
    return InvalidArgument("buffer_size must be greater than zero or UNKNOWN_CARDINALITY (-2), got ",
                           options.buffer_size);
  }
  if (options.count < -1) return InvalidArgument("count must be at least -1, got ", options.count);
  return DatasetPtr(std::make_shared<ShuffleDataset>(std::move(input), std::move(options)));
}

}  // namespace headrace
