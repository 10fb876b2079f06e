// Ops that call functions, and what they are given.
#pragma once

#include <algorithm>
#include <string_view>

#include "graph/op_signature.h"

namespace headrace {

/// True for PartitionedCall, If, Case, While and their forms with or without state: ops that do nothing but call functions.
inline bool IsFunctionCall(std::string_view op) {
  for (const std::string_view form : {"Stateful", "Stateless"}) {
    if (op.starts_with(form)) op.remove_prefix(form.size());
  }
  return op == "PartitionedCall" || op == "If" || op == "Case" || op == "While";
}

/// True for any op that has a function among its attributes.
inline bool TakesFunctions(const OpSignature& signature) {
  return std::ranges::any_of(signature.attrs,
                             [](const AttrSignature& attr) { return attr.kind.find("func") != std::string::npos; });
}

/// Handles to state, lists and datasets: what they stand for stays in its task.
inline bool IsHandle(DType type) { return type == DType::kResource || type == DType::kVariant; }

}  // namespace headrace
