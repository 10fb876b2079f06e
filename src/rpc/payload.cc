#include "rpc/payload.h"

namespace headrace {
namespace {

/// Owns a text as a Buffer.
class TextBuffer : public Buffer {
 public:
  static BufferPtr Make(std::string text) {
    auto* holder = new std::string(std::move(text));
    return BufferPtr(new TextBuffer(holder));
  }

 private:
  explicit TextBuffer(std::string* text) : Buffer(text->data(), static_cast<int64_t>(text->size())), text_(text) {}
  void Destroy() override { delete this; }

  std::unique_ptr<std::string> text_;
};

}  // namespace

void Payload::Append(std::string bytes) {
  BufferPtr owner = TextBuffer::Make(std::move(bytes));
  const std::string_view view(static_cast<const char*>(owner->data()), static_cast<size_t>(owner->size_bytes()));
  AppendShared(view, std::move(owner));
}

void Payload::AppendShared(std::string_view bytes, BufferPtr owner) {
  if (bytes.empty()) return;
  size_bytes_ += static_cast<int64_t>(bytes.size());
  slices_.push_back({bytes, std::move(owner)});
}

std::string Payload::Flatten() const {
  std::string flat;
  flat.reserve(static_cast<size_t>(size_bytes_));
  for (const Slice& slice : slices_) flat += slice.bytes;
  return flat;
}

}  // namespace headrace
