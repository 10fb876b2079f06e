#include "ops/register.h"

#include <mutex>

namespace headrace {

void RegisterAllOps() {
  static std::once_flag once;
  std::call_once(once, [] {
    OpRegistry& registry = OpRegistry::Global();
    RegisterArrayOps(registry);
    RegisterControlFlowOps(registry);
    RegisterDataFlowOps(registry);
    RegisterDataOps(registry);
    RegisterImageOps(registry);
    RegisterIoOps(registry);
    RegisterLookupOps(registry);
    RegisterLinalgOps(registry);
    RegisterListOps(registry);
    RegisterMathOps(registry);
    RegisterNnOps(registry);
    RegisterRandomOps(registry);
    RegisterSparseOps(registry);
    RegisterStateOps(registry);
    RegisterSummaryOps(registry);
    RegisterTrainOps(registry);
  });
}

}  // namespace headrace
