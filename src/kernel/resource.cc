#include "kernel/resource.h"

namespace headrace {

namespace {

std::string_view NameOf(std::string_view container) {
  return container.empty() ? ResourceManager::kDefaultContainer : container;
}

}  // namespace

Result<std::shared_ptr<Resource>> ResourceManager::LookupAny(std::string_view container, std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto resources = containers_.find(NameOf(container));
  if (resources == containers_.end()) {
    return NotFound("Container ", NameOf(container), " does not exist. (Could not find resource: ", NameOf(container),
                    "/", name, ")");
  }
  const auto found = resources->second.find(name);
  if (found == resources->second.end()) return NotFound("Resource ", NameOf(container), "/", name, " does not exist.");
  return found->second;
}

Result<std::shared_ptr<Resource>> ResourceManager::LookupOrCreateAny(
    std::string_view container, std::string_view name, const std::function<Result<std::shared_ptr<Resource>>()>& make) {
  std::lock_guard lock(mutex_);
  auto& resources = containers_[std::string(NameOf(container))];
  const auto found = resources.find(name);
  if (found != resources.end()) return found->second;
  HR_ASSIGN_OR_RETURN(std::shared_ptr<Resource> made, make());
  resources.emplace(std::string(name), made);
  return made;
}

Status ResourceManager::Delete(std::string_view container, std::string_view name) {
  std::shared_ptr<Resource> deleted;  // ends after the lock
  std::lock_guard lock(mutex_);
  const auto resources = containers_.find(NameOf(container));
  if (resources == containers_.end()) return NotFound("Container ", NameOf(container), " does not exist.");
  const auto found = resources->second.find(name);
  if (found == resources->second.end()) return NotFound("Resource ", NameOf(container), "/", name, " does not exist.");
  deleted = std::move(found->second);
  resources->second.erase(found);
  return OkStatus();
}

void ResourceManager::ClearContainer(std::string_view container) {
  decltype(containers_)::node_type cleared;  // ends after the lock
  std::lock_guard lock(mutex_);
  const auto found = containers_.find(NameOf(container));
  if (found != containers_.end()) cleared = containers_.extract(found);
}

void ResourceManager::ClearAll() {
  decltype(containers_) cleared;  // ends after the lock
  std::lock_guard lock(mutex_);
  cleared.swap(containers_);
}

}  // namespace headrace
