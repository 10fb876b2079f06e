// Batch: joins batch_size elements along a new first dimension, in order. Memory: one batch, charged to the pipeline.
#include <algorithm>
#include <cstring>

#include "data/stages.h"

namespace headrace {

namespace {

class BatchStage final : public Stage {
 public:
  BatchStage(IteratorContext* context, std::unique_ptr<Stage> input, int64_t batch_size, bool drop_remainder)
      : context_(context), input_(std::move(input)), batch_size_(batch_size), drop_remainder_(drop_remainder) {}

  Status Next(Element* element, bool* end) override {
    rows_.clear();
    while (static_cast<int64_t>(rows_.size()) < batch_size_) {
      Element row;
      HR_RETURN_IF_ERROR(input_->Next(&row, end));
      if (*end) break;
      rows_.push_back(std::move(row));
    }
    *end = rows_.empty() || (drop_remainder_ && static_cast<int64_t>(rows_.size()) < batch_size_);
    if (*end) return OkStatus();
    element->clear();
    for (size_t component = 0; component < rows_[0].size(); ++component) {
      HR_ASSIGN_OR_RETURN(Tensor joined, JoinRows(component));
      element->push_back(std::move(joined));
    }
    return OkStatus();
  }

  Result<int64_t> Skip(int64_t count) override {
    HR_ASSIGN_OR_RETURN(const int64_t rows,
                        input_->Skip(count > INT64_MAX / batch_size_ ? INT64_MAX : count * batch_size_));
    return drop_remainder_ ? rows / batch_size_ : (rows + batch_size_ - 1) / batch_size_;
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  Result<Tensor> JoinRows(size_t component) {
    const Tensor& first = rows_[0][component];
    std::vector<int64_t> dims = {static_cast<int64_t>(rows_.size())};
    dims.insert(dims.end(), first.shape().dims().begin(), first.shape().dims().end());
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    for (size_t row = 1; row < rows_.size(); ++row) {
      const Tensor& other = rows_[row][component];
      if (!(other.shape() == first.shape()) || other.dtype() != first.dtype()) {
        return InvalidArgument("Cannot batch tensors with different shapes in component ", component,
                               ". First element had shape ", first.shape(), " and element ", row, " had shape ",
                               other.shape(), ".");
      }
    }
    HR_ASSIGN_OR_RETURN(Tensor joined, Tensor::Allocate(first.dtype(), shape, context_->memory));
    HR_RETURN_IF_ERROR(IsPlainData(first.dtype()) ? CopyBytes(component, &joined) : MoveObjects(component, &joined));
    return joined;
  }

  Status CopyBytes(size_t component, Tensor* joined) {
    auto* out = static_cast<char*>(joined->mutable_raw());
    for (const Element& row : rows_) {
      const auto bytes = static_cast<size_t>(row[component].size_bytes());
      if (bytes > 0) std::memcpy(out, row[component].raw(), bytes);
      out += bytes;
    }
    return OkStatus();
  }

  Status MoveObjects(size_t component, Tensor* joined) {
    return ForDType<std::string, Variant, ResourceHandle>(joined->dtype(), "Batch", [&]<typename T>() {
      auto out = joined->mutable_data<T>().begin();
      for (Element& row : rows_) {
        Tensor& part = row[component];
        if (part.OwnsBuffer()) {
          out = std::ranges::move(part.mutable_data<T>(), out).out;
        } else {
          out = std::ranges::copy(part.data<T>(), out).out;
        }
      }
      return OkStatus();
    });
  }

  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const int64_t batch_size_;
  const bool drop_remainder_;
  std::vector<Element> rows_;
};

ElementSpec BatchedSpec(const Dataset& input, int64_t batch_size, bool drop_remainder) {
  ElementSpec spec = SpecOf(input);
  for (PartialShape& shape : spec.shapes) {
    if (!shape.has_rank()) continue;
    std::vector<int64_t> dims = {drop_remainder ? batch_size : PartialShape::kUnknownDim};
    dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
    shape = PartialShape(std::move(dims));
  }
  return spec;
}

class BatchDataset final : public SpecDataset {
 public:
  BatchDataset(DatasetPtr input, int64_t batch_size, bool drop_remainder)
      : SpecDataset(BatchedSpec(*input, batch_size, drop_remainder)),
        input_(std::move(input)),
        batch_size_(batch_size),
        drop_remainder_(drop_remainder) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(
        std::make_unique<BatchStage>(context, std::move(input), batch_size_, drop_remainder_));
  }
  int64_t Cardinality() const override {
    const int64_t size = input_->Cardinality();
    if (size < 0) return size;
    return size / batch_size_ + (!drop_remainder_ && size % batch_size_ != 0 ? 1 : 0);
  }

 private:
  const DatasetPtr input_;
  const int64_t batch_size_;
  const bool drop_remainder_;
};

}  // namespace

Result<DatasetPtr> MakeBatchDataset(DatasetPtr input, int64_t batch_size, bool drop_remainder) {
  if (batch_size < 1) return InvalidArgument("Batch: batch_size must be greater than zero, got ", batch_size);
  return DatasetPtr(std::make_shared<BatchDataset>(std::move(input), batch_size, drop_remainder));
}

}  // namespace headrace
