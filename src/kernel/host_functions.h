// HostFunctions: functions of the program that the engine is a part of, which ops call by token (PyFunc). The engine knows nothing
// of the program's language: whoever binds it to one adds its functions here.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace headrace {

/// Thread-safe. May block: it is called on a thread that belongs to the call.
using HostFunction = std::function<Result<std::vector<Tensor>>(std::vector<Tensor> args)>;

/// Thread-safe. A function that is removed while it is called stays until it returns.
class HR_EXPORT HostFunctions {
 public:
  static HostFunctions& Global();

  void Add(const std::string& token, HostFunction function);
  void Remove(const std::string& token);
  /// Null where there is none of this token.
  std::shared_ptr<const HostFunction> Find(const std::string& token) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const HostFunction>> functions_;  // guarded by mutex_
};

}  // namespace headrace
