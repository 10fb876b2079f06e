// Random: numbers for ever, those of TensorFlow's RandomDataset at equal seeds. Sampling: each element of the input with a
// probability, chosen as TensorFlow's SamplingDataset does. Neither holds anything.
#include "data/seed_generator.h"
#include "data/stages.h"

namespace headrace {

namespace {

class RandomStage final : public Stage {
 public:
  explicit RandomStage(Seeds seeds) : words_(seeds.seed, seeds.seed2) {}
  Status Next(Element* element, bool* end) override {
    *end = false;
    element->assign({Tensor::Scalar<int64_t>(words_.Next())});
    return OkStatus();
  }
  Result<int64_t> Skip(int64_t count) override {
    words_.Skip(static_cast<uint64_t>(count));
    return count;
  }
  bool MayBlock() const override { return false; }

 private:
  PhiloxWords words_;
};

class RandomDataset final : public SpecDataset {
 public:
  explicit RandomDataset(Seeds seeds) : SpecDataset({{DType::kInt64}, {PartialShape::Scalar()}}), seeds_(seeds) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext*) const override {
    return std::unique_ptr<Stage>(std::make_unique<RandomStage>(seeds_));
  }
  int64_t Cardinality() const override { return kInfinite; }

 private:
  const Seeds seeds_;
};

class SamplingStage final : public Stage {
 public:
  SamplingStage(IteratorContext* context, std::unique_ptr<Stage> input, float rate, Seeds seeds)
      : context_(context), input_(std::move(input)), rate_(rate), words_(seeds.seed, seeds.seed2) {}
  Status Next(Element* element, bool* end) override {
    constexpr float kUnit = 1.0f / (1 << 23);  // 23 random bits make a number in [0, 1)
    do {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("Sampling"));
      HR_RETURN_IF_ERROR(input_->Next(element, end));
    } while (!*end && static_cast<float>(words_.Next() & 0x7fffff) * kUnit >= rate_);
    return OkStatus();
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const float rate_;
  PhiloxWords words_;
};

class SamplingDataset final : public SpecDataset {
 public:
  SamplingDataset(DatasetPtr input, float rate, Seeds seeds)
      : SpecDataset(SpecOf(*input)), input_(std::move(input)), rate_(rate), seeds_(seeds) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<SamplingStage>(context, std::move(input), rate_, seeds_));
  }

 private:
  const DatasetPtr input_;
  const float rate_;
  const Seeds seeds_;
};

}  // namespace

DatasetPtr MakeRandomDataset(int64_t seed, int64_t seed2) {
  return std::make_shared<RandomDataset>(Seeds::FromOp(seed, seed2));
}

DatasetPtr MakeSamplingDataset(DatasetPtr input, float rate, int64_t seed, int64_t seed2) {
  return std::make_shared<SamplingDataset>(std::move(input), rate, Seeds::FromOp(seed, seed2));
}

}  // namespace headrace
