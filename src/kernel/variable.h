// Variable: the state behind a resource handle or a ref edge. A read shares the buffer; an update writes in place when nobody
// else holds the buffer and to a fresh copy otherwise, so that readers and snapshots never see a half-made update.
#pragma once

#include <mutex>
#include <shared_mutex>

#include "kernel/resource.h"
#include "tensor/tensor.h"

namespace headrace {

class HR_EXPORT Variable final : public Resource {
 public:
  Variable(DType dtype, PartialShape shape) : dtype_(dtype), shape_(std::move(shape)) {}

  DType dtype() const { return dtype_; }
  /// The declared shape; a value must be compatible with it where `validate_shape` asks so.
  const PartialShape& shape() const { return shape_; }

  bool IsInitialized() const {
    std::shared_lock lock(mutex_);
    return value_.valid();
  }
  /// Returns the value, sharing its buffer; an invalid tensor while uninitialized.
  Tensor Read() const {
    std::shared_lock lock(mutex_);
    return value_;
  }
  void Assign(Tensor value) {
    std::unique_lock lock(mutex_);
    value_ = std::move(value);
  }

  /// For updates: hold unique_lock(mutex()), then change *MutableValue(). For reads of parts (gather) hold a shared_lock: the
  /// buffer is then not shared and a following update stays in place.
  std::shared_mutex& mutex() const { return mutex_; }
  const Tensor& value_locked() const { return value_; }
  /// The value with a buffer that only this variable holds (copied when somebody reads it). REQUIRES: the unique lock is held.
  /// Errors: kFailedPrecondition when uninitialized; kResourceExhausted.
  Result<Tensor*> MutableValueLocked(const std::shared_ptr<MemoryAccount>& account);

  std::string DebugString() const override;

 private:
  const DType dtype_;
  const PartialShape shape_;
  mutable std::shared_mutex mutex_;
  Tensor value_;  // guarded by mutex_
};

}  // namespace headrace
