// StringToNumber: each string read as a number (see parse_number.h).
// Errors: kInvalidArgument "StringToNumberOp could not correctly convert string: TEXT".
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

}  // namespace

std::vector<OpDefinition> StringValueOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("StringToNumber(string_tensor: str) -> (output: out_type) | out_type: type = f32 in "
                             "{f32,f64,i32,i64,u32,u64}")
                    .Shape(UnchangedShape)
                    .NoGradient("strings")
                    .Kernels(KernelsFor<float, double, int32_t, int64_t, uint32_t, uint64_t>(
                        "out_type", []<typename T>() { return FunctionKernel(StringToNumber<T>); })));
  return ops;
}

}  // namespace headrace
