#include "graph/input_reference.h"

#include <algorithm>
#include <cctype>

namespace headrace {

Result<InputReference> InputReference::Parse(std::string_view text) {
  InputReference reference;
  reference.control = text.starts_with('^');
  reference.node = text.substr(reference.control ? 1 : 0);
  const Status malformed = InvalidArgument("Malformed input '", text, "'; wanted is NODE, NODE:INDEX or ^NODE");
  if (const size_t colon = reference.node.rfind(':'); colon != std::string_view::npos) {
    const std::string_view number = reference.node.substr(colon + 1);
    const bool digits = std::ranges::all_of(number, [](unsigned char c) { return std::isdigit(c); });
    int64_t index = 0;
    if (reference.control || !digits || !ParseInt64(number, &index) || index > INT32_MAX) return malformed;
    reference.index = static_cast<int>(index);
    reference.node = reference.node.substr(0, colon);
  }
  if (reference.node.empty()) return malformed;
  return reference;
}

}  // namespace headrace
