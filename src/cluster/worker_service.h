// WorkerService: a task's Worker as other tasks call it, on TensorFlow's wire.
#pragma once

#include <memory>

#include "rpc/service.h"
#include "session/worker.h"

namespace headrace {

/// Adds all 16 methods to `table`. Collective operations and tracing answer kUnimplemented, logging answers nothing.
void AddWorkerService(std::shared_ptr<Worker> worker, ServiceTable* table);

}  // namespace headrace
