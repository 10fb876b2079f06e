// Elements: moving the elements of a tensor without knowing their C++ type; most array ops need no more.
#pragma once

#include <cstdint>
#include <cstring>

#include "tensor/dtype.h"

namespace headrace {

/// Copies and fills runs of elements of one dtype: bytes where they are plain, objects (string, resource, variant) else.
class Elements {
 public:
  explicit Elements(DType dtype) : dtype_(dtype), size_(DTypeSize(dtype)), plain_(IsPlainData(dtype)) {}

  int64_t size() const { return size_; }
  const char* At(const void* base, int64_t i) const { return static_cast<const char*>(base) + i * size_; }
  char* At(void* base, int64_t i) const { return static_cast<char*>(base) + i * size_; }

  /// The ranges do not overlap.
  void Copy(const void* from, void* to, int64_t count) const {
    if (!plain_) return CopyObjects(from, to, count);
    if (count == 1 && size_ == 4) {
      std::memcpy(to, from, 4);  // one move, where a call of memcpy would dominate
    } else if (count > 0) {
      std::memcpy(to, from, static_cast<size_t>(count * size_));
    }
  }
  /// Copies `from[i * from_stride]` to `to[i * to_stride]`.
  void CopyStrided(const void* from, int64_t from_stride, void* to, int64_t to_stride, int64_t count) const;
  /// Sets `count` elements to `*value`.
  void Fill(const void* value, void* to, int64_t count) const;
  /// Sets `count` elements to zero, false or empty.
  void FillZero(void* to, int64_t count) const;

 private:
  void CopyObjects(const void* from, void* to, int64_t count) const;

  const DType dtype_;
  const int64_t size_;
  const bool plain_;
};

}  // namespace headrace
