// Runtime: what the outside world is to an engine: files, time, threads and memory. Injected, so that a whole cluster can
// run in one process over simulated ones.
#pragma once

#include <memory>

#include "os/clock.h"
#include "os/file_system.h"
#include "sync/thread_pool.h"
#include "tensor/buffer.h"

namespace headrace {

/// The parts outlive the runtime and everything that uses it.
struct HR_EXPORT Runtime {
  FileSystem* files = nullptr;
  Clock* clock = nullptr;
  ThreadPool* compute = nullptr;          // its threads never block
  ThreadPool* blocking = nullptr;         // for reads and waits
  std::shared_ptr<MemoryAccount> memory;  // the task's budget: allocations a graph asks for are refused above it

  /// The process's own, with a budget of the machine's memory.
  static std::shared_ptr<Runtime> Default();
};

}  // namespace headrace
