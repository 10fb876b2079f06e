// GroupByWindow: a function gives each element's key; as soon as a key has as many elements as its window takes, another function
// makes a dataset of them, whose elements come next. At the input's end the windows that are not full follow by ascending keys.
// Memory: the elements that wait for their window to fill, and the size of every key's window.
#include <map>

#include "data/stage_function.h"

namespace headrace {

namespace {

class GroupByWindowStage final : public Stage {
 public:
  GroupByWindowStage(IteratorContext* context, std::unique_ptr<Stage> input, const GroupByWindowFunctions& functions,
                     ElementSpec row)
      : context_(context), input_(std::move(input)), functions_(functions), row_(std::move(row)) {}

  Status Next(Element* element, bool* end) override {
    while (true) {
      HR_RETURN_IF_ERROR(context_->CheckInterruption("GroupByWindow"));
      *end = false;
      if (opened_.stage != nullptr) {
        bool window_ended = false;
        HR_RETURN_IF_ERROR(opened_.stage->Next(element, &window_ended));
        if (!window_ended) return OkStatus();
        opened_.Close();
      }
      if (!input_ended_) {
        HR_RETURN_IF_ERROR(TakeElement());
        continue;
      }
      *end = windows_.empty();
      if (*end) return OkStatus();
      const int64_t key = windows_.begin()->first;
      std::vector<Element> rest = std::move(windows_.begin()->second.elements);
      windows_.erase(windows_.begin());
      if (!rest.empty()) HR_RETURN_IF_ERROR(Reduce(key, std::move(rest)));
    }
  }
  bool MayBlock() const override { return true; }  // the functions may

 private:
  struct Window {
    int64_t size;
    std::vector<Element> elements;
  };

  /// Puts the input's next element into its window, and opens that when it is full.
  Status TakeElement() {
    Element row;
    HR_RETURN_IF_ERROR(input_->Next(&row, &input_ended_));
    if (input_ended_) return OkStatus();
    HR_ASSIGN_OR_RETURN(const int64_t key, CallForNumber("key_func", functions_.key, row));
    auto at = windows_.find(key);
    if (at == windows_.end()) {
      HR_ASSIGN_OR_RETURN(const int64_t size,
                          CallForNumber("window_size_func", functions_.window_size, {Tensor::Scalar<int64_t>(key)}));
      if (size <= 0) return InvalidArgument("Window size must be greater than zero, but got ", size, ".");
      at = windows_.emplace(key, Window{size, {}}).first;
    }
    Window& window = at->second;
    window.elements.push_back(std::move(row));
    if (static_cast<int64_t>(window.elements.size()) < window.size) return OkStatus();
    return Reduce(key, std::exchange(window.elements, {}));
  }

  Status Reduce(int64_t key, std::vector<Element> elements) {
    Element arguments{Tensor::Scalar<int64_t>(key), DatasetToTensor(MakeElementsDataset(row_, std::move(elements)))};
    HR_ASSIGN_OR_RETURN(opened_, CallForDataset(*functions_.reduce.function, std::move(arguments),
                                                functions_.reduce.captured, context_));
    return OkStatus();
  }

  Result<int64_t> CallForNumber(std::string_view name, const CapturingFunction& function, Element arguments) {
    HR_ASSIGN_OR_RETURN(std::vector<Tensor> results, CallFunction(function, std::move(arguments), context_));
    if (results.size() != 1 || results[0].dtype() != DType::kInt64 || results[0].num_elements() != 1) {
      return InvalidArgument("`", name, "` must return a scalar int64. It returned ", StrJoin(results, " "));
    }
    return results[0].scalar<int64_t>();
  }

  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const GroupByWindowFunctions& functions_;
  const ElementSpec row_;
  std::map<int64_t, Window> windows_;  // by key
  OpenedDataset opened_;               // of the window that was full last
  bool input_ended_ = false;
};

class GroupByWindowDataset final : public SpecDataset {
 public:
  GroupByWindowDataset(DatasetPtr input, GroupByWindowFunctions functions, ElementSpec spec)
      : SpecDataset(std::move(spec)), input_(std::move(input)), functions_(std::move(functions)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(
        std::make_unique<GroupByWindowStage>(context, std::move(input), functions_, SpecOf(*input_)));
  }

 private:
  const DatasetPtr input_;
  const GroupByWindowFunctions functions_;
};

}  // namespace

DatasetPtr MakeGroupByWindowDataset(DatasetPtr input, GroupByWindowFunctions functions, ElementSpec spec) {
  return std::make_shared<GroupByWindowDataset>(std::move(input), std::move(functions), std::move(spec));
}

}  // namespace headrace
