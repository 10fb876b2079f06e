// Shuffle: holds up to buffer_size elements and yields one of them at random, in the order that TensorFlow's ShuffleDataset
// yields at equal seeds. Memory: the buffer. With reshuffle_each_iteration each run through the dataset has an order of its own,
// drawn from the seeds; the runs of one dataset object are numbered in the order they begin.
#include <mutex>

#include "data/stages.h"
#include "kernel/philox.h"

namespace headrace {

namespace {

struct Seeds {
  uint64_t seed;
  uint64_t seed2;
};

class ShuffleStage final : public Stage {
 public:
  ShuffleStage(std::unique_ptr<Stage> input, int64_t buffer_size, Seeds seeds)
      : input_(std::move(input)), buffer_size_(static_cast<size_t>(buffer_size)), words_(seeds.seed, seeds.seed2) {}

  Status Next(Element* element, bool* end) override {
    HR_RETURN_IF_ERROR(Fill());
    *end = count_ == 0;
    if (*end) return OkStatus();
    // The buffer is a ring that begins at first_: a random element of it leaves, the first takes its place.
    const size_t chosen = (first_ + words_.Next() % count_) % Ring();
    *element = std::move(buffer_[chosen]);
    if (chosen != first_) buffer_[chosen] = std::move(buffer_[first_]);
    first_ = (first_ + 1) % Ring();
    --count_;
    return OkStatus();
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  size_t Ring() const { return buffer_.size(); }

  Status Fill() {
    while (!input_ended_ && count_ < buffer_size_) {
      Element element;
      bool end = false;
      HR_RETURN_IF_ERROR(input_->Next(&element, &end));
      if (end) {
        input_ended_ = true;
        break;
      }
      if (buffer_.size() < buffer_size_ && first_ == 0 && count_ == buffer_.size()) {
        buffer_.push_back(std::move(element));
      } else {
        buffer_[(first_ + count_) % Ring()] = std::move(element);
      }
      ++count_;
    }
    return OkStatus();
  }

  const std::unique_ptr<Stage> input_;
  const size_t buffer_size_;
  PhiloxWords words_;
  std::vector<Element> buffer_;
  size_t first_ = 0;
  size_t count_ = 0;
  bool input_ended_ = false;
};

class ShuffleDataset final : public SpecDataset {
 public:
  ShuffleDataset(DatasetPtr input, int64_t buffer_size, Seeds seeds, bool reshuffle)
      : SpecDataset(SpecOf(*input)),
        input_(std::move(input)),
        buffer_size_(buffer_size),
        seeds_(seeds),
        reshuffle_(reshuffle),
        epoch_seeds_(seeds.seed, seeds.seed2) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<ShuffleStage>(std::move(input), buffer_size_, NextSeeds()));
  }
  int64_t Cardinality() const override { return input_->Cardinality(); }

 private:
  Seeds NextSeeds() const {
    if (!reshuffle_) return seeds_;
    std::lock_guard lock(mutex_);
    const uint64_t seed = epoch_seeds_.Next();
    return {seed, epoch_seeds_.Next()};
  }

  const DatasetPtr input_;
  const int64_t buffer_size_;
  const Seeds seeds_;
  const bool reshuffle_;
  mutable std::mutex mutex_;
  mutable PhiloxWords epoch_seeds_;  // guarded by mutex_
};

}  // namespace

Result<DatasetPtr> MakeShuffleDataset(DatasetPtr input, int64_t buffer_size, int64_t seed, int64_t seed2,
                                      bool reshuffle_each_iteration) {
  if (buffer_size < 1) return InvalidArgument("Shuffle: buffer_size must be greater than zero, got ", buffer_size);
  Seeds seeds{static_cast<uint64_t>(seed), static_cast<uint64_t>(seed2)};
  if (seed == 0 && seed2 == 0) seeds = {RandomBits(), RandomBits()};
  return DatasetPtr(std::make_shared<ShuffleDataset>(std::move(input), buffer_size, seeds, reshuffle_each_iteration));
}

}  // namespace headrace
