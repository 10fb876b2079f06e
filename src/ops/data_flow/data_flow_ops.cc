#include "ops/register.h"

namespace headrace {

// The family's first ops, queues and accumulators, come with the issue that names them.
void RegisterDataFlowOps(OpRegistry&) {}

}  // namespace headrace
