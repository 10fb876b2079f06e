// GroupByWindow: elements with the same key are collected until there are as many as that key's window has; a function makes a
// dataset of the window, whose elements are yielded before anything else is read. At the input's end the windows begun follow,
// in the order of their keys. A key's window size is asked for once. Memory: the elements of the windows begun, and a number for
// each key.
#include <map>
#include <unordered_map>

#include "data/stage_function.h"

namespace headrace {

namespace {

struct Functions {
  FunctionCall key, reduce, window_size;
};

class GroupByWindowStage final : public Stage {
 public:
  GroupByWindowStage(IteratorContext* context, std::unique_ptr<Stage> input, ElementSpec row,
                     const Functions& functions)
      : context_(context), input_(std::move(input)), row_(std::move(row)), functions_(functions) {}

  Status Next(Element* element, bool* end) override {
    while (true) {
      if (window_.stage != nullptr) {
        HR_RETURN_IF_ERROR(window_.stage->Next(element, end));
        if (!*end) return OkStatus();
        window_.Close();
      }
      HR_RETURN_IF_ERROR(context_->CheckInterruption("GroupByWindow"));
      if (!input_ended_) {
        HR_RETURN_IF_ERROR(TakeElement());
        continue;
      }
      *end = begun_.empty();
      if (*end) return OkStatus();
      HR_RETURN_IF_ERROR(OpenWindow(begun_.begin()));
    }
  }
  bool MayBlock() const override { return true; }  // the functions may

 private:
  using Windows = std::map<int64_t, std::vector<Element>>;

  Status TakeElement() {
    Element row;
    HR_RETURN_IF_ERROR(input_->Next(&row, &input_ended_));
    if (input_ended_) return OkStatus();
    HR_ASSIGN_OR_RETURN(const int64_t key, CallForNumber("key_func", functions_.key, row, context_));
    HR_ASSIGN_OR_RETURN(const int64_t size, SizeOf(key));
    const auto window = begun_.try_emplace(key).first;
    window->second.push_back(std::move(row));
    return std::ssize(window->second) < size ? OkStatus() : OpenWindow(window);
  }

  Result<int64_t> SizeOf(int64_t key) {
    const auto known = sizes_.find(key);
    if (known != sizes_.end()) return known->second;
    HR_ASSIGN_OR_RETURN(const int64_t size, CallForNumber("window_size_func", functions_.window_size,
                                                          {Tensor::Scalar<int64_t>(key)}, context_));
    if (size <= 0) return InvalidArgument("Window size must be greater than zero, but got ", size, ".");
    sizes_.emplace(key, size);
    return size;
  }

  /// After an error the window is gone.
  Status OpenWindow(Windows::iterator window) {
    auto [key, elements] = std::move(*window);
    begun_.erase(window);
    Element arguments = {Tensor::Scalar<int64_t>(key), DatasetToTensor(MakeElementsDataset(row_, std::move(elements)))};
    HR_ASSIGN_OR_RETURN(window_, CallForDataset(*functions_.reduce.function, std::move(arguments),
                                                functions_.reduce.captured, context_));
    return OkStatus();
  }

  IteratorContext* const context_;
  const std::unique_ptr<Stage> input_;
  const ElementSpec row_;
  const Functions& functions_;
  Windows begun_;
  std::unordered_map<int64_t, int64_t> sizes_;
  OpenedDataset window_;
  bool input_ended_ = false;
};

class GroupByWindowDataset final : public SpecDataset {
 public:
  GroupByWindowDataset(DatasetPtr input, Functions functions, ElementSpec spec)
      : SpecDataset(std::move(spec)), input_(std::move(input)), functions_(std::move(functions)) {}
  Result<std::unique_ptr<Stage>> MakeStage(IteratorContext* context) const override {
    HR_ASSIGN_OR_RETURN(std::unique_ptr<Stage> input, input_->MakeStage(context));
    return std::unique_ptr<Stage>(
        std::make_unique<GroupByWindowStage>(context, std::move(input), SpecOf(*input_), functions_));
  }

 private:
  const DatasetPtr input_;
  const Functions functions_;
};

}  // namespace

DatasetPtr MakeGroupByWindowDataset(DatasetPtr input, FunctionCall key, FunctionCall reduce, FunctionCall window_size,
                                    ElementSpec spec) {
  return std::make_shared<GroupByWindowDataset>(
      std::move(input), Functions{std::move(key), std::move(reduce), std::move(window_size)}, std::move(spec));
}

}  // namespace headrace
