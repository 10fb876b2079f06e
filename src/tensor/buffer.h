// Buffer: reference-counted storage behind tensors. Allocator: where buffers come from.
//
// Fresh memory costs about 0.5 ms per MB in page faults, so large blocks are kept and reused. Every buffer remembers the
// account that it is charged to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/status.h"

namespace headrace {

/// Bytes in use against a limit. Thread-safe. Outlives every buffer charged to it (buffers hold a reference).
class HR_EXPORT MemoryAccount {
 public:
  explicit MemoryAccount(int64_t limit_bytes) : limit_bytes_(limit_bytes) {}
  /// False, and nothing charged, when the limit would be exceeded.
  bool Charge(int64_t bytes);
  void Release(int64_t bytes) { used_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  int64_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }
  int64_t limit_bytes() const { return limit_bytes_; }

 private:
  const int64_t limit_bytes_;
  std::atomic<int64_t> used_bytes_{0};
};

/// Storage with a reference count. Data is aligned to 64 bytes when it comes from an Allocator.
class HR_EXPORT Buffer {
 public:
  Buffer(void* data, int64_t size_bytes) : data_(data), size_bytes_(size_bytes) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* data() const { return data_; }
  int64_t size_bytes() const { return size_bytes_; }
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (references_.load(std::memory_order_acquire) == 1 || references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      Destroy();
  }
  /// True when the caller holds the only reference: the content may be changed in place.
  bool IsUnique() const { return references_.load(std::memory_order_acquire) == 1; }

 protected:
  virtual ~Buffer() = default;
  /// Ends the buffer and gives its memory back.
  virtual void Destroy() = 0;

 private:
  void* const data_;
  const int64_t size_bytes_;
  std::atomic<int32_t> references_{1};
};

/// Owning pointer to a Buffer.
class BufferPtr {
 public:
  BufferPtr() = default;
  /// Takes over one reference.
  explicit BufferPtr(Buffer* buffer) : buffer_(buffer) {}
  BufferPtr(const BufferPtr& other) : buffer_(other.buffer_) {
    if (buffer_ != nullptr) buffer_->Ref();
  }
  BufferPtr(BufferPtr&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferPtr& operator=(BufferPtr other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferPtr() {
    if (buffer_ != nullptr) buffer_->Unref();
  }
  Buffer* get() const { return buffer_; }
  Buffer* operator->() const { return buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }

 private:
  Buffer* buffer_ = nullptr;
};

/// Makes plain-byte buffers. Thread-safe; lives as long as the process.
class HR_EXPORT Allocator {
 public:
  virtual ~Allocator() = default;
  /// Returns a buffer of at least `size_bytes` with undefined content, charged to `account` (may be null).
  /// Errors: kResourceExhausted over the account's limit or when the system has no memory; nothing is attempted above the limit.
  virtual Result<BufferPtr> Allocate(int64_t size_bytes, const std::shared_ptr<MemoryAccount>& account) = 0;
};

/// The allocator of host memory.
HR_EXPORT Allocator& CpuAllocator();

/// Wraps memory that somebody else owns; `release` runs when the last reference goes.
HR_EXPORT BufferPtr WrapExternal(void* data, int64_t size_bytes, std::function<void()> release);

}  // namespace headrace
