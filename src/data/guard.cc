// IgnoreErrors: passes over the elements that are errors. AssertCardinality: an error where the input has another number of
// elements than was said. Both in the input's order, holding nothing.
#include "data/stages.h"

namespace headrace {

namespace {

class IgnoreErrorsStage final : public Stage {
 public:
  IgnoreErrorsStage(IteratorContext* context, std::unique_ptr<Stage> input)
      : context_(context), input_(std::move(input)) {}
  Status Next(Element* element, bool* end) override {
    while (true) {
      const Status status = input_->Next(element, end);
      if (status.ok() || status.code() == Code::kCancelled || context_->cancellation.IsCancelled()) return status;
      HR_RETURN_IF_ERROR(context_->CheckInterruption("IgnoreErrors"));
    }
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
};

class IgnoreErrorsDataset final : public SpecDataset {
 public:
  explicit IgnoreErrorsDataset(DatasetPtr input) : SpecDataset(SpecOf(*input)), input_(std::move(input)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<IgnoreErrorsStage>(context, std::move(input)));
  }

 private:
  const DatasetPtr input_;
};

std::string Counted(int64_t count) { return StrCat(count, count == 1 ? " element" : " elements"); }

class AssertCardinalityStage final : public Stage {
 public:
  AssertCardinalityStage(std::unique_ptr<Stage> input, int64_t expected)
      : input_(std::move(input)), expected_(expected) {}
  Status Next(Element* element, bool* end) override {
    HR_RETURN_IF_ERROR(input_->Next(element, end));
    if (!*end) ++count_;
    if (*end && count_ != expected_) {
      return FailedPrecondition("Input dataset was expected to contain ",
                                expected_ == Dataset::kInfinite ? "an infinite number of elements" : Counted(expected_),
                                " but contained only ", Counted(count_), ".");
    }
    if (!*end && expected_ != Dataset::kInfinite && count_ > expected_) {
      return FailedPrecondition("Input dataset was expected to contain ", Counted(expected_),
                                " but contained at least ", Counted(count_), ".");
    }
    return OkStatus();
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  const std::unique_ptr<Stage> input_;
  const int64_t expected_;
  int64_t count_ = 0;
};

class AssertCardinalityDataset final : public SpecDataset {
 public:
  AssertCardinalityDataset(DatasetPtr input, int64_t expected)
      : SpecDataset(SpecOf(*input)), input_(std::move(input)), expected_(expected) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    if (expected_ == kUnknown) return input;
    return std::unique_ptr<Stage>(std::make_unique<AssertCardinalityStage>(std::move(input), expected_));
  }
  int64_t Cardinality() const override { return expected_; }

 private:
  const DatasetPtr input_;
  const int64_t expected_;
};

}  // namespace

DatasetPtr MakeIgnoreErrorsDataset(DatasetPtr input) { return std::make_shared<IgnoreErrorsDataset>(std::move(input)); }

DatasetPtr MakeAssertCardinalityDataset(DatasetPtr input, int64_t cardinality) {
  return std::make_shared<AssertCardinalityDataset>(std::move(input), cardinality);
}

}  // namespace headrace
