// Interleave: a function makes a dataset of each element; `cycle_length` of these are open at once, and in turn each gives up to
// `block_length` elements. One that has ended gives up its turn, and the next element's dataset takes its place. With a cycle
// of one it is FlatMap. Memory: the open stages.
#include "data/stages.h"

namespace headrace {

namespace {

using FunctionPtr = std::shared_ptr<const CompiledFunction>;

class InterleaveStage final : public Stage {
 public:
  InterleaveStage(IteratorContext* context, std::unique_ptr<Stage> input, FunctionPtr function,
                  const std::vector<Tensor>& captured, size_t cycle_length, int64_t block_length)
      : context_(context),
        input_(std::move(input)),
        function_(std::move(function)),
        captured_(captured),
        cycle_length_(cycle_length),
        block_length_(block_length) {}

  Status Next(Element* element, bool* end) override {
    while (true) {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("Interleave"));
      *end = input_ended_ && open_count_ == 0;
      if (*end) return OkStatus();
      if (turn_ == open_.size() && turn_ < cycle_length_) open_.emplace_back();
      Open& current = open_[turn_];
      if (current.stage == nullptr) {
        if (input_ended_) {
          TakeTurn();
          continue;
        }
        HR_RETURN_IF_ERROR(OpenNext(&current));
        if (current.stage == nullptr) continue;
      }
      bool part_ended = false;
      HR_RETURN_IF_ERROR(current.stage->Next(element, &part_ended));
      if (part_ended) {
        current = Open();
        --open_count_;
        TakeTurn();
        continue;
      }
      if (++given_ == block_length_) TakeTurn();
      return OkStatus();
    }
  }
  bool MayBlock() const override { return true; }  // the function may

 private:
  struct Open {
    DatasetPtr dataset;
    std::unique_ptr<Stage> stage;
  };

  void TakeTurn() {
    turn_ = (turn_ + 1) % cycle_length_;
    if (input_ended_ && turn_ >= open_.size()) turn_ = 0;  // places that were never taken
    given_ = 0;
  }

  /// Opens the dataset of the next element; leaves `place` closed at the input's end. After an error the element is dropped.
  Status OpenNext(Open* place) {
    Element argument;
    HR_RETURN_IF_ERROR(input_->Next(&argument, &input_ended_));
    if (input_ended_) return OkStatus();
    argument.insert(argument.end(), captured_.begin(), captured_.end());
    HR_ASSIGN_OR_RETURN(std::vector<Tensor> made, function_->RunAndWait(std::move(argument), &context_->cancellation));
    if (made.size() != 1)
      return InvalidArgument("The function must return a single dataset, it returned ", made.size(), " tensors");
    Open opened;
    HR_ASSIGN_OR_RETURN(opened.dataset, DatasetFromTensor(made[0]));
    HR_ASSIGN_OR_RETURN(opened.stage, opened.dataset->MakeStage(context_));
    *place = std::move(opened);
    ++open_count_;
    return OkStatus();
  }

  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const FunctionPtr function_;
  const std::vector<Tensor> captured_;
  const size_t cycle_length_;
  const int64_t block_length_;
  std::vector<Open> open_;  // grows up to the cycle's length
  size_t open_count_ = 0;
  size_t turn_ = 0;
  int64_t given_ = 0;  // in this turn
  bool input_ended_ = false;
};

class InterleaveDataset final : public SpecDataset {
 public:
  InterleaveDataset(DatasetPtr input, FunctionPtr function, std::vector<Tensor> captured, ElementSpec spec,
                    int64_t cycle_length, int64_t block_length)
      : SpecDataset(std::move(spec)),
        input_(std::move(input)),
        function_(std::move(function)),
        captured_(std::move(captured)),
        cycle_length_(static_cast<size_t>(cycle_length)),
        block_length_(block_length) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<InterleaveStage>(context, std::move(input), function_, captured_,
                                                                    cycle_length_, block_length_));
  }

 private:
  const DatasetPtr input_;
  const FunctionPtr function_;
  const std::vector<Tensor> captured_;
  const size_t cycle_length_;
  const int64_t block_length_;
};

}  // namespace

Result<DatasetPtr> MakeInterleaveDataset(DatasetPtr input, FunctionPtr function, std::vector<Tensor> captured,
                                         ElementSpec spec, int64_t cycle_length, int64_t block_length) {
  if (cycle_length < 1) return InvalidArgument("`cycle_length` must be > 0, got ", cycle_length);
  if (block_length < 1) return InvalidArgument("`block_length` must be > 0, got ", block_length);
  return DatasetPtr(std::make_shared<InterleaveDataset>(std::move(input), std::move(function), std::move(captured),
                                                        std::move(spec), cycle_length, block_length));
}

}  // namespace headrace
