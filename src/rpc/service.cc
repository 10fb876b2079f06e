#include "rpc/service.h"

#include "base/check.h"

namespace headrace {

void ServiceTable::Add(std::string path, Handler handler, HandlerOptions options) {
  const bool is_new = entries_.emplace(std::move(path), Entry{std::move(handler), options}).second;
  HR_CHECK(is_new);
}

const ServiceTable::Entry* ServiceTable::Find(const std::string& path) const {
  const auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : &found->second;
}

void ServiceTable::Dispatch(const Entry& entry, std::shared_ptr<ServerCall> call) {
  if (entry.options.pool == nullptr) {
    entry.handler(std::move(call));
    return;
  }
  entry.options.pool->Schedule([&entry, call = std::move(call)]() mutable { entry.handler(std::move(call)); });
}

}  // namespace headrace
