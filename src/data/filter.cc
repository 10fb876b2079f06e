// Filter: keeps the elements for which a function gives true. TakeWhile: ends before the first element for which it gives false.
// Both in the input's order, holding nothing.
#include "data/stage_function.h"

namespace headrace {

namespace {

class FilterStage final : public Stage {
 public:
  FilterStage(IteratorContext* context, std::unique_ptr<Stage> input, FunctionPtr predicate,
              const std::vector<Tensor>& captured)
      : context_(context), input_(std::move(input)), predicate_(std::move(predicate)), captured_(captured) {}
  Status Next(Element* element, bool* end) override {
    while (true) {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("Filter"));
      HR_RETURN_IF_ERROR(input_->Next(element, end));
      if (*end) return OkStatus();
      HR_ASSIGN_OR_RETURN(const bool keep, CallPredicate("Filter", *predicate_, *element, captured_, context_));
      if (keep) return OkStatus();
    }
  }
  bool MayBlock() const override { return true; }

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const FunctionPtr predicate_;
  const std::vector<Tensor>& captured_;
};

class TakeWhileStage final : public Stage {
 public:
  TakeWhileStage(IteratorContext* context, std::unique_ptr<Stage> input, FunctionPtr predicate,
                 const std::vector<Tensor>& captured)
      : context_(context), input_(std::move(input)), predicate_(std::move(predicate)), captured_(captured) {}
  Status Next(Element* element, bool* end) override {
    *end = ended_;
    if (ended_) return OkStatus();
    HR_RETURN_IF_ERROR(input_->Next(element, end));
    if (!*end) {
      HR_ASSIGN_OR_RETURN(const bool go_on, CallPredicate("TakeWhile", *predicate_, *element, captured_, context_));
      *end = !go_on;
    }
    ended_ = *end;
    return OkStatus();
  }
  bool MayBlock() const override { return true; }

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const FunctionPtr predicate_;
  const std::vector<Tensor>& captured_;
  bool ended_ = false;
};

/// SearchStage: FilterStage or TakeWhileStage.
template <typename SearchStage> class PredicateDataset final : public SpecDataset {
 public:
  PredicateDataset(DatasetPtr input, FunctionPtr predicate, std::vector<Tensor> captured)
      : SpecDataset(SpecOf(*input)),
        input_(std::move(input)),
        predicate_(std::move(predicate)),
        captured_(std::move(captured)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<SearchStage>(context, std::move(input), predicate_, captured_));
  }

 private:
  const DatasetPtr input_;
  const FunctionPtr predicate_;
  const std::vector<Tensor> captured_;
};

}  // namespace

DatasetPtr MakeFilterDataset(DatasetPtr input, FunctionPtr predicate, std::vector<Tensor> captured) {
  return std::make_shared<PredicateDataset<FilterStage>>(std::move(input), std::move(predicate), std::move(captured));
}

DatasetPtr MakeTakeWhileDataset(DatasetPtr input, FunctionPtr predicate, std::vector<Tensor> captured) {
  return std::make_shared<PredicateDataset<TakeWhileStage>>(std::move(input), std::move(predicate),
                                                            std::move(captured));
}

}  // namespace headrace
