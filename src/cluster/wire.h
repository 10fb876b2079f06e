// Messages to and from payloads. Tensors bypass protobuf: their bytes leave as slices of their own buffers, and are copied once,
// straight into a new buffer, when they arrive.
#pragma once

#include <google/protobuf/message_lite.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "rpc/payload.h"
#include "tensor/tensor.h"

namespace google::protobuf::io {
class CodedInputStream;
}  // namespace google::protobuf::io

namespace headrace {

/// Encodes a message without big tensors.
Payload EncodeMessage(const google::protobuf::MessageLite& message);
/// Errors: kInvalidArgument for bytes that are no such message.
Status DecodeMessage(const Payload& payload, google::protobuf::MessageLite* message);

/// Puts a message together from fields in the order of the calls.
class WireWriter {
 public:
  /// Adds the fields of `message`.
  void AddFields(const google::protobuf::MessageLite& message);
  void AddInt64(int field, int64_t value);
  /// Adds a TensorProto in the form that TensorFlow's receivers read fastest: dtype, shape, content. An invalid tensor is an empty f32[0].
  void AddTensor(int field, const Tensor& tensor);
  /// Adds a NamedTensorProto.
  void AddNamedTensor(int field, std::string_view name, const Tensor& tensor);

  /// Ends the message. Errors: kResourceExhausted when it exceeds 2 GiB - 1; what made a tensor impossible to write.
  Result<Payload> Finish();

 private:
  void AddContent(const Tensor& tensor);

  Payload payload_;
  std::string pending_;  // bytes not yet in payload_
  Status status_;
};

/// Reads one TensorProto up to the stream's limit. Errors: kInvalidArgument for bad bytes, types or sizes.
Status ReadTensor(google::protobuf::io::CodedInputStream* input, Tensor* tensor);
Status ReadNamedTensor(google::protobuf::io::CodedInputStream* input, std::string* name, Tensor* tensor);

/// Reads a message whose submessages of number `field` are left to `read`, which sees each through the stream's limit; the
/// rest goes to `message`. Errors: kInvalidArgument for bad bytes; those of `read`.
Status DecodeAround(const Payload& payload, google::protobuf::MessageLite* message, int field,
                    const std::function<Status(google::protobuf::io::CodedInputStream*)>& read);

}  // namespace headrace
