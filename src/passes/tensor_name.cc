// See tensor_name.h.
#include "passes/tensor_name.h"

#include <limits>

#include "base/strings.h"

namespace headrace {

std::optional<TensorName> TensorName::Parse(std::string_view text) {
  if (text.empty() || text.front() == '^') return std::nullopt;
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return TensorName{std::string(text), 0};
  int64_t index = 0;
  if (colon == 0 || !ParseInt64(text.substr(colon + 1), &index)) return std::nullopt;
  if (index < 0 || index > std::numeric_limits<int>::max()) return std::nullopt;
  return TensorName{std::string(text.substr(0, colon)), static_cast<int>(index)};
}

}  // namespace headrace
