// ResourceOp: a kernel that makes a piece of state at its first call and puts out its handle: a resource, or, in the older ops, a ref
// to the two strings container and name. With shared_name the state is found by every session of the task; without it belongs to
// this kernel and ends with it. LookupState: the state behind either kind of handle.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "graph/shape_context.h"
#include "kernel/kernel.h"

namespace headrace {

/// A name that no other resource of this process has.
inline std::string PrivateResourceName(std::string_view node_name) {
  static std::atomic<uint64_t> next{0};
  return StrCat("_private_", next.fetch_add(1), "_", node_name);
}

/// Where an op keeps its state.
struct ResourceName {
  std::string container;
  std::string name;
  bool is_private = false;

  static ResourceName Of(const KernelConstruction& c) {
    ResourceName made{c.attr<std::string>("container"), c.attr<std::string>("shared_name")};
    if (made.container.empty()) made.container = ResourceManager::kDefaultContainer;
    if (made.name.empty()) {
      made.name = PrivateResourceName(c.node().name());
      made.is_private = true;
    }
    return made;
  }
};

template <typename T> class ResourceOp : public Kernel {
 public:
  explicit ResourceOp(KernelConstruction& c) : where_(ResourceName::Of(c)), resources_(c.resources()) {
    if (RemoveRef(c.node().output_types()[0]) == DType::kResource) {
      handle_ = Tensor::Scalar<ResourceHandle>({.device = c.device(),
                                                .container = where_.container,
                                                .name = where_.name,
                                                .maybe_type_name = std::string(T::kTypeName),
                                                .dtypes_and_shapes = {}});
    } else {
      ref_ = std::make_shared<Variable>(DType::kString, PartialShape({2}));
      ref_->Assign(Tensor::Vector<std::string>({where_.container, where_.name}));
    }
  }
  ResourceOp(const ResourceOp&) = delete;
  ResourceOp& operator=(const ResourceOp&) = delete;
  ~ResourceOp() override {
    if (where_.is_private) (void)resources_.Delete(where_.container, where_.name);  // kNotFound: never made, or cleared
  }

  Status Compute(KernelContext& c) final {
    HR_ASSIGN_OR_RETURN(const std::shared_ptr<T> found,
                        c.resources().LookupOrCreate<T>(where_.container, where_.name, [this] { return Make(); }));
    HR_RETURN_IF_ERROR(Check(*found));
    return ref_ == nullptr ? c.SetOutput(0, handle_) : c.SetOutputVariable(0, ref_);
  }

 protected:
  const std::string& name() const { return where_.name; }
  virtual Result<std::shared_ptr<T>> Make() const = 0;
  /// Whether state that another op may have made is what this op describes.
  virtual Status Check(const T&) const { return OkStatus(); }

 private:
  const ResourceName where_;
  ResourceManager& resources_;
  Tensor handle_;
  std::shared_ptr<Variable> ref_;
};

/// The shape of a handle: a resource is a scalar, a ref a container and a name.
inline Status HandleShape(ShapeContext& c) {
  const bool is_ref = RemoveRef(c.node().output_types()[0]) == DType::kString;
  return c.SetOutput(0, is_ref ? PartialShape({2}) : PartialShape::Scalar());
}

/// The state behind the handle in input i, of either kind. Errors: of KernelContext::LookupResource; kInvalidArgument for a ref that
/// is not a container and a name.
template <typename T> Result<std::shared_ptr<T>> LookupState(const KernelContext& c, int i) {
  const Tensor& handle = c.input(i);
  if (handle.dtype() != DType::kString) return c.LookupResource<T>(i);
  if (handle.num_elements() != 2) {
    return InvalidArgument(c.node().op(), ": handle ", i, " must be a container and a name, it is ", handle);
  }
  return c.resources().Lookup<T>(handle.data<std::string>()[0], handle.data<std::string>()[1]);
}

}  // namespace headrace
