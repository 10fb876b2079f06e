// HR_CHECK: for faults of our own. Never reachable from a graph, a file or the network: those get a Status.
#pragma once

#include "base/export.h"

namespace headrace {

[[noreturn]] HR_EXPORT void CheckFailed(const char* condition, const char* file, int line);

}  // namespace headrace

#define HR_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::headrace::CheckFailed(#condition, __FILE__, __LINE__))
