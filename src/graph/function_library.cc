#include "graph/function_library.h"

#include <algorithm>

namespace headrace {

namespace {

bool SameNode(const NodeDef& a, const NodeDef& b) {
  return a.name == b.name && a.op == b.op && a.device == b.device && a.inputs == b.inputs && a.attrs == b.attrs;
}

bool SameFunction(const FunctionDef& a, const FunctionDef& b) {
  return a.signature.ToString() == b.signature.ToString() && std::ranges::equal(a.nodes, b.nodes, SameNode) &&
         a.returns == b.returns && a.control_returns == b.control_returns && a.attrs == b.attrs &&
         a.arg_attrs == b.arg_attrs;
}

}  // namespace

Status FunctionLibrary::Add(FunctionDef function) {
  const std::string name = function.signature.name;
  if (name.empty()) return InvalidArgument("A function of the library has no name");
  const auto found = functions_.find(name);
  if (found != functions_.end()) {
    if (SameFunction(*found->second, function)) return OkStatus();
    return InvalidArgument("Cannot add function '", name,
                           "' because a different function with the same name already exists.");
  }
  functions_.emplace(name, std::make_shared<const FunctionDef>(std::move(function)));
  return OkStatus();
}

std::shared_ptr<const FunctionDef> FunctionLibrary::Find(std::string_view name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second;
}

}  // namespace headrace
