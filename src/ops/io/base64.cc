// EncodeBase64, DecodeBase64: RFC 4648's alphabet for URLs ("-" and "_"); padding on request, and read with or without it.
// Errors: kInvalidArgument for anything else to decode.
#include <algorithm>
#include <array>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/io_ops.h"

namespace headrace {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string Encode(std::string_view bytes, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k <= count; ++k) out.push_back(kAlphabet[group >> (18 - 6 * k) & 63]);
    if (pad) out.append(3 - count, '=');
  }
  return out;
}

Status Decode(std::string_view text, std::string* out) {
  if (text.size() % 4 == 0 && text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
  if (text.size() % 4 == 1)
    return InvalidArgument("Base64 string length cannot be 1 modulo 4: ", text.size(), " characters");
  uint32_t group = 0;
  int bits = 0;
  out->clear();
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return InvalidArgument("Invalid character found in base64.");
    group = group << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out->push_back(static_cast<char>(group >> bits & 0xff));
  }
  return OkStatus();
}

class EncodeKernel final : public Kernel {
 public:
  explicit EncodeKernel(KernelConstruction& c) : pad_(c.attr<bool>("pad")) {}
  Status Compute(KernelContext& c) override {
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
    std::ranges::transform(c.input(0).data<std::string>(), output->mutable_data<std::string>().begin(),
                           [this](const std::string& bytes) { return Encode(bytes, pad_); });
    return OkStatus();
  }

 private:
  const bool pad_;
};

Status DecodeAll(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
  const std::span<std::string> out = output->mutable_data<std::string>();
  for (size_t i = 0; i < out.size(); ++i) HR_RETURN_IF_ERROR(Decode(c.input(0).data<std::string>()[i], &out[i]));
  return OkStatus();
}

}  // namespace

std::vector<OpDefinition> Base64Ops() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("EncodeBase64(input: str) -> (output: str) | pad: bool = false")
                    .Shape(UnchangedShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(ClassKernel<EncodeKernel>())));
  ops.push_back(OpDefinition("DecodeBase64(input: str) -> (output: str)")
                    .Shape(UnchangedShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(FunctionKernel(DecodeAll))));
  return ops;
}

}  // namespace headrace
