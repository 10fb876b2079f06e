// The machine that the process runs on.
#pragma once

#include <string>

#include "base/export.h"

namespace headrace {

/// Its name in the network; "localhost" where it has none.
HR_EXPORT std::string HostName();

}  // namespace headrace
