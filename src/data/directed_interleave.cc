// DirectedInterleave: a selector's elements say from which of the inputs the next element comes. An input that has ended is passed
// over, or ends all when asked for. Holds nothing.
#include <algorithm>

#include "data/stages.h"

namespace headrace {

namespace {

class DirectedInterleaveStage final : public Stage {
 public:
  DirectedInterleaveStage(IteratorContext* context, std::unique_ptr<Stage> selector,
                          std::vector<std::unique_ptr<Stage>> inputs, bool stop_on_empty)
      : context_(context),
        selector_(std::move(selector)),
        inputs_(std::move(inputs)),
        left_(inputs_.size()),
        stop_on_empty_(stop_on_empty) {}

  Status Next(Element* element, bool* end) override {
    while (true) {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("DirectedInterleave"));
      *end = left_ == 0;
      if (*end) return OkStatus();
      Element selected;
      HR_RETURN_IF_ERROR(selector_->Next(&selected, end));
      if (*end) {
        left_ = 0;
        return OkStatus();
      }
      const int64_t index = selected[0].scalar<int64_t>();
      if (index < 0 || index >= static_cast<int64_t>(inputs_.size())) {
        return InvalidArgument("Selector index out of range: ", index, " >= ", inputs_.size());
      }
      std::unique_ptr<Stage>& input = inputs_[static_cast<size_t>(index)];
      if (input == nullptr) continue;
      HR_RETURN_IF_ERROR(input->Next(element, end));
      if (!*end) return OkStatus();
      input.reset();
      left_ = stop_on_empty_ ? 0 : left_ - 1;
    }
  }
  bool MayBlock() const override {
    return selector_->MayBlock() ||
           std::ranges::any_of(inputs_, [](const auto& input) { return input != nullptr && input->MayBlock(); });
  }

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> selector_;
  std::vector<std::unique_ptr<Stage>> inputs_;  // null: ended
  size_t left_;
  const bool stop_on_empty_;
};

class DirectedInterleaveDataset final : public SpecDataset {
 public:
  DirectedInterleaveDataset(ElementSpec spec, DatasetPtr selector, std::vector<DatasetPtr> inputs, bool stop_on_empty)
      : SpecDataset(std::move(spec)),
        selector_(std::move(selector)),
        inputs_(std::move(inputs)),
        stop_on_empty_(stop_on_empty) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> selector, selector_->MakeStage(context));
    std::vector<std::unique_ptr<Stage>> inputs;
    for (const DatasetPtr& input : inputs_) {
      HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> stage, input->MakeStage(context));
      inputs.push_back(std::move(stage));
    }
    return std::unique_ptr<Stage>(
        std::make_unique<DirectedInterleaveStage>(context, std::move(selector), std::move(inputs), stop_on_empty_));
  }

 private:
  const DatasetPtr selector_;
  const std::vector<DatasetPtr> inputs_;
  const bool stop_on_empty_;
};

}  // namespace

Result<DatasetPtr> MakeDirectedInterleaveDataset(DatasetPtr selector, std::vector<DatasetPtr> inputs,
                                                 bool stop_on_empty) {
  if (selector->output_types() != std::vector{DType::kInt64} || selector->output_shapes()[0].rank() != 0) {
    return InvalidArgument("The selector input must be a dataset of scalar int64 elements, it has [",
                           StrJoin(selector->output_types(), ","), "] of shapes ",
                           StrJoin(selector->output_shapes(), " "));
  }
  if (inputs.empty()) return InvalidArgument("DirectedInterleave: there are no inputs");
  ElementSpec spec = SpecOf(*inputs[0]);
  for (const DatasetPtr& input : inputs) HR_RETURN_IF_ERROR(WidenSpec(*input, &spec));
  return DatasetPtr(std::make_shared<DirectedInterleaveDataset>(std::move(spec), std::move(selector), std::move(inputs),
                                                                stop_on_empty));
}

}  // namespace headrace
