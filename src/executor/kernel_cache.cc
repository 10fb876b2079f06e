#include "executor/kernel_cache.h"

namespace headrace {

Result<std::shared_ptr<Kernel>> KernelCache::GetOrCreate(const std::string& device, const Node& node,
                                                         const std::function<Result<std::unique_ptr<Kernel>>()>& make) {
  std::lock_guard lock(mutex_);
  const std::pair<std::string, std::string> key(device, node.name());
  const auto found = kernels_.find(key);
  if (found != kernels_.end()) {
    if (found->second.op == node.op()) return found->second.kernel;
    return InvalidArgument(node.ToString(), ": the session has run a node of this name before, of op ",
                           found->second.op);
  }
  HR_ASSIGN_OR_RETURN(std::unique_ptr<Kernel> made, make());
  std::shared_ptr<Kernel> kernel = std::move(made);
  kernels_.emplace(key, Cached{node.op(), kernel});
  return kernel;
}

}  // namespace headrace
