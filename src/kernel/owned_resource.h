// Owned resources: what lives as long as the tensors that hold its handle. For state that belongs to one step, as a stack does:
// the step's end, an error's too, ends it, and nobody has to clean up.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "kernel/resource.h"
#include "tensor/handle.h"
#include "tensor/tensor.h"

namespace headrace {

/// A scalar handle that owns `resource`.
HR_EXPORT Tensor MakeOwningHandle(ResourceHandle handle, std::shared_ptr<Resource> resource);
/// The same for the value behind a ref edge, a string vector of container and name.
HR_EXPORT Tensor MakeOwningName(std::string container, std::string name, std::shared_ptr<Resource> resource);

/// The resource that the buffer of `handle` owns, or nullptr.
HR_EXPORT std::shared_ptr<Resource> OwnedResource(const Tensor& handle);

/// Errors: kInvalidArgument when `handle` owns nothing, or no T. `what` is for the message.
template <typename T> Result<std::shared_ptr<T>> LookupOwned(const Tensor& handle, std::string_view what) {
  if (std::shared_ptr<T> found = std::dynamic_pointer_cast<T>(OwnedResource(handle))) return found;
  return InvalidArgument(what, ": the handle is not one that this step made: ", handle);
}

}  // namespace headrace
