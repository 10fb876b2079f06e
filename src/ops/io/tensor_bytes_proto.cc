// SerializeTensor, ParseTensor: a tensor as the bytes of a TensorProto, and back.
// Errors: kInvalidArgument for other bytes, and a tensor of another dtype than out_type.
#include "graph/shape_context.h"
#include "headrace/proto/tensor.pb.h"
#include "kernel/kernel.h"
#include "ops/io/checked_input.h"
#include "ops/io/io_ops.h"
#include "ops/io/tensor_bytes.h"
#include "ops/io/type_text.h"
#include "tensor/tensor_proto.h"

namespace headrace {

namespace {

Status Serialize(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(std::string bytes, TensorToBytes(c.input(0)));
  return c.SetOutput(0, Tensor::Scalar(std::move(bytes)));
}

Status ParseShape(ShapeContext& c) {
  HR_RETURN_IF_ERROR(c.RequireScalar(0));
  return UnknownShape(c);
}

Status Parse(KernelContext& c) {
  HR_ASSIGN_OR_RETURN(const std::string* bytes, StringScalar(c, 0, "serialized"));
  HR_ASSIGN_OR_RETURN(Tensor tensor, TensorFromBytes(*bytes, c.runtime().memory));
  const DType wanted = c.node().output_types()[0];
  if (tensor.dtype() != wanted) {
    return InvalidArgument("Type mismatch between parsed tensor (", TypeText(tensor.dtype()), ") and dtype (",
                           TypeText(wanted), ")");
  }
  return c.SetOutput(0, std::move(tensor));
}

}  // namespace

Result<std::string> TensorToBytes(const Tensor& tensor) {
  proto::TensorProto message;
  HR_RETURN_IF_ERROR(TensorToProto(tensor, &message));
  return message.SerializeAsString();
}

Result<Tensor> TensorFromBytes(std::string_view bytes, const std::shared_ptr<MemoryAccount>& account) {
  proto::TensorProto message;
  if (bytes.size() > INT32_MAX || !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    constexpr size_t kShown = 64;
    return InvalidArgument("Could not parse `serialized` as TensorProto: '", bytes.substr(0, kShown),
                           bytes.size() > kShown ? "...'" : "'");
  }
  return TensorFromProto(message, account);
}

std::vector<OpDefinition> TensorBytesOps() {
  std::vector<OpDefinition> ops;
  ops.push_back(OpDefinition("SerializeTensor(tensor: T) -> (serialized: str) | T: type")
                    .Shape(ScalarShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(FunctionKernel(Serialize))));
  ops.push_back(OpDefinition("ParseTensor(serialized: str) -> (output: out_type) | out_type: type")
                    .Shape(ParseShape)
                    .NoGradient("strings")
                    .Kernels(AnyType(FunctionKernel(Parse))));
  return ops;
}

}  // namespace headrace
