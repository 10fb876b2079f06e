// Batch: joins batch_size elements along a new first dimension, in order. Memory: one batch, charged to the pipeline.
#include "data/batch.h"

#include <algorithm>
#include <cstring>

namespace headrace {

namespace {

class BatchStage final : public Stage {
 public:
  BatchStage(IteratorContext* context, std::unique_ptr<Stage> input, int64_t batch_size, bool drop_remainder,
             const JoinRows& join)
      : context_(context),
        input_(std::move(input)),
        batch_size_(batch_size),
        drop_remainder_(drop_remainder),
        join_(join) {}

  Status Next(Element* element, bool* end) override {
    rows_.clear();
    *end = false;
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
      HR_ASSIGN_OR_RETURN(Tensor joined, join_(rows_, component, context_->memory));
      element->push_back(std::move(joined));
    }
    rows_.clear();
    return OkStatus();
  }

  Result<int64_t> Skip(int64_t count) override {
    HR_ASSIGN_OR_RETURN(const int64_t rows,
                        input_->Skip(count > INT64_MAX / batch_size_ ? INT64_MAX : count * batch_size_));
    return rows / batch_size_ + (!drop_remainder_ && rows % batch_size_ != 0 ? 1 : 0);
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const int64_t batch_size_;
  const bool drop_remainder_;
  const JoinRows& join_;
  std::vector<Element> rows_;
};

class BatchDataset final : public SpecDataset {
 public:
  BatchDataset(DatasetPtr input, int64_t batch_size, bool drop_remainder, ElementSpec spec, JoinRows join)
      : SpecDataset(std::move(spec)),
        input_(std::move(input)),
        batch_size_(batch_size),
        drop_remainder_(drop_remainder),
        join_(std::move(join)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(
        std::make_unique<BatchStage>(context, std::move(input), batch_size_, drop_remainder_, join_));
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
  const JoinRows join_;
};

void CopyBytes(std::span<Element> rows, size_t component, Tensor* joined) {
  auto* out = static_cast<char*>(joined->mutable_raw());
  for (const Element& row : rows) {
    const auto bytes = static_cast<size_t>(row[component].size_bytes());
    if (bytes > 0) std::memcpy(out, row[component].raw(), bytes);
    out += bytes;
  }
}

Status MoveObjects(std::span<Element> rows, size_t component, Tensor* joined) {
  return ForDType<std::string, Variant, ResourceHandle>(joined->dtype(), "Batch", [&]<typename T>() {
    T* out = joined->mutable_data<T>().data();
    for (Element& row : rows) {
      const int64_t count = row[component].num_elements();
      MoveOrCopy(row[component], out);
      out += count;
    }
    return OkStatus();
  });
}

Result<Tensor> JoinEqualRows(std::span<Element> rows, size_t component, const std::shared_ptr<MemoryAccount>& account) {
  const Tensor& first = rows[0][component];
  std::vector<int64_t> dims = {static_cast<int64_t>(rows.size())};
  dims.insert(dims.end(), first.shape().dims().begin(), first.shape().dims().end());
  HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
  for (size_t row = 1; row < rows.size(); ++row) {
    const Tensor& other = rows[row][component];
    if (!(other.shape() == first.shape()) || other.dtype() != first.dtype()) {
      return InvalidArgument("Cannot batch tensors with different shapes in component ", component,
                             ". First element had shape ", first.shape(), " and element ", row, " had shape ",
                             other.shape(), ".");
    }
  }
  HR_ASSIGN_OR_RETURN(Tensor joined, Tensor::Allocate(first.dtype(), shape, account));
  if (IsPlainData(first.dtype())) {
    CopyBytes(rows, component, &joined);
  } else {
    HR_RETURN_IF_ERROR(MoveObjects(rows, component, &joined));
  }
  return joined;
}

}  // namespace

DatasetPtr MakeJoiningDataset(DatasetPtr input, int64_t batch_size, bool drop_remainder, ElementSpec spec,
                              JoinRows join) {
  return std::make_shared<BatchDataset>(std::move(input), batch_size, drop_remainder, std::move(spec), std::move(join));
}

PartialShape BatchedShape(const PartialShape& row, int64_t batch_size, bool drop_remainder) {
  if (!row.has_rank()) return row;
  std::vector<int64_t> dims = {drop_remainder ? batch_size : PartialShape::kUnknownDim};
  dims.insert(dims.end(), row.dims().begin(), row.dims().end());
  return PartialShape(std::move(dims));
}

Status CheckBatchSize(int64_t batch_size) {
  if (batch_size > 0) return OkStatus();
  return InvalidArgument("Batch size must be greater than zero: batch_size is ", batch_size);
}

Result<DatasetPtr> MakeBatchDataset(DatasetPtr input, int64_t batch_size, bool drop_remainder) {
  HR_RETURN_IF_ERROR(CheckBatchSize(batch_size));
  ElementSpec spec = SpecOf(*input);
  for (PartialShape& shape : spec.shapes) shape = BatchedShape(shape, batch_size, drop_remainder);
  return MakeJoiningDataset(std::move(input), batch_size, drop_remainder, std::move(spec), JoinEqualRows);
}

}  // namespace headrace
