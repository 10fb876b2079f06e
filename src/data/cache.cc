// Cache in memory: yields the input's elements and keeps them; runs that begin after one has reached the end yield what was kept,
// without the input. A run that stops before the end keeps nothing. Memory: all elements (their tensors are the input's, which
// charged them).
#include "data/cache.h"

#include <algorithm>

#include "data/stages.h"

namespace headrace {

namespace {

class CachingStage final : public Stage {
 public:
  CachingStage(std::unique_ptr<Stage> input, std::shared_ptr<MemoryCache> cache)
      : input_(std::move(input)), cache_(std::move(cache)) {}
  Status Next(Element* element, bool* end) override {
    *end = ended_;
    if (ended_) return OkStatus();
    const Status status = input_->Next(element, end);
    if (!status.ok()) {
      complete_ = false;  // an element is missing
    } else if (!*end) {
      elements_.push_back(*element);
    } else {
      ended_ = true;
      if (complete_) cache_->Complete(std::move(elements_));
      elements_.clear();
    }
    return status;
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  const std::unique_ptr<Stage> input_;
  const std::shared_ptr<MemoryCache> cache_;
  std::vector<Element> elements_;
  bool complete_ = true;
  bool ended_ = false;
};

class CachedStage final : public Stage {
 public:
  explicit CachedStage(MemoryCache::Elements elements) : elements_(std::move(elements)) {}
  Status Next(Element* element, bool* end) override {
    *end = next_ == elements_->size();
    if (!*end) *element = (*elements_)[next_++];
    return OkStatus();
  }
  Result<int64_t> Skip(int64_t count) override {
    const int64_t skipped = std::min(count, static_cast<int64_t>(elements_->size() - next_));
    next_ += static_cast<size_t>(skipped);
    return skipped;
  }
  bool MayBlock() const override { return false; }

 private:
  const MemoryCache::Elements elements_;
  size_t next_ = 0;
};

class MemoryCacheDataset final : public SpecDataset {
 public:
  MemoryCacheDataset(DatasetPtr input, std::shared_ptr<MemoryCache> cache)
      : SpecDataset(SpecOf(*input)), input_(std::move(input)), cache_(std::move(cache)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    if (MemoryCache::Elements elements = cache_->Find()) {
      return std::unique_ptr<Stage>(std::make_unique<CachedStage>(std::move(elements)));
    }
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<CachingStage>(std::move(input), cache_));
  }
  int64_t Cardinality() const override { return input_->Cardinality(); }

 private:
  const DatasetPtr input_;
  const std::shared_ptr<MemoryCache> cache_;
};

}  // namespace

DatasetPtr MakeMemoryCacheDataset(DatasetPtr input, std::shared_ptr<MemoryCache> cache) {
  if (cache == nullptr) cache = std::make_shared<MemoryCache>();
  return std::make_shared<MemoryCacheDataset>(std::move(input), std::move(cache));
}

}  // namespace headrace
