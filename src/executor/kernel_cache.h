// KernelCache: the kernels of stateful nodes. They belong to (session, node), and all plans of the session share them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "kernel/kernel.h"

namespace headrace {

/// Thread-safe. Outlives the plans that use it only by the kernels they hold.
class HR_EXPORT KernelCache {
 public:
  /// Returns the kernel of `node` on `device`, made by `make` when it is not there yet.
  /// Errors: those of `make`; kInvalidArgument when the name stands for another op by now.
  Result<std::shared_ptr<Kernel>> GetOrCreate(const std::string& device, const Node& node,
                                              const std::function<Result<std::unique_ptr<Kernel>>()>& make);
  /// True for nodes whose kernel is to be shared: stateful ones, but for those that the passes add to each plan.
  static bool Shares(const Node& node) { return node.definition().signature().stateful && !node.op().starts_with('_'); }

 private:
  struct Cached {
    std::string op;
    std::shared_ptr<Kernel> kernel;
  };
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Cached> kernels_;  // by device and node name; guarded by mutex_
};

}  // namespace headrace
