// Registration of the ops: one function for each family, one for all. Called by the composition roots.
#pragma once

#include "graph/op_definition.h"

namespace headrace {

void RegisterArrayOps(OpRegistry& registry);
void RegisterControlFlowOps(OpRegistry& registry);
void RegisterDataFlowOps(OpRegistry& registry);
void RegisterDataOps(OpRegistry& registry);
void RegisterImageOps(OpRegistry& registry);
void RegisterIoOps(OpRegistry& registry);
void RegisterLookupOps(OpRegistry& registry);
void RegisterLinalgOps(OpRegistry& registry);
void RegisterListOps(OpRegistry& registry);
void RegisterMathOps(OpRegistry& registry);
void RegisterNnOps(OpRegistry& registry);
void RegisterRandomOps(OpRegistry& registry);
void RegisterSparseOps(OpRegistry& registry);
void RegisterStateOps(OpRegistry& registry);
void RegisterSummaryOps(OpRegistry& registry);
void RegisterTrainOps(OpRegistry& registry);

/// Fills OpRegistry::Global(); the second call and later ones do nothing. Thread-safe.
HR_EXPORT void RegisterAllOps();

}  // namespace headrace
