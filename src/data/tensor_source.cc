// TensorSlices: the rows of tensors, in order; a row shares the tensor's buffer. Tensors: the tensors, once.
// Elements: what another stage has collected. Range: numbers. None of them blocks; skipping costs nothing.
#include "data/stages.h"

namespace headrace {

namespace {

/// A source whose element i can be made directly.
class IndexedStage : public Stage {
 public:
  explicit IndexedStage(int64_t size) : size_(size) {}
  Status Next(Element* element, bool* end) override {
    *end = next_ >= size_;
    return *end ? OkStatus() : Make(next_++, element);
  }
  Result<int64_t> Skip(int64_t count) override {
    const int64_t skipped = std::min(count, size_ - next_);
    next_ += skipped;
    return skipped;
  }
  bool MayBlock() const override { return false; }

 protected:
  virtual Status Make(int64_t index, Element* element) = 0;

 private:
  const int64_t size_;
  int64_t next_ = 0;
};

class SliceStage final : public IndexedStage {
 public:
  SliceStage(int64_t size, std::vector<Tensor> components) : IndexedStage(size), components_(std::move(components)) {
    for (const Tensor& component : components_) row_shapes_.push_back(component.shape().WithoutDim(0));
  }

 private:
  Status Make(int64_t index, Element* element) override {
    element->clear();
    for (size_t i = 0; i < components_.size(); ++i) {
      element->push_back(components_[i].Slice(index, index + 1).Reshaped(row_shapes_[i]));
    }
    return OkStatus();
  }

  const std::vector<Tensor> components_;
  std::vector<Shape> row_shapes_;
};

class TensorSliceDataset final : public SpecDataset {
 public:
  TensorSliceDataset(ElementSpec spec, std::vector<Tensor> components)
      : SpecDataset(std::move(spec)), components_(std::move(components)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext*) const override {
    return std::unique_ptr<Stage>(std::make_unique<SliceStage>(Cardinality(), components_));
  }
  int64_t Cardinality() const override { return components_[0].dim(0); }

 private:
  const std::vector<Tensor> components_;
};

class TensorStage final : public IndexedStage {
 public:
  explicit TensorStage(std::vector<Tensor> components) : IndexedStage(1), components_(std::move(components)) {}

 private:
  Status Make(int64_t, Element* element) override {
    *element = components_;
    return OkStatus();
  }
  const std::vector<Tensor> components_;
};

class TensorDataset final : public SpecDataset {
 public:
  TensorDataset(ElementSpec spec, std::vector<Tensor> components)
      : SpecDataset(std::move(spec)), components_(std::move(components)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext*) const override {
    return std::unique_ptr<Stage>(std::make_unique<TensorStage>(components_));
  }
  int64_t Cardinality() const override { return 1; }

 private:
  const std::vector<Tensor> components_;
};

using ElementsPtr = std::shared_ptr<const std::vector<Element>>;

class ElementsStage final : public IndexedStage {
 public:
  explicit ElementsStage(ElementsPtr elements)
      : IndexedStage(static_cast<int64_t>(elements->size())), elements_(std::move(elements)) {}

 private:
  Status Make(int64_t index, Element* element) override {
    *element = (*elements_)[static_cast<size_t>(index)];
    return OkStatus();
  }
  const ElementsPtr elements_;
};

class ElementsDataset final : public SpecDataset {
 public:
  ElementsDataset(ElementSpec spec, std::vector<Element> elements)
      : SpecDataset(std::move(spec)), elements_(std::make_shared<const std::vector<Element>>(std::move(elements))) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext*) const override {
    return std::unique_ptr<Stage>(std::make_unique<ElementsStage>(elements_));
  }
  int64_t Cardinality() const override { return static_cast<int64_t>(elements_->size()); }

 private:
  const ElementsPtr elements_;
};

class RangeStage final : public IndexedStage {
 public:
  RangeStage(int64_t size, int64_t start, int64_t step, DType type)
      : IndexedStage(size), start_(start), step_(step), type_(type) {}

 private:
  Status Make(int64_t index, Element* element) override {
    const int64_t value = start_ + index * step_;
    element->clear();
    return ForDType<int64_t, int32_t, float, double>(type_, "RangeDataset", [&]<typename T>() {
      element->push_back(Tensor::Scalar<T>(static_cast<T>(value)));
      return OkStatus();
    });
  }
  const int64_t start_, step_;
  const DType type_;
};

class RangeDataset final : public SpecDataset {
 public:
  RangeDataset(int64_t start, int64_t step, int64_t size, DType type)
      : SpecDataset({{type}, {PartialShape::Scalar()}}), start_(start), step_(step), size_(size) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext*) const override {
    return std::unique_ptr<Stage>(std::make_unique<RangeStage>(size_, start_, step_, output_types()[0]));
  }
  int64_t Cardinality() const override { return size_; }

 private:
  const int64_t start_, step_, size_;
};

}  // namespace

Result<DatasetPtr> MakeTensorSliceDataset(std::vector<Tensor> components) {
  if (components.empty()) return InvalidArgument("TensorSliceDataset: there are no components");
  ElementSpec spec;
  for (const Tensor& component : components) {
    if (component.rank() == 0) return InvalidArgument("TensorSliceDataset: a component is a scalar: ", component);
    if (component.dim(0) != components[0].dim(0)) {
      return InvalidArgument("TensorSliceDataset: first dimensions differ: ", components[0], " and ", component);
    }
    spec.types.push_back(component.dtype());
    spec.shapes.emplace_back(component.shape().WithoutDim(0));
  }
  return DatasetPtr(std::make_shared<TensorSliceDataset>(std::move(spec), std::move(components)));
}

DatasetPtr MakeTensorDataset(std::vector<Tensor> components) {
  ElementSpec spec;
  for (const Tensor& component : components) {
    spec.types.push_back(component.dtype());
    spec.shapes.emplace_back(component.shape());
  }
  return std::make_shared<TensorDataset>(std::move(spec), std::move(components));
}

DatasetPtr MakeElementsDataset(ElementSpec spec, std::vector<Element> elements) {
  return std::make_shared<ElementsDataset>(std::move(spec), std::move(elements));
}

Result<DatasetPtr> MakeRangeDataset(int64_t start, int64_t stop, int64_t step, DType type) {
  if (step == 0) return InvalidArgument("RangeDataset: step is 0");
  const __int128 distance = step > 0 ? static_cast<__int128>(stop) - start : static_cast<__int128>(start) - stop;
  const __int128 stride = step > 0 ? static_cast<__int128>(step) : -static_cast<__int128>(step);
  const __int128 size = distance <= 0 ? 0 : (distance + stride - 1) / stride;
  if (size > INT64_MAX)
    return InvalidArgument("RangeDataset: too many elements in [", start, ", ", stop, ") by ", step);
  return DatasetPtr(std::make_shared<RangeDataset>(start, step, static_cast<int64_t>(size), type));
}

}  // namespace headrace
