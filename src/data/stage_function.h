// How stages call graph functions: with an element's components, then the tensors that the function captured.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "data/stages.h"

namespace headrace {

using FunctionPtr = std::shared_ptr<const CompiledFunction>;

inline Result<std::vector<Tensor>> CallFunction(const CompiledFunction& function, Element element,
                                                const std::vector<Tensor>& captured, IteratorContext* context) {
  element.insert(element.end(), captured.begin(), captured.end());
  return function.RunAndWait(std::move(element), &context->cancellation);
}

inline Result<std::vector<Tensor>> CallFunction(const CapturingFunction& function, Element element,
                                                IteratorContext* context) {
  return CallFunction(*function.function, std::move(element), function.captured, context);
}

/// Errors: kInvalidArgument, naming the stage, unless the function gives one boolean.
inline Result<bool> CallPredicate(std::string_view stage, const CompiledFunction& predicate, const Element& element,
                                  const std::vector<Tensor>& captured, IteratorContext* context) {
  HR_ASSIGN_OR_RETURN(std::vector<Tensor> results, CallFunction(predicate, element, captured, context));
  if (results.size() != 1 || results[0].dtype() != DType::kBool || results[0].num_elements() != 1) {
    return InvalidArgument(stage, ": the predicate must give one boolean, got ", StrJoin(results, " "));
  }
  return results[0].scalar<bool>();
}

/// A run through the dataset that a function made of an element.
struct OpenedDataset {
  DatasetPtr dataset;  // outlives the stage
  std::unique_ptr<Stage> stage;

  void Close() {
    stage.reset();
    dataset.reset();
  }
};

inline Result<OpenedDataset> CallForDataset(const CompiledFunction& function, Element element,
                                            const std::vector<Tensor>& captured, IteratorContext* context) {
  HR_ASSIGN_OR_RETURN(std::vector<Tensor> made, CallFunction(function, std::move(element), captured, context));
  if (made.size() != 1) {
    return InvalidArgument("The function must return a single dataset, it returned ", made.size(), " tensors");
  }
  OpenedDataset opened;
  HR_ASSIGN_OR_RETURN(opened.dataset, DatasetFromTensor(made[0]));
  HR_ASSIGN_OR_RETURN(opened.stage, opened.dataset->MakeStage(context));
  return opened;
}

}  // namespace headrace
