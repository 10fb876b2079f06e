#include "ops/io/type_text.h"

#include "base/strings.h"

namespace headrace {

std::string TypeText(DType dtype) {
  std::string text(DTypeEnumName(dtype).substr(3));
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string TypesText(const std::vector<DType>& dtypes) {
  std::string text;
  for (const DType dtype : dtypes) text += StrCat(text.empty() ? "" : ", ", TypeText(dtype));
  return text;
}

}  // namespace headrace
