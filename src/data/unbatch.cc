// Unbatch: the rows of each element, in order; a row shares the element's buffers. Memory: one element of the input.
#include <algorithm>

#include "data/stages.h"

namespace headrace {

namespace {

class UnbatchStage final : public Stage {
 public:
  explicit UnbatchStage(std::unique_ptr<Stage> input) : input_(std::move(input)) {}
  Status Next(Element* element, bool* end) override {
    HR_RETURN_IF_ERROR(Fill(end));
    if (*end) return OkStatus();
    element->clear();
    for (const Tensor& component : batch_) {
      element->push_back(component.Slice(row_, row_ + 1).Reshaped(component.shape().WithoutDim(0)));
    }
    if (++row_ == rows_) batch_.clear();  // gives the buffers up as soon as it can
    return OkStatus();
  }
  Result<int64_t> Skip(int64_t count) override {
    int64_t skipped = 0;
    while (skipped < count) {
      bool end = false;
      HR_RETURN_IF_ERROR(Fill(&end));
      if (end) break;
      const int64_t some = std::min(count - skipped, rows_ - row_);
      row_ += some;
      skipped += some;
    }
    return skipped;
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  /// Goes on to the input's next element with rows in it when the last one is used up.
  Status Fill(bool* end) {
    *end = false;
    while (row_ == rows_) {
      row_ = rows_ = 0;
      Element batch;
      HR_RETURN_IF_ERROR(input_->Next(&batch, end));
      if (*end) return OkStatus();
      for (size_t i = 0; i < batch.size(); ++i) {
        if (batch[i].rank() == 0) {
          return InvalidArgument("Input element must have a non-scalar value in each component. Component ", i, " is ",
                                 batch[i]);
        }
        if (batch[i].dim(0) != batch[0].dim(0)) {
          return InvalidArgument("Input element must have the same batch size in each component. Component 0 had size ",
                                 batch[0].dim(0), " but component ", i, " had size, ", batch[i].dim(0), ".");
        }
      }
      batch_ = std::move(batch);
      rows_ = batch_.empty() ? 0 : batch_[0].dim(0);
    }
    return OkStatus();
  }

  const std::unique_ptr<Stage> input_;
  Element batch_;
  int64_t row_ = 0;
  int64_t rows_ = 0;
};

class UnbatchDataset final : public SpecDataset {
 public:
  UnbatchDataset(ElementSpec spec, DatasetPtr input) : SpecDataset(std::move(spec)), input_(std::move(input)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<UnbatchStage>(std::move(input)));
  }
  int64_t Cardinality() const override {
    const int64_t size = input_->Cardinality();
    if (size <= 0) return size;
    for (const PartialShape& shape : input_->output_shapes()) {
      if (shape.rank() >= 1 && shape.dim(0) >= 0) return size * shape.dim(0);
    }
    return kUnknown;
  }

 private:
  const DatasetPtr input_;
};

}  // namespace

Result<DatasetPtr> MakeUnbatchDataset(DatasetPtr input) {
  ElementSpec spec{input->output_types(), {}};
  for (const PartialShape& shape : input->output_shapes()) {
    if (shape.rank() == 0) {
      return InvalidArgument("Input element must have a non-scalar value in each component, the dataset's shapes are ",
                             StrJoin(input->output_shapes(), " "));
    }
    spec.shapes.push_back(shape.has_rank()
                              ? PartialShape(std::vector<int64_t>(shape.dims().begin() + 1, shape.dims().end()))
                              : PartialShape());
  }
  return DatasetPtr(std::make_shared<UnbatchDataset>(std::move(spec), std::move(input)));
}

}  // namespace headrace
