// Payload: the bytes of one message, as a chain of slices that share their memory.
//
// A big tensor travels as a slice of its own buffer: it is not copied on the way out, and copied once on the way in (the
// network delivers pieces).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/buffer.h"

namespace headrace {

/// Copying shares the bytes, which never change. Thread-compatible.
class HR_EXPORT Payload {
 public:
  struct Slice {
    std::string_view bytes;
    BufferPtr owner;  // keeps the bytes alive
  };

  Payload() = default;
  explicit Payload(std::string bytes) { Append(std::move(bytes)); }

  /// Adds bytes at the end. Empty ones add nothing.
  void Append(std::string bytes);
  /// Adds bytes that `owner` keeps alive and unchanged.
  void AppendShared(std::string_view bytes, BufferPtr owner);

  int64_t size_bytes() const { return size_bytes_; }
  const std::vector<Slice>& slices() const { return slices_; }
  /// All bytes in one piece; for small messages and tests.
  std::string Flatten() const;

 private:
  std::vector<Slice> slices_;
  int64_t size_bytes_ = 0;
};

}  // namespace headrace
