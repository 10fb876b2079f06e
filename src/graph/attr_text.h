// How single values look in attributes' text: in signatures, messages and the text form of graphs.
#pragma once

#include <string>
#include <string_view>

#include "base/export.h"

namespace headrace {

/// The shortest decimal text that reads back as the float's exact value, always with a point or an exponent: "1.0",
/// "9.999999747378752e-05", "inf".
HR_EXPORT std::string FloatText(float value);

/// The text between single quotes, with \', \\, \n, \t, \r and \xHH for what is not printable ASCII.
HR_EXPORT std::string QuotedText(std::string_view text);

}  // namespace headrace
