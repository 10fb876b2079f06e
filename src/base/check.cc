#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace headrace {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "headrace: %s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace headrace
