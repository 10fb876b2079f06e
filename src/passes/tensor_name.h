// TensorName: "node:index", the way clients name what they feed and fetch.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/export.h"

namespace headrace {

/// An output of a node, by name. "x" means output 0.
struct HR_EXPORT TensorName {
  std::string node;
  int index = 0;

  /// Reads "node:index" or "node"; nullopt for anything else (a control input "^node" included).
  static std::optional<TensorName> Parse(std::string_view text);
  std::string ToString() const { return node + ":" + std::to_string(index); }
  friend bool operator==(const TensorName&, const TensorName&) = default;
};

}  // namespace headrace
