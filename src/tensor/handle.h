// ResourceHandle and Variant: the element types of resource and variant tensors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace headrace {

/// Names a piece of state: the device that holds it, a container there, and its name. It is resolved where it is used; a
/// handle of another task's device is an error that names both.
struct HR_EXPORT ResourceHandle {
  std::string device;
  std::string container;
  std::string name;
  uint64_t hash_code = 0;       // identifies the resource's C++ type in the process that made the handle
  std::string maybe_type_name;  // the same for people
  struct TypedShape {
    DType type;
    PartialShape shape;
  };
  std::vector<TypedShape> dtypes_and_shapes;  // of the variable behind the handle, where known

  std::string ToString() const { return StrCat(container, "/", name, " on ", device); }
};

/// What a Variant may hold. Implementations are immutable once stored.
class HR_EXPORT VariantObject {
 public:
  virtual ~VariantObject() = default;
  /// A stable name of the type, as it appears on the wire.
  virtual std::string TypeName() const = 0;
  /// Appends the value's bytes. Errors: kUnimplemented for values that only make sense inside their process.
  virtual Status Encode(std::string* /*out*/) const {
    return Unimplemented("A variant of type ", TypeName(), " cannot leave its process");
  }
};

/// A value of any type, shared and immutable; empty by default.
class Variant {
 public:
  Variant() = default;
  explicit Variant(std::shared_ptr<const VariantObject> object) : object_(std::move(object)) {}

  bool empty() const { return object_ == nullptr; }
  const std::shared_ptr<const VariantObject>& object() const { return object_; }
  /// Returns the object as a T, or nullptr.
  template <typename T> std::shared_ptr<const T> As() const { return std::dynamic_pointer_cast<const T>(object_); }

 private:
  std::shared_ptr<const VariantObject> object_;
};

}  // namespace headrace
