// Zip: the components of one element of each input, side by side; ends with the first input that ends.
#include <algorithm>

#include "data/stages.h"

namespace headrace {

namespace {

class ZipStage final : public Stage {
 public:
  explicit ZipStage(std::vector<std::unique_ptr<Stage>> inputs) : inputs_(std::move(inputs)) {}
  Status Next(Element* element, bool* end) override {
    element->clear();
    *end = false;
    for (const auto& input : inputs_) {
      Element part;
      HR_RETURN_IF_ERROR(input->Next(&part, end));
      if (*end) return OkStatus();
      std::ranges::move(part, std::back_inserter(*element));
    }
    return OkStatus();
  }
  bool MayBlock() const override {
    return std::ranges::any_of(inputs_, [](const auto& input) { return input->MayBlock(); });
  }

 private:
  const std::vector<std::unique_ptr<Stage>> inputs_;
};

ElementSpec ZippedSpec(const std::vector<DatasetPtr>& inputs) {
  ElementSpec spec;
  for (const DatasetPtr& input : inputs) {
    std::ranges::copy(input->output_types(), std::back_inserter(spec.types));
    std::ranges::copy(input->output_shapes(), std::back_inserter(spec.shapes));
  }
  return spec;
}

class ZipDataset final : public SpecDataset {
 public:
  explicit ZipDataset(std::vector<DatasetPtr> inputs) : SpecDataset(ZippedSpec(inputs)), inputs_(std::move(inputs)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    std::vector<std::unique_ptr<Stage>> stages;
    for (const DatasetPtr& input : inputs_) {
      HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> stage, input->MakeStage(context));
      stages.push_back(std::move(stage));
    }
    return std::unique_ptr<Stage>(std::make_unique<ZipStage>(std::move(stages)));
  }
  int64_t Cardinality() const override {
    int64_t smallest = kInfinite;
    for (const DatasetPtr& input : inputs_) {
      const int64_t size = input->Cardinality();
      if (size == kUnknown) return kUnknown;
      if (size != kInfinite) smallest = smallest == kInfinite ? size : std::min(smallest, size);
    }
    return smallest;
  }

 private:
  const std::vector<DatasetPtr> inputs_;
};

}  // namespace

DatasetPtr MakeZipDataset(std::vector<DatasetPtr> inputs) { return std::make_shared<ZipDataset>(std::move(inputs)); }

}  // namespace headrace
