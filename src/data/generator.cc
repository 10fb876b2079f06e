// Generator: elements that functions make one by one. The first function gives a run's state, the second an element of it, and the
// third is told the state when the run is over: at the end, which is the second function's kOutOfRange, or when the run is dropped.
// Memory: the state.
#include "data/stage_function.h"

namespace headrace {

namespace {

class GeneratorStage final : public Stage {
 public:
  GeneratorStage(IteratorContext* context, const GeneratorFunctions& functions)
      : context_(context), functions_(functions) {}
  ~GeneratorStage() override { Finish(); }

  Status Next(Element* element, bool* end) override {
    *end = ended_;
    if (ended_) return OkStatus();
    if (!begun_) {
      HR_ASSIGN_OR_RETURN(state_, CallFunction(functions_.begin, {}, context_));
      begun_ = true;
    }
    Result<Element> next = CallFunction(functions_.next, state_, context_);
    if (next.ok()) {
      *element = *std::move(next);
      return OkStatus();
    }
    if (next.status().code() != Code::kOutOfRange) return next.status();
    ended_ = *end = true;
    Finish();
    return OkStatus();
  }
  bool MayBlock() const override { return true; }  // the functions may

 private:
  /// Does not wait: the function may need what the thread that drops the run holds.
  void Finish() {
    if (!begun_) return;
    begun_ = false;
    Element args = std::move(state_);
    const CapturingFunction& finish = functions_.finish;
    args.insert(args.end(), finish.captured.begin(), finish.captured.end());
    finish.function->Run(
        std::move(args), nullptr,
        [function = finish.function, runner = context_->functions](const Status&, const std::vector<Tensor>&) {});
  }

  IteratorContext* const context_;
  const GeneratorFunctions& functions_;
  Element state_;
  bool begun_ = false;
  bool ended_ = false;
};

class GeneratorDataset final : public SpecDataset {
 public:
  GeneratorDataset(GeneratorFunctions functions, ElementSpec spec)
      : SpecDataset(std::move(spec)), functions_(std::move(functions)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    return std::unique_ptr<Stage>(std::make_unique<GeneratorStage>(context, functions_));
  }

 private:
  const GeneratorFunctions functions_;
};

}  // namespace

DatasetPtr MakeGeneratorDataset(GeneratorFunctions functions, ElementSpec spec) {
  return std::make_shared<GeneratorDataset>(std::move(functions), std::move(spec));
}

}  // namespace headrace
