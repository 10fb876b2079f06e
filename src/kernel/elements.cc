#include "kernel/elements.h"

#include <algorithm>
#include <string>

#include "tensor/handle.h"

namespace headrace {
namespace {

// Storage of the plain sizes; 16 bytes are complex128.
struct Sixteen {
  uint64_t words[2];
};

// Calls visit(pointer) with a null pointer of a type that is stored like `dtype`.
template <typename Visit> void VisitStorage(DType dtype, int64_t size, Visit&& visit) {
  if (dtype == DType::kString) return visit(static_cast<std::string*>(nullptr));
  if (dtype == DType::kResource) return visit(static_cast<ResourceHandle*>(nullptr));
  if (dtype == DType::kVariant) return visit(static_cast<Variant*>(nullptr));
  switch (size) {
    case 1:
      return visit(static_cast<uint8_t*>(nullptr));
    case 2:
      return visit(static_cast<uint16_t*>(nullptr));
    case 4:
      return visit(static_cast<uint32_t*>(nullptr));
    case 8:
      return visit(static_cast<uint64_t*>(nullptr));
    case 16:
      return visit(static_cast<Sixteen*>(nullptr));
    default:
      return;
  }
}

}  // namespace

void Elements::CopyObjects(const void* from, void* to, int64_t count) const {
  VisitStorage(dtype_, size_,
               [&]<typename T>(T*) { std::copy_n(static_cast<const T*>(from), count, static_cast<T*>(to)); });
}

void Elements::CopyStrided(const void* from, int64_t from_stride, void* to, int64_t to_stride, int64_t count) const {
  VisitStorage(dtype_, size_, [&]<typename T>(T*) {
    const T* source = static_cast<const T*>(from);
    T* target = static_cast<T*>(to);
    for (int64_t i = 0; i < count; ++i) target[i * to_stride] = source[i * from_stride];
  });
}

void Elements::Fill(const void* value, void* to, int64_t count) const {
  VisitStorage(dtype_, size_, [&]<typename T>(T*) {
    const T& one = *static_cast<const T*>(value);
    std::fill_n(static_cast<T*>(to), count, one);
  });
}

void Elements::FillZero(void* to, int64_t count) const {
  if (plain_) {
    if (count > 0) std::memset(to, 0, static_cast<size_t>(count * size_));
    return;
  }
  VisitStorage(dtype_, size_, [&]<typename T>(T*) { std::fill_n(static_cast<T*>(to), count, T()); });
}

}  // namespace headrace
