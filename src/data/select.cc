// Stages that choose among their input's elements, in order and without holding any: Repeat, Take, Skip, Shard, Concatenate.
#include <algorithm>

#include "data/stages.h"

namespace headrace {

namespace {

class RepeatStage final : public Stage {
 public:
  RepeatStage(IteratorContext* context, DatasetPtr input, int64_t count)
      : context_(context), input_(std::move(input)), count_(count) {}

  Status Next(Element* element, bool* end) override {
    while (true) {
      HR_RETURN_IF_ERROR(Open(end));
      if (*end) return OkStatus();
      HR_RETURN_IF_ERROR(stage_->Next(element, end));
      if (!*end) {
        epoch_is_empty_ = false;
        return OkStatus();
      }
      CloseEpoch();
    }
  }
  Result<int64_t> Skip(int64_t count) override {
    int64_t skipped = 0;
    while (skipped < count) {
      bool end = false;
      HR_RETURN_IF_ERROR(Open(&end));
      if (end) break;
      HR_ASSIGN_OR_RETURN(const int64_t some, stage_->Skip(count - skipped));
      if (some > 0) epoch_is_empty_ = false;
      skipped += some;
      if (skipped < count) CloseEpoch();
    }
    return skipped;
  }
  bool MayBlock() const override { return stage_ == nullptr || stage_->MayBlock(); }

 private:
  Status Open(bool* end) {
    *end = count_ >= 0 && epoch_ >= count_;
    if (stage_ != nullptr || *end) return OkStatus();
    HR_ASSIGN_OR_RETURN(stage_, input_->MakeStage(context_));
    epoch_is_empty_ = true;
    return OkStatus();
  }
  /// An epoch without elements ends the repetition: otherwise repeating nothing for ever would never return.
  void CloseEpoch() {
    stage_.reset();
    ++epoch_;
    if (epoch_is_empty_) count_ = 0;
  }

  IteratorContext* const context_;
  const DatasetPtr input_;
  int64_t count_;
  int64_t epoch_ = 0;
  bool epoch_is_empty_ = true;
  std::unique_ptr<Stage> stage_;
};

class RepeatDataset final : public SpecDataset {
 public:
  RepeatDataset(DatasetPtr input, int64_t count)
      : SpecDataset(SpecOf(*input)), input_(std::move(input)), count_(count) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    auto stage = std::make_unique<RepeatStage>(context, input_, count_);
    HR_RETURN_IF_ERROR(OpenNow(*stage));
    return std::unique_ptr<Stage>(std::move(stage));
  }
  int64_t Cardinality() const override { return RepeatedCardinality(input_->Cardinality(), count_); }

 private:
  /// Makes the first epoch's stage, so that its faults are found here and MayBlock knows it.
  static Status OpenNow(Stage& stage) { return stage.Skip(0).status(); }

  const DatasetPtr input_;
  const int64_t count_;
};

class TakeStage final : public Stage {
 public:
  TakeStage(std::unique_ptr<Stage> input, int64_t count) : input_(std::move(input)), left_(count) {}
  Status Next(Element* element, bool* end) override {
    *end = left_ == 0;
    if (*end) return OkStatus();
    if (left_ > 0) --left_;
    return input_->Next(element, end);
  }
  Result<int64_t> Skip(int64_t count) override {
    HR_ASSIGN_OR_RETURN(const int64_t skipped, input_->Skip(left_ < 0 ? count : std::min(count, left_)));
    if (left_ > 0) left_ -= skipped;
    return skipped;
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  const std::unique_ptr<Stage> input_;
  int64_t left_;  // < 0: no limit
};

class TakeDataset final : public SpecDataset {
 public:
  TakeDataset(DatasetPtr input, int64_t count) : SpecDataset(SpecOf(*input)), input_(std::move(input)), count_(count) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<TakeStage>(std::move(input), count_));
  }
  int64_t Cardinality() const override {
    const int64_t size = input_->Cardinality();
    if (count_ < 0) return size;
    if (size == kInfinite) return count_;
    return size == kUnknown ? kUnknown : std::min(size, count_);
  }

 private:
  const DatasetPtr input_;
  const int64_t count_;
};

class SkipStage final : public Stage {
 public:
  SkipStage(std::unique_ptr<Stage> input, int64_t count) : input_(std::move(input)), left_(count) {}
  Status Next(Element* element, bool* end) override {
    HR_RETURN_IF_ERROR(PassOver());
    return input_->Next(element, end);
  }
  Result<int64_t> Skip(int64_t count) override {
    HR_RETURN_IF_ERROR(PassOver());
    return input_->Skip(count);
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  Status PassOver() {
    const int64_t count = left_;
    left_ = 0;  // once, also where it fails
    return count > 0 ? input_->Skip(count).status() : OkStatus();
  }
  const std::unique_ptr<Stage> input_;
  int64_t left_;
};

class SkipDataset final : public SpecDataset {
 public:
  SkipDataset(DatasetPtr input, int64_t count) : SpecDataset(SpecOf(*input)), input_(std::move(input)), count_(count) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    if (count_ < 0) return std::unique_ptr<Stage>(std::make_unique<TakeStage>(std::move(input), 0));
    return std::unique_ptr<Stage>(std::make_unique<SkipStage>(std::move(input), count_));
  }
  int64_t Cardinality() const override {
    const int64_t size = input_->Cardinality();
    if (count_ < 0) return 0;
    return size < 0 ? size : std::max<int64_t>(0, size - count_);
  }

 private:
  const DatasetPtr input_;
  const int64_t count_;
};

class ShardStage final : public Stage {
 public:
  ShardStage(std::unique_ptr<Stage> input, int64_t num_shards, int64_t index)
      : input_(std::move(input)), num_shards_(num_shards), before_(index) {}
  Status Next(Element* element, bool* end) override {
    HR_ASSIGN_OR_RETURN(const int64_t skipped, input_->Skip(before_));
    *end = skipped < before_;
    before_ = num_shards_ - 1;
    return *end ? OkStatus() : input_->Next(element, end);
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  const std::unique_ptr<Stage> input_;
  const int64_t num_shards_;
  int64_t before_;  // elements of other shards before the next one
};

class ShardDataset final : public SpecDataset {
 public:
  ShardDataset(DatasetPtr input, int64_t num_shards, int64_t index)
      : SpecDataset(SpecOf(*input)), input_(std::move(input)), num_shards_(num_shards), index_(index) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<ShardStage>(std::move(input), num_shards_, index_));
  }
  int64_t Cardinality() const override {
    const int64_t size = input_->Cardinality();
    return size < 0 ? size : size / num_shards_ + (index_ < size % num_shards_ ? 1 : 0);
  }

 private:
  const DatasetPtr input_;
  const int64_t num_shards_, index_;
};

class ConcatenateStage final : public Stage {
 public:
  ConcatenateStage(std::unique_ptr<Stage> first, std::unique_ptr<Stage> second)
      : first_(std::move(first)), second_(std::move(second)) {}
  Status Next(Element* element, bool* end) override {
    if (!in_second_) {
      HR_RETURN_IF_ERROR(first_->Next(element, end));
      if (!*end) return OkStatus();
      in_second_ = true;
    }
    return second_->Next(element, end);
  }
  bool MayBlock() const override { return first_->MayBlock() || second_->MayBlock(); }

 private:
  const std::unique_ptr<Stage> first_, second_;
  bool in_second_ = false;
};

class ConcatenateDataset final : public SpecDataset {
 public:
  ConcatenateDataset(ElementSpec spec, DatasetPtr first, DatasetPtr second)
      : SpecDataset(std::move(spec)), first_(std::move(first)), second_(std::move(second)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> first, first_->MakeStage(context));
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> second, second_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<ConcatenateStage>(std::move(first), std::move(second)));
  }
  int64_t Cardinality() const override {
    const int64_t a = first_->Cardinality(), b = second_->Cardinality();
    if (a == kInfinite || b == kInfinite) return kInfinite;
    return a < 0 || b < 0 ? kUnknown : a + b;
  }

 private:
  const DatasetPtr first_, second_;
};

}  // namespace

int64_t RepeatedCardinality(int64_t size, int64_t count) {
  if (count == 0 || size == 0) return 0;
  if (count < 0) return size == Dataset::kUnknown ? size : Dataset::kInfinite;
  if (size < 0) return size;
  return size > INT64_MAX / count ? Dataset::kInfinite : size * count;
}

Status WidenSpec(const Dataset& other, ElementSpec* spec) {
  if (spec->types != other.output_types()) {
    return InvalidArgument("The datasets' types differ: [", StrJoin(spec->types, ","), "] and [",
                           StrJoin(other.output_types(), ","), "]");
  }
  for (size_t i = 0; i < spec->shapes.size(); ++i) {
    PartialShape& shape = spec->shapes[i];
    const PartialShape& second = other.output_shapes()[i];
    if (shape.rank() != second.rank()) {
      shape = PartialShape();
      continue;
    }
    for (int d = 0; d < shape.rank(); ++d) {
      if (shape.dim(d) != second.dim(d)) shape.SetDim(d, PartialShape::kUnknownDim);
    }
  }
  return OkStatus();
}

DatasetPtr MakeRepeatDataset(DatasetPtr input, int64_t count) {
  return std::make_shared<RepeatDataset>(std::move(input), count);
}

DatasetPtr MakeTakeDataset(DatasetPtr input, int64_t count) {
  return std::make_shared<TakeDataset>(std::move(input), count);
}

DatasetPtr MakeSkipDataset(DatasetPtr input, int64_t count) {
  return std::make_shared<SkipDataset>(std::move(input), count);
}

Result<DatasetPtr> MakeShardDataset(DatasetPtr input, int64_t num_shards, int64_t index) {
  if (num_shards < 1)
    return InvalidArgument("Number of shards must be greater than zero (currently num_shards = ", num_shards, ").");
  if (index < 0 || index >= num_shards) {
    return InvalidArgument("Index must be between 0 and ", num_shards - 1, " (currently index = ", index, ").");
  }
  return DatasetPtr(std::make_shared<ShardDataset>(std::move(input), num_shards, index));
}

Result<DatasetPtr> MakeConcatenateDataset(DatasetPtr first, DatasetPtr second) {
  ElementSpec spec = SpecOf(*first);
  HR_RETURN_IF_ERROR(WidenSpec(*second, &spec));
  return DatasetPtr(std::make_shared<ConcatenateDataset>(std::move(spec), std::move(first), std::move(second)));
}

}  // namespace headrace
