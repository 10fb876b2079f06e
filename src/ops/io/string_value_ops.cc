// StringToNumber: each string read as a number (see parse_number.h). StringToHashBucketFast: each string's FarmHash
// Fingerprint64 modulo num_buckets. Both element by element.
// Errors: kInvalidArgument "StringToNumberOp could not correctly convert string: TEXT".
#include <farmhash.h>

#include "graph/shape_context.h"
#include "kernel/kernel.h"
#include "ops/io/io_ops.h"
#include "ops/io/parse_number.h"

namespace headrace {

namespace {

template <typename T> Status StringToNumber(KernelContext& c) {
  const std::span<const std::string> in = c.input(0).data<std::string>();
  HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
  const std::span<T> out = output->mutable_data<T>();
  for (size_t i = 0; i < in.size(); ++i) {
    if (!ParseNumber(in[i], &out[i]))
      return InvalidArgument("StringToNumberOp could not correctly convert string: ", in[i]);
  }
  return OkStatus();
}

class HashBucketKernel final : public Kernel {
 public:
  explicit HashBucketKernel(KernelConstruction& construction)
      : num_buckets_(static_cast<uint64_t>(construction.attr<int64_t>("num_buckets", 1))) {}

  Status Compute(KernelContext& c) override {
    const std::span<const std::string> in = c.input(0).data<std::string>();
    HR_ASSIGN_OR_RETURN(Tensor* const output, c.AllocateOutput(0, c.input(0).shape()));
    const std::span<int64_t> out = output->mutable_data<int64_t>();
    constexpr double kStringNs = 20;
    c.ParallelFor(std::ssize(in), kStringNs, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        out[i] = static_cast<int64_t>(util::Fingerprint64(in[i].data(), in[i].size()) % num_buckets_);
      }
    });
    return OkStatus();
  }

 private:
  const uint64_t num_buckets_;
};

}  // namespace

std::vector<OpDefinition> StringValueOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("StringToNumber(string_tensor: str) -> (output: out_type) | out_type: type = f32 in "
                             "{f32,f64,i32,i64,u32,u64}")
                    .Shape(UnchangedShape)
                    .NoGradient("strings")
                    .Kernels(KernelsFor<float, double, int32_t, int64_t, uint32_t, uint64_t>(
                        "out_type", []<typename T>() { return FunctionKernel(StringToNumber<T>); })));
  ops.push_back(OpDefinition("StringToHashBucketFast(input: str) -> (output: i64) | num_buckets: int >= 1")
                    .Shape(UnchangedShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(ClassKernel<HashBucketKernel>())));
  return ops;
}

}  // namespace headrace
