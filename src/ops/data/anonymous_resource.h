// Resources without a name of the user's: one for each call of an Anonymous... op.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "kernel/kernel.h"
#include "ops/resource_op.h"

namespace headrace {

/// What the output `deleter` holds: nothing. The ops Delete... go by the handle.
class ResourceDeleter final : public VariantObject {
 public:
  std::string TypeName() const override { return "ResourceDeleter"; }
};

/// Base of the kernels that make an anonymous resource with each call. Outputs: its handle, and where the op has one its
/// deleter. A handle serves its own step, so the kernel keeps what its last calls made and drops the rest: as many as there may
/// be steps at the same time.
class AnonymousResourceKernel : public Kernel {
 protected:
  explicit AnonymousResourceKernel(KernelConstruction& c)
      : device_(c.device()), node_name_(c.node().name()), owner_(&c.resources()) {}
  AnonymousResourceKernel(const AnonymousResourceKernel&) = delete;
  AnonymousResourceKernel& operator=(const AnonymousResourceKernel&) = delete;
  ~AnonymousResourceKernel() override {
    for (const std::string& name : names_) Drop(name);
  }

  template <typename T> Status Give(KernelContext& c, std::string type_name, std::shared_ptr<T> resource) {
    ResourceHandle handle;
    handle.device = device_;
    handle.container = ResourceManager::kDefaultContainer;
    handle.name = PrivateResourceName(node_name_);
    handle.maybe_type_name = std::move(type_name);
    HR_RETURN_IF_ERROR(owner_
                           ->LookupOrCreate<T>(handle.container, handle.name,
                                               [&]() -> Result<std::shared_ptr<T>> { return std::move(resource); })
                           .status());
    {
      std::lock_guard lock(mutex_);
      names_.push_back(handle.name);
      if (names_.size() > kKept) {
        Drop(names_.front());
        names_.pop_front();
      }
    }
    if (c.num_outputs() > 1) {
      HR_RETURN_IF_ERROR(c.SetOutput(1, Tensor::Scalar<Variant>(Variant(std::make_shared<const ResourceDeleter>()))));
    }
    return c.SetOutput(0, Tensor::Scalar<ResourceHandle>(std::move(handle)));
  }

 private:
  static constexpr size_t kKept = 64;

  void Drop(const std::string& name) {
    (void)owner_->Delete(ResourceManager::kDefaultContainer, name);  // kNotFound: deleted before
  }

  const std::string device_;
  const std::string node_name_;
  ResourceManager* const owner_;
  std::mutex mutex_;
  std::deque<std::string> names_;  // guarded by mutex_
};

/// Delete...(handle, deleter): ends the resource now. Errors: kNotFound.
Status DeleteAnonymousCpu(KernelContext& c);

/// Dummy...(): the handle of no resource.
class DummyHandleKernel final : public Kernel {
 public:
  explicit DummyHandleKernel(KernelConstruction& c) {
    handle_.device = c.device();
    handle_.container = ResourceManager::kDefaultContainer;
    handle_.name = PrivateResourceName(c.node().name());
    handle_.maybe_type_name = "DummyResource";
  }
  Status Compute(KernelContext& c) override { return c.SetOutput(0, Tensor::Scalar<ResourceHandle>(handle_)); }

 private:
  ResourceHandle handle_;
};

/// An op on resources that datasets share; its outputs are scalars.
OpDefinition DataResourceOp(std::string_view signature, KernelFactory kernel);

}  // namespace headrace
