// Elements: a dataset of elements that are at hand, as windows are. Memory: theirs, for as long as the dataset or a run lives.
#include "data/stages.h"

namespace headrace {

namespace {

using Elements = std::shared_ptr<const std::vector<Element>>;

class ElementsStage final : public Stage {
 public:
  explicit ElementsStage(Elements elements) : elements_(std::move(elements)) {}
  Status Next(Element* element, bool* end) override {
    *end = next_ == elements_->size();
    if (!*end) *element = (*elements_)[next_++];
    return OkStatus();
  }
  Result<int64_t> Skip(int64_t count) override {
    const auto passed = static_cast<size_t>(std::min(std::max<int64_t>(count, 0), std::ssize(*elements_)));
    const size_t before = std::exchange(next_, std::min(next_ + passed, elements_->size()));
    return static_cast<int64_t>(next_ - before);
  }
  bool MayBlock() const override { return false; }

 private:
  const Elements elements_;
  size_t next_ = 0;
};

class ElementsDataset final : public SpecDataset {
 public:
  ElementsDataset(ElementSpec spec, std::vector<Element> elements)
      : SpecDataset(std::move(spec)), elements_(std::make_shared<const std::vector<Element>>(std::move(elements))) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext*) const override {
    return std::unique_ptr<Stage>(std::make_unique<ElementsStage>(elements_));
  }
  int64_t Cardinality() const override { return std::ssize(*elements_); }

 private:
  const Elements elements_;
};

}  // namespace

DatasetPtr MakeElementsDataset(ElementSpec spec, std::vector<Element> elements) {
  return std::make_shared<ElementsDataset>(std::move(spec), std::move(elements));
}

}  // namespace headrace
