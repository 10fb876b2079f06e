// PrefetchStage: a stage that produces ahead, for those that are made of several of them.
#pragma once

#include <memory>

#include "data/dataset.h"

namespace headrace {

class PrefetchStage final : public Stage {
 public:
  PrefetchStage(IteratorContext* context, std::unique_ptr<Stage> input, int64_t buffer_size);
  ~PrefetchStage() override;

  /// Begins to produce, or goes on where there is room; without it, the first Next does.
  void Start();
  Status Next(Element* element, bool* end) override;
  Result<int64_t> Skip(int64_t count) override;
  bool MayBlock() const override { return true; }
  bool HasNext() const override;

 private:
  class Production;
  const std::shared_ptr<Production> production_;
};

}  // namespace headrace
