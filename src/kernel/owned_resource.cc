#include "kernel/owned_resource.h"

#include <utility>
#include <vector>

namespace headrace {
namespace {

/// Tells owning buffers from others.
class OwningBufferBase : public Buffer {
 public:
  OwningBufferBase(void* data, int64_t size_bytes, std::shared_ptr<Resource> resource)
      : Buffer(data, size_bytes), resource_(std::move(resource)) {}
  const std::shared_ptr<Resource>& resource() const { return resource_; }

 private:
  const std::shared_ptr<Resource> resource_;
};

template <typename T> class OwningBuffer final : public OwningBufferBase {
 public:
  OwningBuffer(std::vector<T> elements, std::shared_ptr<Resource> resource)
      : OwningBufferBase(elements.data(), static_cast<int64_t>(elements.size() * sizeof(T)), std::move(resource)),
        elements_(std::move(elements)) {}  // moving a vector leaves its elements where they are

 private:
  void Destroy() override { delete this; }
  std::vector<T> elements_;
};

}  // namespace

Tensor MakeOwningHandle(ResourceHandle handle, std::shared_ptr<Resource> resource) {
  std::vector<ResourceHandle> elements;
  elements.push_back(std::move(handle));
  return Tensor(DType::kResource, Shape(),
                BufferPtr(new OwningBuffer<ResourceHandle>(std::move(elements), std::move(resource))));
}

Tensor MakeOwningName(std::string container, std::string name, std::shared_ptr<Resource> resource) {
  std::vector<std::string> elements = {std::move(container), std::move(name)};
  return Tensor(DType::kString, Shape({2}),
                BufferPtr(new OwningBuffer<std::string>(std::move(elements), std::move(resource))));
}

std::shared_ptr<Resource> OwnedResource(const Tensor& handle) {
  if (!handle.valid()) return nullptr;
  const auto* buffer = dynamic_cast<const OwningBufferBase*>(handle.buffer().get());
  return buffer == nullptr ? nullptr : buffer->resource();
}

}  // namespace headrace
