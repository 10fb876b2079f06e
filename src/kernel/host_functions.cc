#include "kernel/host_functions.h"

namespace headrace {

HostFunctions& HostFunctions::Global() {
  static auto* functions = new HostFunctions;  // calls may be under way when static objects go
  return *functions;
}

void HostFunctions::Add(const std::string& token, HostFunction function) {
  auto added = std::make_shared<const HostFunction>(std::move(function));
  std::lock_guard lock(mutex_);
  functions_[token].swap(added);
}

void HostFunctions::Remove(const std::string& token) {
  std::shared_ptr<const HostFunction> removed;  // ends outside the lock
  std::lock_guard lock(mutex_);
  const auto found = functions_.find(token);
  if (found == functions_.end()) return;
  removed = std::move(found->second);
  functions_.erase(found);
}

std::shared_ptr<const HostFunction> HostFunctions::Find(const std::string& token) const {
  std::lock_guard lock(mutex_);
  const auto found = functions_.find(token);
  return found == functions_.end() ? nullptr : found->second;
}

}  // namespace headrace
