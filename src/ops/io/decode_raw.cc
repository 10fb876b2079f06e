// DecodeRaw: the bytes of each string as numbers: output[i..., j] is the j-th number in bytes[i...]. All strings have
// one length, a multiple of the number's size; little_endian says how they are stored.
#include <algorithm>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/io_ops.h"
#include "ops/io/type_text.h"

namespace headrace {

namespace {

Status DecodeRawShape(ShapeContext& c) {
  if (!c.input(0).has_rank()) return c.SetOutput(0, PartialShape());
  PartialShape shape = c.input(0);
  shape.AppendDim(PartialShape::kUnknownDim);
  return c.SetOutput(0, std::move(shape));
}

class DecodeRawKernel final : public Kernel {
 public:
  explicit DecodeRawKernel(KernelConstruction& construction)
      : dtype_(construction.attr<DType>("out_type")), swap_(!construction.attr<bool>("little_endian", true)) {}

  Status Compute(KernelContext& c) override {
    const std::span<const std::string> strings = c.input(0).data<std::string>();
    const auto element_bytes = static_cast<size_t>(DTypeSize(dtype_));
    const size_t length = strings.empty() ? 0 : strings[0].size();
    for (size_t i = 0; i < strings.size(); ++i) {
      if (strings[i].size() == length) continue;
      return InvalidArgument("DecodeRaw requires input strings to all be the same size, but element ", i, " has size ",
                             strings[i].size(), " != ", length);
    }
    if (length % element_bytes != 0) {
      return InvalidArgument("Input to DecodeRaw has length ", length, " that is not a multiple of ", element_bytes,
                             ", the size of ", TypeText(dtype_));
    }
    std::vector<int64_t> dims(c.input(0).shape().dims().begin(), c.input(0).shape().dims().end());
    dims.push_back(static_cast<int64_t>(length / element_bytes));
    HR_ASSIGN_OR_RETURN(const Shape shape, Shape::Make(dims));
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, shape));
    auto* bytes = static_cast<char*>(output->mutable_raw());
    for (size_t i = 0; i < strings.size() && length > 0; ++i)
      std::memcpy(bytes + i * length, strings[i].data(), length);
    if (dtype_ == DType::kBool) {
      for (size_t i = 0; i < strings.size() * length; ++i) bytes[i] = bytes[i] != 0;
    }
    if (swap_) Swap(bytes, strings.size() * length);
    return OkStatus();
  }

 private:
  void Swap(char* bytes, size_t size) const {
    const auto number_bytes = static_cast<size_t>(DTypeSize(dtype_)) / (IsComplex(dtype_) ? 2 : 1);
    for (size_t i = 0; i < size; i += number_bytes) std::reverse(bytes + i, bytes + i + number_bytes);
  }

  const DType dtype_;
  const bool swap_;
};

}  // namespace

std::vector<OpDefinition> DecodeRawOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(
      OpDefinition(
          "DecodeRaw(bytes: str) -> (output: out_type) | "
          "out_type: type in {f16,f32,f64,i32,u16,u8,i16,i8,i64,c64,c128,bool,bf16} | little_endian: bool = true")
          .Shape(DecodeRawShape)
          .NoGradient("strings")
          .Kernels(AnyType(ClassKernel<DecodeRawKernel>())));
  return ops;
}

}  // namespace headrace
