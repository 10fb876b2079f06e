// ResourceManager: the state of one device, found by container and name. Sessions share it; it outlives them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "base/status.h"

namespace headrace {

/// Something stateful: a variable, an iterator, a queue, a table. Thread-safe by itself.
class HR_EXPORT Resource {
 public:
  virtual ~Resource() = default;
  /// For messages: "Var f32[10]".
  virtual std::string DebugString() const = 0;
};

/// Thread-safe. An empty container name means the default one, "localhost".
class HR_EXPORT ResourceManager {
 public:
  static constexpr std::string_view kDefaultContainer = "localhost";

  /// Errors: kNotFound for no such resource; kInvalidArgument when it is of another type.
  template <typename T> Result<std::shared_ptr<T>> Lookup(std::string_view container, std::string_view name) const {
    return Cast<T>(LookupAny(container, name), container, name);
  }
  /// Returns the resource, made by `make` when it is not there yet (once, under the lock of this container).
  template <typename T>
  Result<std::shared_ptr<T>> LookupOrCreate(std::string_view container, std::string_view name,
                                            const std::function<Result<std::shared_ptr<T>>()>& make) {
    return Cast<T>(LookupOrCreateAny(container, name,
                                     [&make]() -> Result<std::shared_ptr<Resource>> {
                                       HR_ASSIGN_OR_RETURN(std::shared_ptr<T> made, make());
                                       return std::shared_ptr<Resource>(std::move(made));
                                     }),
                   container, name);
  }
  /// Errors: kNotFound.
  Status Delete(std::string_view container, std::string_view name);
  void ClearContainer(std::string_view container);
  void ClearAll();

 private:
  template <typename T>
  static Result<std::shared_ptr<T>> Cast(Result<std::shared_ptr<Resource>> found, std::string_view container,
                                         std::string_view name) {
    if (!found.ok()) return found.status();
    std::shared_ptr<T> typed = std::dynamic_pointer_cast<T>(*found);
    if (typed == nullptr) {
      return InvalidArgument("Resource ", container, "/", name, " is of another type: ", (*found)->DebugString());
    }
    return typed;
  }
  Result<std::shared_ptr<Resource>> LookupAny(std::string_view container, std::string_view name) const;
  Result<std::shared_ptr<Resource>> LookupOrCreateAny(std::string_view container, std::string_view name,
                                                      const std::function<Result<std::shared_ptr<Resource>>()>& make);

  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::shared_ptr<Resource>, std::less<>>, std::less<>> containers_;
};

}  // namespace headrace
