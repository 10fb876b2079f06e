// FunctionLibrary: the functions that a graph may call, by name.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/node_def.h"

namespace headrace {

/// Immutable functions, shared by the graphs and iterators that use them; copying is cheap per function. Not thread-safe.
class HR_EXPORT FunctionLibrary {
 public:
  /// Adds a function; adding an equal one again is fine. Errors: kInvalidArgument for another function of the same name.
  Status Add(FunctionDef function);
  void AddGradient(std::string function_name, std::string gradient_function) {
    gradients_[std::move(function_name)] = std::move(gradient_function);
  }
  /// Returns the function, or nullptr.
  std::shared_ptr<const FunctionDef> Find(std::string_view name) const;
  const std::map<std::string, std::shared_ptr<const FunctionDef>, std::less<>>& functions() const { return functions_; }
  const std::map<std::string, std::string, std::less<>>& gradients() const { return gradients_; }
  bool empty() const { return functions_.empty(); }

 private:
  std::map<std::string, std::shared_ptr<const FunctionDef>, std::less<>> functions_;
  std::map<std::string, std::string, std::less<>> gradients_;
};

}  // namespace headrace
