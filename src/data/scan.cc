// Scan: a function of a state and an element gives the next state and what is yielded. Memory: the state.
#include "data/stage_function.h"

namespace headrace {

namespace {

class ScanStage final : public Stage {
 public:
  ScanStage(IteratorContext* context, std::unique_ptr<Stage> input, FunctionPtr function,
            const std::vector<Tensor>& initial_state, const std::vector<Tensor>& captured)
      : context_(context),
        input_(std::move(input)),
        function_(std::move(function)),
        captured_(captured),
        state_(initial_state) {}
  Status Next(Element* element, bool* end) override {
    Element row;
    HR_RETURN_IF_ERROR(input_->Next(&row, end));
    if (*end) return OkStatus();
    Element arguments = state_;
    arguments.insert(arguments.end(), row.begin(), row.end());
    HR_ASSIGN_OR_RETURN(std::vector<Tensor> results,
                        CallFunction(*function_, std::move(arguments), captured_, context_));
    if (results.size() < state_.size()) {
      return InvalidArgument("Scan: the function gave ", results.size(), " tensors, its state alone has ",
                             state_.size());
    }
    for (size_t i = 0; i < state_.size(); ++i) {
      if (results[i].dtype() != state_[i].dtype()) {
        return InvalidArgument("Scan: the new state has another type: component ", i, " is ", results[i], ", was ",
                               state_[i]);
      }
    }
    const auto outputs = results.begin() + static_cast<std::ptrdiff_t>(state_.size());
    element->assign(std::make_move_iterator(outputs), std::make_move_iterator(results.end()));
    results.erase(outputs, results.end());
    state_ = std::move(results);
    return OkStatus();
  }
  bool MayBlock() const override { return true; }  // the function may

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const FunctionPtr function_;
  const std::vector<Tensor>& captured_;
  std::vector<Tensor> state_;
};

class ScanDataset final : public SpecDataset {
 public:
  ScanDataset(DatasetPtr input, FunctionPtr function, std::vector<Tensor> initial_state, std::vector<Tensor> captured,
              ElementSpec spec, bool preserve_cardinality)
      : SpecDataset(std::move(spec)),
        input_(std::move(input)),
        function_(std::move(function)),
        initial_state_(std::move(initial_state)),
        captured_(std::move(captured)),
        preserve_cardinality_(preserve_cardinality) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(
        std::make_unique<ScanStage>(context, std::move(input), function_, initial_state_, captured_));
  }
  int64_t Cardinality() const override { return preserve_cardinality_ ? input_->Cardinality() : kUnknown; }

 private:
  const DatasetPtr input_;
  const FunctionPtr function_;
  const std::vector<Tensor> initial_state_, captured_;
  const bool preserve_cardinality_;
};

}  // namespace

DatasetPtr MakeScanDataset(DatasetPtr input, FunctionPtr function, std::vector<Tensor> initial_state,
                           std::vector<Tensor> captured, ElementSpec spec, bool preserve_cardinality) {
  return std::make_shared<ScanDataset>(std::move(input), std::move(function), std::move(initial_state),
                                       std::move(captured), std::move(spec), preserve_cardinality);
}

}  // namespace headrace
