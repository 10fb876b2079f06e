// InputReference: what a NodeDef's input text points at.
#pragma once

#include <string_view>

#include "base/status.h"

namespace headrace {

/// "name", "name:k" or "^name" in a graph. Views into the text.
struct InputReference {
  std::string_view node;
  int index = 0;
  bool control = false;

  /// Errors: kInvalidArgument, quoting the text.
  static Result<InputReference> Parse(std::string_view text);
};

}  // namespace headrace
