#include "kernel/runtime.h"

#include <unistd.h>

#include <algorithm>

namespace headrace {

namespace {

int64_t MachineMemoryBytes() {
  const int64_t pages = sysconf(_SC_PHYS_PAGES);
  const int64_t page_bytes = sysconf(_SC_PAGESIZE);
  return pages > 0 && page_bytes > 0 ? pages * page_bytes : int64_t{8} << 30;
}

}  // namespace

std::shared_ptr<Runtime> Runtime::Default() {
  static const auto* runtime = new std::shared_ptr<Runtime>(std::make_shared<Runtime>(Runtime{
      .files = &RealFileSystem(),
      .clock = &RealClock(),
      .compute = &ComputePool(),
      .blocking = &BlockingPool(),
      .memory = std::make_shared<MemoryAccount>(MachineMemoryBytes()),
  }));
  return *runtime;
}

}  // namespace headrace
