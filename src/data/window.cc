// Window: elements are windows over the input: for each component a dataset of up to `size` of its tensors, `stride` elements
// apart; the next window begins `shift` elements further. Memory: the elements that one window spans.
#include <deque>

#include "data/stages.h"

namespace headrace {

namespace {

class WindowStage final : public Stage {
 public:
  WindowStage(IteratorContext* context, std::unique_ptr<Stage> input, const WindowOptions& options, ElementSpec row)
      : context_(context), input_(std::move(input)), options_(options), row_(std::move(row)) {}

  Status Next(Element* element, bool* end) override {
    HR_RETURN_IF_ERROR(Fill());
    *end = buffer_.empty() || (options_.drop_remainder && static_cast<int64_t>(buffer_.size()) < Span());
    if (*end) {
      buffer_.clear();
      return OkStatus();
    }
    const auto stride = static_cast<size_t>(options_.stride);
    element->clear();
    for (size_t component = 0; component < row_.types.size(); ++component) {
      std::vector<Element> parts;
      for (size_t i = 0; i < buffer_.size(); i += stride) parts.push_back({buffer_[i][component]});
      element->push_back(
          DatasetToTensor(MakeElementsDataset({{row_.types[component]}, {row_.shapes[component]}}, std::move(parts))));
    }
    const auto held = static_cast<int64_t>(buffer_.size());
    const auto leaving = static_cast<std::ptrdiff_t>(std::min(held, options_.shift));
    buffer_.erase(buffer_.begin(), buffer_.begin() + leaving);
    to_pass_over_ = options_.shift - leaving;  // a gap between this window and the next
    return OkStatus();
  }
  bool MayBlock() const override { return input_->MayBlock(); }

 private:
  int64_t Span() const { return (options_.size - 1) * options_.stride + 1; }

  Status Fill() {
    if (to_pass_over_ > 0 && !input_ended_) HR_RETURN_IF_ERROR(input_->Skip(std::exchange(to_pass_over_, 0)).status());
    while (!input_ended_ && static_cast<int64_t>(buffer_.size()) < Span()) {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("Window"));
      Element row;
      HR_RETURN_IF_ERROR(input_->Next(&row, &input_ended_));
      if (!input_ended_) buffer_.push_back(std::move(row));
    }
    return OkStatus();
  }

  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const WindowOptions options_;
  const ElementSpec row_;
  std::deque<Element> buffer_;
  int64_t to_pass_over_ = 0;
  bool input_ended_ = false;
};

class WindowDataset final : public SpecDataset {
 public:
  WindowDataset(ElementSpec spec, DatasetPtr input, WindowOptions options)
      : SpecDataset(std::move(spec)), input_(std::move(input)), options_(options) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(std::make_unique<WindowStage>(context, std::move(input), options_, SpecOf(*input_)));
  }
  int64_t Cardinality() const override {
    const int64_t size = input_->Cardinality();
    if (size < 0) return size;
    const int64_t span = (options_.size - 1) * options_.stride + 1;
    const int64_t begins = options_.drop_remainder ? size - span + 1 : size;  // elements at which a window may begin
    return begins <= 0 ? 0 : (begins - 1) / options_.shift + 1;
  }

 private:
  const DatasetPtr input_;
  const WindowOptions options_;
};

}  // namespace

Result<DatasetPtr> MakeWindowDataset(DatasetPtr input, const WindowOptions& options) {
  constexpr int64_t kMost = int64_t{1} << 31;
  const auto check = [](std::string_view name, int64_t value) {
    if (value > 0 && value < kMost) return OkStatus();
    return InvalidArgument("Window ", name, " must be greater than zero and below 2^31, got ", value);
  };
  HR_RETURN_IF_ERROR(check("size", options.size));
  HR_RETURN_IF_ERROR(check("shift", options.shift));
  HR_RETURN_IF_ERROR(check("stride", options.stride));
  const size_t components = input->output_types().size();
  ElementSpec spec{std::vector<DType>(components, DType::kVariant),
                   std::vector<PartialShape>(components, PartialShape::Scalar())};
  return DatasetPtr(std::make_shared<WindowDataset>(std::move(spec), std::move(input), options));
}

}  // namespace headrace
