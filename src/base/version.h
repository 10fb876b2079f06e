// The version of this build, as in CMakeLists.txt.
#pragma once

#include "base/export.h"

namespace headrace {

/// "1.2.3".
HR_EXPORT extern const char kVersion[];

}  // namespace headrace
