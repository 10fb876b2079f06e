// StepService: the methods of MasterService that run steps.
#pragma once

#include <memory>

#include "cluster/session_table.h"
#include "rpc/service.h"

namespace headrace {

/// Adds RunStep, PartialRunSetup, MakeCallable, RunCallable and ReleaseCallable to `table`. What may block runs on `pool`; both
/// outlive the table.
void AddStepService(std::shared_ptr<SessionTable> sessions, ThreadPool* pool, ServiceTable* table);

}  // namespace headrace
