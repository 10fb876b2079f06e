// The way from Variable to its nodes, and back. Not installed.
#pragma once

#include <memory>

#include "api/scope_state.h"
#include "api/variable.h"

namespace headrace::api {

struct VariableAccess {
  static const headrace::train::VariableNodes* Nodes(const Variable& variable) { return variable.nodes_.get(); }
  static Variable Make(const Scope& scope, headrace::train::VariableNodes nodes) {
    Variable variable;
    variable.scope_ = Access::Unnamed(scope);
    variable.nodes_ = std::make_shared<const headrace::train::VariableNodes>(std::move(nodes));
    return variable;
  }
};

}  // namespace headrace::api
